/**
 * Pressing Train, and what the page shows when the run ends, fails, is pressed twice, or its trainer dies.
 */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Workspace } from '../../src/page/Workspace.svelte.ts';
import type { RunSummary } from '../../src/worker/history/historyProtocol.ts';
import type { RunOutcome, RunRequest, TrainerWorkerEvent } from '../../src/worker/trainer/trainerProtocol.ts';
import { later, stubPage, stubWorkers, type FakeWorkers } from '../helpers/fakeWorkers.ts';
import { fileReport, MODEL, recipe, runOutcome, runPlan, runSummary } from '../helpers/pageData.ts';

interface Started {
  request: RunRequest;
  send: (event: TrainerWorkerEvent) => Promise<void>;
  outcome: ReturnType<typeof later<RunOutcome>>;
}

let workers: FakeWorkers;
let runs: Started[];
let kept: RunSummary[];
let stops: number;

beforeEach(() => {
  [runs, kept, stops] = [[], [], 0];
  stubPage();
  workers = stubWorkers((name) => {
    if (name === 'trainer')
      return {
        plan: async () => runPlan(),
        run: (request: RunRequest, send: Started['send']) => {
          const outcome = later<RunOutcome>();
          runs.push({ request, send, outcome });
          return outcome.promise;
        },
        stop: async () => void stops++,
        evaluationWorkerDied: async () => undefined,
      };
    if (name === 'history') return { runs: async () => kept, remove: async () => void (kept = []) };
    if (name === 'import')
      return {
        models: async () => [MODEL],
        details: async () => MODEL,
        storage: async () => ({ usedBytes: 0, quotaBytes: 1e9, persisted: true }),
      };
    return {
      load: async () => fileReport('a file'),
      fingerprints: async () => 'prints',
      overlap: async () => ({ rows: 0, prompts: 0, examples: [] }),
      serve: async () => undefined,
      connect: async () => undefined,
    };
  });
});
afterEach(() => workers.close());

async function ready(...files: string[]): Promise<Workspace> {
  const workspace = new Workspace();
  await workspace.start();
  await workspace.library.select(MODEL.id);
  await workspace.addData(['train.jsonl', ...files].map((name) => new File(['rows'], name)));
  expect(workspace.error).toBeNull();
  expect(workspace.blockers).toEqual([]);
  return workspace;
}

async function started(count = 1): Promise<Started> {
  await vi.waitFor(() => expect(runs.length).toBe(count));
  return runs[count - 1];
}

