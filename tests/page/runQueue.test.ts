/** The queue: runs one after another, what fails, what a reload cuts off, and the form of a sweep. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { GpuGoneError } from '../../src/lib/errors.ts';
import type { NextStart } from '../../src/page/history/History.svelte.ts';
import { keepSetting } from '../../src/page/keptSettings.ts';
import { SweepForm } from '../../src/page/queue/SweepForm.svelte.ts';
import { Workspace } from '../../src/page/Workspace.svelte.ts';
import { metricsToJsonl } from '../../src/training/metrics.ts';
import { sweepTable } from '../../src/training/sweep/sweepTable.ts';
import type { RunSummary } from '../../src/worker/history/historyProtocol.ts';
import type {
  PlanRequest,
  RunOutcome,
  RunRequest,
  TrainerWorkerEvent,
} from '../../src/worker/trainer/trainerProtocol.ts';
import { later, stubPage, stubWorkers, type FakeWorkers } from '../helpers/fakeWorkers.ts';
import { fileReport, MODEL, runOutcome, runPlan, runSummary } from '../helpers/pageData.ts';

interface Started {
  request: RunRequest;
  send: (event: TrainerWorkerEvent) => Promise<void>;
  outcome: ReturnType<typeof later<RunOutcome>>;
}

let workers: FakeWorkers;
let runs: Started[];
let kept: RunSummary[];
let plans: PlanRequest[];
let loads: number;
let sha256: string;
let stored: Map<string, string>;
let storageFault: Error | null;
let onLoad: () => void;

beforeEach(() => {
  [runs, kept, plans, loads, sha256, storageFault] = [[], [], [], 0, 'aa', null];
  onLoad = () => undefined;
  ({ stored } = stubPage());
  // What is kept also lies in memory, where a browser keeps nothing.
  keepSetting('finetab.queue', null);
  workers = stubWorkers((name) => {
    if (name === 'trainer')
      return {
        plan: async (request: PlanRequest) => {
          plans.push(request);
          const { memory } = runPlan();
          return runPlan({ memory: { ...memory, total: 100 * request.recipe.lora.r } });
        },
        run: (request: RunRequest, send: Started['send']) => {
          const outcome = later<RunOutcome>();
          runs.push({ request, send, outcome });
          return outcome.promise;
        },
        stop: async () => undefined,
      };
    if (name === 'history')
      return {
        runs: async () => kept,
        annotate: async (id: string, change: object) =>
          void (kept = kept.map((run) => (run.id === id ? { ...run, ...change } : run))),
        details: async (id: string) => ({ lines: [{ step: 1, epoch: 0, loss: id.length }] }),
      };
    if (name === 'import')
      return {
        models: async () => [MODEL],
        details: async () => MODEL,
        storage: async () => {
          if (storageFault) throw storageFault;
          return { usedBytes: 0, quotaBytes: 1e9, persisted: true };
        },
      };
    return {
      load: async () => {
        loads++;
        onLoad();
        return fileReport('train.jsonl', 3, {
          parts: [{ file: 'train.jsonl', sha256, format: 'query, response', columns: [] }],
        });
      },
      fingerprints: async () => 'prints',
      serve: async () => undefined,
    };
  });
});
afterEach(() => workers.close());

async function ready(): Promise<Workspace> {
  const workspace = new Workspace();
  await workspace.start();
  await workspace.library.select(MODEL.id);
  await workspace.addData([new File(['rows'], 'train.jsonl')]);
  expect(workspace.blockers).toEqual([]);
  return workspace;
}

/** Queues the recipe on the page with each of these ranks. */
function queueRanks(workspace: Workspace, ...ranks: number[]): void {
  const before = workspace.recipe.lora.r;
  for (const r of ranks) {
    workspace.recipe.lora.r = r;
    workspace.queue.add();
  }
  workspace.recipe.lora.r = before;
}

async function started(count: number): Promise<Started> {
  await vi.waitFor(() => expect(runs.length).toBe(count));
  return runs[count - 1];
}

const states = ({ queue }: Workspace) => queue.list.runs.map(({ state }) => state);
const ranks = ({ queue }: Workspace) => queue.list.runs.map(({ recipe }) => recipe.lora.r);

describe('the queue', () => {
  it('runs recipes one after another with the files that are here, and puts the recipe of before back', async () => {
    const workspace = await ready();
    queueRanks(workspace, 4, 8);
    workspace.recipe.lora.r = 2;
    const loaded = loads;
    const done = workspace.queue.start();
    const first = await started(1);
    expect(first.request.recipe.lora.r).toBe(4);
    expect(states(workspace)).toEqual(['running', 'waiting']);
    await first.send({ type: 'began', runId: 'run-1', notes: '' });
    expect(workspace.queue.list.current?.runId).toBe('run-1');
    kept = [runSummary({ id: 'run-1' })];
    first.outcome.resolve(runOutcome({ runId: 'run-1', seconds: 7 }));
    const second = await started(2);
    expect(second.request.recipe.lora.r).toBe(8);
    expect(second.request.training).toEqual(first.request.training);
    second.outcome.resolve(runOutcome({ runId: 'run-2' }));
    await done;
    expect(states(workspace)).toEqual(['done', 'done']);
    expect(workspace.queue.list.runs[0]).toMatchObject({ seconds: 7, reason: 'finished', runId: 'run-1' });
    // Its name in the history is the queue's.
    expect(kept[0].name).toBe('Custom recipe, learning_rate 0.0002, r 4');
    expect([workspace.recipe.lora.r, workspace.queue.active, workspace.queue.before]).toEqual([
      2,
      false,
      null,
    ]);
    // Other ranks read no rows otherwise.
    expect(loads).toBe(loaded);
  });

  it('reads the rows again for a recipe that reads them otherwise', async () => {
    const workspace = await ready();
    workspace.recipe.max_length = 99;
    workspace.queue.add();
    workspace.recipe.max_length = 1024;
    const loaded = loads;
    const done = workspace.queue.start();
    const { outcome, request } = await started(1);
    expect([request.recipe.max_length, loads]).toEqual([99, loaded + 1]);
    outcome.resolve(runOutcome());
    await done;
    expect([workspace.recipe.max_length, loads]).toEqual([1024, loaded + 2]);
  });

  it('goes on behind a run that fails, one whose trainer dies, and one that cannot be planned', async () => {
    const workspace = await ready();
    queueRanks(workspace, 1, 2, 3, 4);
    const [, , third] = workspace.queue.list.runs;
    workspace.queue.list.change(third.id, { modelId: 'deleted' });
    const done = workspace.queue.start();
    (await started(1)).outcome.reject(new Error('the loss became NaN'));
    await started(2);
    workers.named('trainer')[0].die('out of memory');
    const last = await started(3);
    expect(last.request.recipe.lora.r).toBe(4);
    last.outcome.resolve(runOutcome());
    await done;
    expect(workspace.queue.list.runs.map(({ state, message }) => [state, message])).toEqual([
      ['failed', 'the loss became NaN'],
      ['failed', expect.stringMatching(/^The trainer crashed: out of memory/)],
      ['failed', expect.stringMatching(/^tiny is not stored in this browser any more/)],
      ['done', null],
    ]);
    workspace.queue.list.retry(workspace.queue.list.runs[0].id);
    expect(states(workspace)[0]).toBe('waiting');
  });

  it('waits with a run whose GPU is lost, says so, and goes on', async () => {
    const workspace = await ready();
    queueRanks(workspace, 1, 2);
    const done = workspace.queue.start();
    const first = await started(1);
    await first.send({ type: 'began', runId: 'run-1', notes: '' });
    await first.send({ type: 'deviceLost', step: 7, message: 'Waiting for the GPU: next attempt in 15 s.' });
    expect(states(workspace)).toEqual(['running', 'waiting']);
    expect(workspace.run!.doing).toMatch(/GPU/);
    expect(workspace.run!.interruptions.join()).toMatch(/next attempt in 15 s.*7/);
    await first.send({ type: 'progress', step: 8, totalSteps: 9, tokensPerSecond: 1, secondsLeft: 1 });
    expect(workspace.run!.doing).toMatch(/9/);
    first.outcome.resolve(runOutcome({ runId: 'run-1' }));
    (await started(2)).outcome.resolve(runOutcome({ runId: 'run-2' }));
    await done;
    expect(states(workspace)).toEqual(['done', 'done']);
  });

  it('rests where the GPU does not come back, and resumes that run when it is started again', async () => {
    const workspace = await ready();
    queueRanks(workspace, 1, 2);
    const done = workspace.queue.start();
    const first = await started(1);
    await first.send({ type: 'began', runId: 'run-1', notes: '' });
    kept = [runSummary({ id: 'run-1', state: 'failed', resumableStep: 7 })];
    const gone = new GpuGoneError('The GPU was lost and did not come back within three minutes.');
    first.outcome.reject(gone);
    await done;
    expect(runs.length).toBe(1);
    expect(states(workspace)).toEqual(['interrupted', 'waiting']);
    expect(workspace.queue.error).toBe(gone.message);
    expect(workspace.queue.list.runs[0].message).toBe(gone.message);
    const again = workspace.queue.start();
    const resumed = await started(2);
    expect(workspace.queue.error).toBeNull();
    expect(resumed.request.resumeRunId).toBe('run-1');
    resumed.outcome.resolve(runOutcome({ runId: 'run-1' }));
    (await started(3)).outcome.resolve(runOutcome({ runId: 'run-2' }));
    await again;
    expect(states(workspace)).toEqual(['done', 'done']);
  });

  it('fails a run whose training file is another one now, and says which', async () => {
    const workspace = await ready();
    queueRanks(workspace, 4);
    sha256 = 'bb';
    await workspace.readAgain();
    await workspace.queue.start();
    expect(workspace.queue.list.runs[0]).toMatchObject({
      state: 'failed',
      message: expect.stringMatching(/^train\.jsonl is not what it was when this run was queued/) as string,
    });
    expect(runs).toEqual([]);
  });

  it('is reordered and cancelled, but for the run that trains', async () => {
    const workspace = await ready();
    queueRanks(workspace, 1, 2, 3);
    const { list } = workspace.queue;
    const done = workspace.queue.start();
    const { outcome } = await started(1);
    const [first, second, third] = list.runs.map(({ id }) => id);
    list.move(third, -1);
    expect(ranks(workspace)).toEqual([1, 3, 2]);
    // Nothing comes before what trains already.
    expect([list.canMove(third, -1), list.canMove(first, 1), list.canMove(second, 1)]).toEqual([
      false,
      false,
      false,
    ]);
    list.move(third, -1);
    list.remove(first);
    list.remove(second);
    expect(ranks(workspace)).toEqual([1, 3]);
    outcome.resolve(runOutcome());
    const next = await started(2);
    expect(next.request.recipe.lora.r).toBe(3);
    next.outcome.resolve(runOutcome());
    await done;
    list.clear();
    expect(list.runs).toEqual([]);
    expect(stored.has('finetab.queue')).toBe(false);
  });

  it('rests after the run under way where it is asked to, and starts one run for two presses', async () => {
    const workspace = await ready();
    queueRanks(workspace, 1, 2);
    const done = workspace.queue.start();
    await workspace.queue.start();
    const { outcome } = await started(1);
    workspace.queue.stopAll();
    outcome.resolve(runOutcome({ reason: 'stopped' }));
    await done;
    expect(states(workspace)).toEqual(['done', 'waiting']);
    expect(runs.length).toBe(1);
    const again = workspace.queue.start();
    (await started(2)).outcome.resolve(runOutcome());
    await again;
    expect(states(workspace)).toEqual(['done', 'done']);
  });

  it('keeps an adapter to go on from out of its runs, and gives it back', async () => {
    const workspace = await ready();
    queueRanks(workspace, 4);
    const { history } = workspace.runs;
    const { r, lora_alpha, lora_dropout, target_modules, use_rslora, use_dora } = workspace.recipe.lora;
    const lora = { r, lora_alpha, lora_dropout, target_modules, use_rslora, use_dora };
    const start = { name: 'other', modelId: MODEL.id, lora, tensors: {} };
    history.startFrom = start as unknown as NextStart;
    expect(workspace.queue.blocker).toMatch(/starts from scratch/);
    const done = workspace.queue.start();
    const { outcome, request } = await started(1);
    expect(request.startFrom).toBeNull();
    outcome.resolve(runOutcome());
    await done;
    expect(history.startFrom).toMatchObject({ name: 'other' });
  });
});