describe('a press of Train', () => {
  it('sends what the page shows to the trainer and shows the run to its end', async () => {
    const workspace = await ready('b.val.jsonl');
    const done = workspace.runs.startRun();
    expect(workspace.run?.phase).toBe('preparing');
    const { request, send, outcome } = await started();
    expect(request).toMatchObject({
      modelId: MODEL.id,
      modelName: 'tiny',
      recipe: { train_file: 'train.jsonl', validation_files: ['b.val.jsonl'] },
      trainLengths: Uint32Array.of(10, 10, 10),
      longestValidation: 10,
      evaluationPorts: [{ name: 'b' }],
      validation: [{ file: 'b.val.jsonl', name: 'b' }],
      resumeRunId: null,
      consents: false,
      startFrom: null,
    });
    await send({ type: 'progress', step: 3, totalSteps: 8, tokensPerSecond: 5, secondsLeft: 1 });
    expect(workspace.run).toMatchObject({ phase: 'training', step: 3 });
    expect(workspace.flow.step('run')).toMatchObject({ status: 'working', text: 'Training, step 4 of 8' });
    expect(workspace.result).toBeNull();
    kept = [runSummary()];
    outcome.resolve(runOutcome());
    await done;
    expect(workspace.run?.phase).toBe('ended');
    expect(workspace.result?.runId).toBe('run-1');
    expect(workspace.runs.history.runs.map(({ id }) => id)).toEqual(['run-1']);
    expect(workspace.flow.step('result').status).toBe('done');
  });

  it('does nothing while a run is training: two presses are one run', async () => {
    const workspace = await ready();
    const done = workspace.runs.startRun();
    const view = workspace.run;
    await workspace.runs.startRun();
    const { outcome } = await started();
    expect(workspace.run).toBe(view);
    outcome.resolve(runOutcome());
    await done;
    expect(runs.length).toBe(1);
    void workspace.runs.startRun();
    await started(2);
  });

  it('that ends in an error shows the error and no result, and Train can be pressed again', async () => {
    const workspace = await ready();
    const done = workspace.runs.startRun();
    const { outcome } = await started();
    outcome.reject(new Error('the loss became NaN'));
    await done;
    expect(workspace.run).toMatchObject({ phase: 'failed', error: 'the loss became NaN', active: false });
    expect(workspace.result).toBeNull();
    expect(workspace.flow.step('run')).toMatchObject({ status: 'problem', text: 'Failed' });
    void workspace.runs.startRun();
    expect(workspace.run).toMatchObject({ phase: 'preparing', error: null });
    await started(2);
  });

  it('whose trainer dies shows how to go on, and resumes with another trainer', async () => {
    const workspace = await ready();
    const done = workspace.runs.startRun();
    await started();
    kept = [
      runSummary({ id: 'cut off', state: 'running', resumableStep: 4, recipe: recipe({ max_length: 99 }) }),
    ];
    workers.named('trainer')[0].die('out of memory');
    await done;
    expect(workspace.run?.error).toBe(
      'The trainer crashed: out of memory. The run is kept as it was at its last checkpoint: press Resume.',
    );
    const [unfinished] = workspace.runs.history.unfinished;
    expect(unfinished.resumableStep).toBe(4);
    expect(workspace.runs.canResume(unfinished)).toBe(true);
    void workspace.runs.resumeRun(unfinished);
    const { request } = await started(2);
    expect(request).toMatchObject({ resumeRunId: 'cut off', recipe: { max_length: 99 } });
    expect(workers.named('trainer').map(({ terminated }) => terminated)).toEqual([true, false]);
  });

  it('does nothing without rows, and says what is missing', async () => {
    const workspace = new Workspace();
    await workspace.start();
    await workspace.runs.startRun();
    expect(workspace.run).toBeNull();
    expect(workspace.blockers).toEqual(['Drop a model first.', 'Drop a training file.']);
    expect(workspace.flow.current.id).toBe('model');
  });

  it('goes on without a validation file whose worker dies for good, and reports it to the trainer', async () => {
    const workspace = await ready('b.val.jsonl');
    const [file] = workspace.data.validation;
    workers.named('evaluation b')[0].die('first');
    await vi.waitFor(() => expect(file.report).not.toBeNull());
    const done = workspace.runs.startRun();
    const { send, outcome } = await started();
    await send({ type: 'evaluationFailed', step: 4, name: 'b', message: 'its worker died' });
    expect(workspace.run?.failureOf('b')).toBe('its worker died');
    outcome.resolve(runOutcome());
    await done;
    expect(workspace.run?.phase).toBe('ended');
  });

  it('is stopped once, and shows that the step under way is finished first', async () => {
    const workspace = await ready();
    const done = workspace.runs.startRun();
    const { send, outcome } = await started();
    await send({ type: 'progress', step: 3, totalSteps: 8, tokensPerSecond: 5, secondsLeft: 1 });
    workspace.runs.stop();
    expect(workspace.run?.doing).toBe('Stopping after step 4');
    await vi.waitFor(() => expect(stops).toBe(1));
    outcome.resolve(runOutcome({ reason: 'stopped', steps: 4 }));
    await done;
    expect(workspace.run?.doing).toBe('Stopped; the adapter is kept as it was at that step');
  });

  it('can be resumed with the same model and training file only', async () => {
    const workspace = await ready();
    expect(workspace.runs.canResume(runSummary({ resumableStep: 4 }))).toBe(true);
    expect(workspace.runs.canResume(runSummary({ resumableStep: 4, modelId: 'other' }))).toBe(false);
    expect(workspace.runs.canResume(runSummary({ resumableStep: 4, trainFile: 'other.jsonl' }))).toBe(false);
    kept = [runSummary({ resumableStep: 4 })];
    await workspace.runs.refreshRuns();
    await workspace.runs.discardRun(workspace.runs.history.unfinished[0]);
    expect(workspace.runs.history.unfinished).toEqual([]);
  });
});