describe('the queue loses nothing', () => {
  it('where the end of a run cannot be shown in the list of what is stored', async () => {
    const workspace = await ready();
    queueRanks(workspace, 1, 2);
    const done = workspace.queue.start();
    const { outcome } = await started(1);
    storageFault = new Error('the database is closed');
    outcome.resolve(runOutcome());
    const next = await started(2);
    storageFault = null;
    next.outcome.resolve(runOutcome());
    await done;
    expect(states(workspace)).toEqual(['done', 'done']);
    expect([workspace.queue.active, workspace.queue.error]).toEqual([false, null]);
  });

  it('where Stop is pressed while a run is prepared: it waits, and nothing trains', async () => {
    const workspace = await ready();
    workspace.recipe.max_length = 99;
    queueRanks(workspace, 1, 2);
    workspace.recipe.max_length = 1024;
    onLoad = () => workspace.queue.stopAll();
    await workspace.queue.start();
    expect([states(workspace), runs, workspace.recipe.max_length]).toEqual([
      ['waiting', 'waiting'],
      [],
      1024,
    ]);
  });

  it('where the browser keeps no more settings: it says so, and works to its end', async () => {
    const workspace = await ready();
    queueRanks(workspace, 1);
    expect(workspace.queue.list.lost).toBe(false);
    localStorage.setItem = () => {
      throw new DOMException('5 MB', 'QuotaExceededError');
    };
    queueRanks(workspace, 2);
    expect([ranks(workspace), workspace.queue.list.lost]).toEqual([[1, 2], true]);
    const done = workspace.queue.start();
    for (const n of [1, 2]) (await started(n)).outcome.resolve(runOutcome());
    await done;
    expect(states(workspace)).toEqual(['done', 'done']);
  });

  it('where two tabs use it: both see it, one works, and what the other puts in is run too', async () => {
    const held = fakeLocks();
    const workspace = await ready();
    queueRanks(workspace, 1, 2);
    const done = workspace.queue.start();
    const { outcome } = await started(1);
    const other = await ready();
    expect([states(other), other.queue.list.elsewhere]).toEqual([['running', 'waiting'], true]);
    queueRanks(other, 3);
    const [first, second] = other.queue.list.runs;
    other.queue.list.remove(first.id);
    other.queue.list.remove(second.id);
    await other.queue.start();
    expect(other.queue.error).toMatch(/works in another tab/);
    outcome.resolve(runOutcome());
    const next = await started(2);
    expect([next.request.recipe.lora.r, ranks(workspace), states(workspace)]).toEqual([
      3,
      [1, 3],
      ['done', 'running'],
    ]);
    next.outcome.resolve(runOutcome());
    await done;
    await vi.waitFor(() => expect(held.size).toBe(0));
    await other.queue.list.sync();
    expect([states(other), other.queue.list.elsewhere]).toEqual([['done', 'done'], false]);
  });
});

/** Web Locks of one process, which never wait but in `whenQueueIsFree`. @returns names that are held */
function fakeLocks(): Set<string> {
  const held = new Set<string>();
  const request = async (name: string, options: LockOptions, work: (lock: object | null) => unknown) => {
    if (options.ifAvailable && held.has(name)) return work(null);
    while (held.has(name)) await new Promise((resolve) => setTimeout(resolve, 1));
    held.add(name);
    try {
      return await work({ name });
    } finally {
      held.delete(name);
    }
  };
  const query = async () => ({ held: [...held].map((name) => ({ name })) });
  vi.stubGlobal('navigator', { ...navigator, locks: { request, query } });
  return held;
}

describe('after a reload, the queue', () => {
  it('has what waited, resumes what was cut off from its checkpoint, and goes on', async () => {
    const before = await ready();
    queueRanks(before, 4, 8, 16);
    void before.queue.start();
    (await started(1)).outcome.resolve(runOutcome({ runId: 'whole' }));
    const second = await started(2);
    await second.send({ type: 'began', runId: 'cut', notes: '' });
    kept = [
      runSummary({
        id: 'cut',
        state: 'running',
        resumableStep: 4,
        recipe: before.queue.list.runs[1].recipe,
      }),
    ];
    const workspace = new Workspace();
    await workspace.start();
    expect(states(workspace)).toEqual(['done', 'interrupted', 'waiting']);
    // Nothing starts by itself, and not before the rows are here.
    await workspace.queue.start();
    expect(workspace.queue.error).toBe('Drop train.jsonl first: the queue needs its rows.');
    expect(runs.length).toBe(2);
    await workspace.library.select(MODEL.id);
    await workspace.addData([new File(['rows'], 'train.jsonl')]);
    const done = workspace.queue.start();
    const resumed = await started(3);
    expect(resumed.request).toMatchObject({ resumeRunId: 'cut', recipe: { lora: { r: 8 } } });
    resumed.outcome.resolve(runOutcome({ runId: 'cut' }));
    const last = await started(4);
    expect(last.request).toMatchObject({ resumeRunId: null, recipe: { lora: { r: 16 } } });
    last.outcome.resolve(runOutcome());
    await done;
    expect(states(workspace)).toEqual(['done', 'done', 'done']);
    // Curves of the earlier visit come from the history.
    await workspace.queue.curves.read(workspace.queue.list.runs);
    expect(workspace.queue.curves.of(workspace.queue.list.runs[0])).toEqual([{ step: 1, epoch: 0, loss: 5 }]);
  });

  it.each(['[{"id":"1","recipe":{"unknown":1}}]', '[{"id":"1","recipe":{}}]', '[null]', 'null', '{}', '"a'])(
    'that another version, or another page of the address, wrote as %s is left out',
    async (text) => {
      stored.set('finetab.queue', text);
      const workspace = new Workspace();
      await workspace.start();
      expect([workspace.queue.list.runs, workspace.error]).toEqual([[], null]);
    },
  );
});

describe('a sweep', () => {
  it('shows what its runs need, and is compared in one table', async () => {
    const workspace = await ready();
    kept = [runSummary({ id: 'old', step: 8, seconds: 16, name: 'the old one' })];
    await workspace.runs.refreshRuns();
    const form = new SweepForm(workspace.queue);
    expect(form.axes).toEqual([
      { key: 'training.learning_rate', text: '0.0001, 0.0002' },
      { key: 'lora.r', text: '16, 32' },
    ]);
    form.axes[1].text = '4, 8';
    plans = [];
    await form.plan();
    expect(plans.map(({ recipe }) => [recipe.training.learning_rate, recipe.lora.r])).toEqual([
      [1e-4, 4],
      [1e-4, 8],
      [2e-4, 4],
      [2e-4, 8],
    ]);
    // Four runs of 8 steps at the 2 s a step that the kept run took.
    expect(form.needs).toEqual({ memoryBytes: 800, totalSteps: 32, seconds: 64, speedOf: 'the old one' });
    form.queueUp();
    const done = workspace.queue.start();
    for (let n = 1; n <= 4; n++) {
      const { outcome } = await started(n);
      const lines = [
        { step: 0, epoch: 0, eval_a_loss: 3 },
        { step: 8, epoch: 1, eval_a_loss: [2, 1, 1.5, 2.5][n - 1] },
      ];
      outcome.resolve(runOutcome({ runId: `run-${n}`, metricsJsonl: metricsToJsonl(lines) }));
    }
    await done;
    const [sweep] = workspace.queue.list.sweeps;
    const table = sweepTable(workspace.queue.swept(sweep), workspace.recipe.evaluation);
    expect(table).toMatchObject({ keys: ['training.learning_rate', 'lora.r'], sets: ['a'], best: 1 });
    expect(table.rows.map(({ name, losses }) => [name, losses.a?.last])).toEqual([
      ['learning_rate 0.0001, r 4', 2],
      ['learning_rate 0.0001, r 8', 1],
      ['learning_rate 0.0002, r 4', 1.5],
      ['learning_rate 0.0002, r 8', 2.5],
    ]);
  });

  it('says what is wrong with its values, and knows no time without a run like it', async () => {
    const workspace = await ready();
    const form = new SweepForm(workspace.queue);
    form.axes[0].text = '1e-4, fast';
    expect(form.runs).toMatch(/"fast" in the values of training\.learning_rate is no number/);
    form.axes[0].text = '1e-4';
    await form.plan();
    expect(form.needs?.seconds).toBeNull();
    expect(form.changesScale).toBe(true);
    form.addAxis('lora.lora_alpha');
    expect(form.runs).toMatch(/lora\.lora_alpha has no values/);
    form.removeAxis(2);
    expect(form.runs).toHaveLength(2);
  });
});
