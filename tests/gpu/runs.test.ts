/**
 * Nothing is lost: reloads, lost devices and full disks in the middle of a run; and what a run leaves
 * answers, scores and starts others.
 */
import { unzipSync } from 'fflate';
import { describe, expect, it, vi } from 'vitest';
import type { Database } from '../../src/storage/database.ts';
import { findRun, latestCheckpointStep, updateRun } from '../../src/storage/runs.ts';
import type { RecipeInput } from '../../src/training/recipe.ts';
import { WebGpuEngine } from '../../src/engine/webgpu/webgpuEngine.ts';
import { HistoryHost } from '../../src/worker/history/historyHost.ts';
import type { RunOutcome, RunRequest, TrainerWorkerEvent } from '../../src/worker/trainer/trainerProtocol.ts';
import { testGpu } from '../helpers/gpu.ts';
import { readIndependently } from '../helpers/independentReader.ts';
import { openTestHost, requestOf, type TestHost } from '../helpers/runHost.ts';

const gpu = await testGpu();
// The report names the browser; Node 20 has no navigator.
vi.stubGlobal('navigator', { userAgent: 'Node' });
const RECIPE: RecipeInput = {
  max_length: 64,
  lora: { r: 4, lora_alpha: 8, lora_dropout: 0.1 },
  training: { max_steps: 8, per_device_train_batch_size: 4, learning_rate: 0.01, warmup_ratio: 0 },
  evaluation: { eval_steps: 3 },
};
const GREEDY = { maxNewTokens: 8, doSample: false, temperature: 1, topP: 1, seed: 1 };

const resumableRuns = async (database: Database) =>
  (await new HistoryHost(Promise.resolve(database)).runs()).filter(
    ({ resumableStep }) => resumableStep !== null,
  );

type OnEvent = (event: TrainerWorkerEvent, host: TestHost) => void;

async function train(
  host: TestHost,
  onEvent: OnEvent = () => undefined,
  more: Partial<RunRequest> = {},
  recipe = RECIPE,
): Promise<{ outcome: RunOutcome; events: TrainerWorkerEvent[] }> {
  const { request, close } = requestOf(host.modelId, recipe, more);
  const events: TrainerWorkerEvent[] = [];
  try {
    const outcome = await host.host.run(request, (event) => {
      events.push(event);
      onEvent(event, host);
    });
    return { outcome, events };
  } finally {
    close();
  }
}

const adapterOf = ({ adapter }: Pick<RunOutcome, 'adapter'>) => adapter.get('adapter_model.safetensors')!;
/** Lines without what a clock measures. */
const curveOf = ({ metricsJsonl }: RunOutcome) =>
  metricsJsonl
    .trim()
    .split('\n')
    .map((line) => ({ ...(JSON.parse(line) as Record<string, number>), tokens_per_second: 0 }));

/** A database whose every write to some stores finds the disk full. */
function fullDisk(stores: string[], isFull: () => boolean): (database: Database) => Database {
  const full = () => Promise.reject(new DOMException('no room', 'QuotaExceededError'));
  return (database) =>
    new Proxy(database, {
      get(target, key: keyof Database) {
        if (key === 'put')
          return (store: string, ...rest: unknown[]) =>
            stores.includes(store) && isFull()
              ? full()
              : (target.put as (...all: unknown[]) => unknown)(store, ...rest);
        if (key === 'transaction') {
          return (names: string | string[], ...rest: unknown[]) => {
            if ([names].flat().some((name) => stores.includes(name)) && rest[0] === 'readwrite' && isFull())
              throw new DOMException('no room', 'QuotaExceededError');
            return (target.transaction as (...all: unknown[]) => unknown)(names, ...rest);
          };
        }
        const value = Reflect.get(target, key) as unknown;
        return typeof value === 'function' ? (value as (...all: unknown[]) => unknown).bind(target) : value;
      },
    });
}

let undisturbed: Promise<RunOutcome> | undefined;
/** The run as it goes when nothing happens. */
const expected = () => (undisturbed ??= openTestHost().then(async (host) => (await train(host)).outcome));

describe.skipIf(!gpu)('a run', { timeout: 300_000 }, () => {
  it('gives its outcome when all its events have been taken, however late', async () => {
    const { host, modelId } = await openTestHost();
    const { request, close } = requestOf(modelId, RECIPE);
    const [sent, taken]: string[][] = [[], []];
    // As over a port of its own: in order, each a while after it was sent.
    let port = Promise.resolve();
    const later = (event: TrainerWorkerEvent): void =>
      (port = port.then(async () => {
        await new Promise((resolve) => setTimeout(resolve, 5));
        taken.push(event.type);
      })) as unknown as void;
    await host.run(request, (event) => {
      sent.push(event.type);
      return later(event);
    });
    close();
    expect(taken).toEqual(sent);
    expect(sent).toContain('evaluated');
  });

  it('that a closed tab cut off goes on in a new one to the same curve and the same bytes', async () => {
    const first = await openTestHost();
    // The tab is gone at step 5: nothing more of it reaches the database.
    let gone = false;
    const cut = train(
      {
        ...first,
        host: (
          await openTestHost(
            first.databaseName,
            fullDisk(['runs', 'parts', 'checkpoints', 'evaluations'], () => gone),
          )
        ).host,
      },
      (event) => {
        if (event.type === 'progress' && event.step === 5) gone = true;
      },
    );
    await cut;
    const second = await openTestHost(first.databaseName);
    const [open] = await resumableRuns(second.database);
    expect(open).toMatchObject({
      resumableStep: 3,
      totalSteps: 8,
      modelName: 'tiny',
      trainFile: 'train.jsonl',
    });
    expect(await new HistoryHost(Promise.resolve(second.database)).runs()).toMatchObject([
      { state: 'running', live: false, resumableStep: 3, step: 3 },
    ]);
    const { outcome, events } = await train(second, undefined, { resumeRunId: open.id });
    expect(events.find(({ type }) => type === 'restored')).toMatchObject({ step: 3 });
    expect(curveOf(outcome)).toEqual(curveOf(await expected()));
    expect(adapterOf(outcome)).toEqual(adapterOf(await expected()));
    expect(outcome.runId).toBe(open.id);
    expect(await resumableRuns(second.database)).toEqual([]);
  });

  it('keeps its kernels over a reload, whatever the address asks for then', async () => {
    const first = await openTestHost();
    const { outcome, events } = await train(first, ({ type }, { host }) => {
      if (type === 'progress') void host.stop();
    });
    const decided = events.filter((event) => event.type === 'kernels').map(({ kernels }) => kernels);
    if (gpu!.levels.length === 1) expect(decided).toEqual([{ level: 'plain', basis: 'only' }]);
    expect(decided).toHaveLength(1);
    // As an earlier version stored it.
    const kept = { level: 'plain', choices: { 'a product': 'a config' }, measured: 1, of: 2 };
    const read = { level: 'plain' as const, basis: 'measured' as const, ignoredChoices: 1 };
    expect((await findRun(first.database, outcome.runId))!.kernels).toEqual(decided[0]);
    await updateRun(first.database, outcome.runId, { kernels: kept });
    const second = await openTestHost(first.databaseName);
    const again = await train(second, undefined, {
      resumeRunId: outcome.runId,
      kernels: { tune: false, level: 'auto' },
    });
    expect(again.events.filter(({ type }) => type === 'kernels')).toEqual([
      { type: 'kernels', kernels: read },
    ]);
    expect(again.outcome.report).toContain('an earlier version chose shape by shape (1)');
    expect((await findRun(first.database, outcome.runId))!.kernels).toEqual(read);
    expect(adapterOf(again.outcome)).toEqual(adapterOf(await expected()));

    // Another tab has the adapter answer by the same kernels; by the device's own where its adapter lacks
    // that level.
    const third = await openTestHost(first.databaseName);
    const made = vi.spyOn(WebGpuEngine, 'create');
    const losses = await third.host.tokenLosses(outcome.runId, [256, 258, 65], 1);
    await updateRun(first.database, outcome.runId, { kernels: { ...kept, level: 'matrix' } });
    const fourth = await openTestHost(first.databaseName);
    if (!gpu!.levels.includes('matrix'))
      expect(await fourth.host.tokenLosses(outcome.runId, [256, 258, 65], 1)).toEqual(losses);
    expect(made.mock.calls.map(([, { level }]) => level)).toEqual(
      gpu!.levels.includes('matrix') ? ['plain'] : ['plain', 'plain'],
    );
    made.mockRestore();
  });

  it.skipIf(gpu?.levels.includes('f16'))(
    'that asks for a level which the adapter has not is not begun, and says which there are',
    async () => {
      const host = await openTestHost();
      const asked = { kernels: { tune: true, level: 'f16' as const } };
      await expect(train(host, undefined, asked)).rejects.toThrow(
        /has no kernels of level f16 in this browser, only plain\. Take level=f16 out/,
      );
    },
  );

  it('that loses its device takes a new one by itself and ends with the same bytes, also where it is lost twice and in an evaluation', async () => {
    const host = await openTestHost();
    const { outcome, events } = await train(host, (event, { devices }) => {
      if (devices.length === 1 && event.type === 'progress' && event.step === 4) devices[0].device.destroy();
      if (devices.length === 2 && event.type === 'evaluating' && event.step === 6)
        devices[1].device.destroy();
    });
    expect(host.devices.length).toBe(3);
    expect(events.filter(({ type }) => type === 'deviceLost')).toMatchObject([{ step: 3 }, { step: 3 }]);
    expect(events.filter(({ type }) => type === 'evaluationFailed')).toEqual([]);
    expect(curveOf(outcome)).toEqual(curveOf(await expected()));
    expect(adapterOf(outcome)).toEqual(adapterOf(await expected()));
  });

  it('whose device is lost over and over stops at its last checkpoint and can be resumed', async () => {
    const host = await openTestHost();
    const cut = train(host, (event, { devices }) => {
      if (event.type === 'progress' && event.step === 4) devices.at(-1)!.device.destroy();
    });
    await expect(cut).rejects.toThrow(
      /The GPU was lost 3 times at the same place; the run is kept at step 3\. Restart the browser/,
    );
    const [{ id: runId, resumableStep }] = await resumableRuns(host.database);
    expect(resumableStep).toBe(3);
    const { outcome } = await train(host, undefined, { resumeRunId: runId });
    expect(adapterOf(outcome)).toEqual(adapterOf(await expected()));
  });

  it('on a full disk goes on to its end, says so, and hands out the same adapter; a lost device is no harm either', async () => {
    const host = await openTestHost(
      undefined,
      fullDisk(['runs', 'parts', 'checkpoints', 'evaluations'], () => true),
    );
    const { outcome, events } = await train(host, (event, { devices }) => {
      if (devices.length === 1 && event.type === 'progress' && event.step === 4) devices[0].device.destroy();
    });
    expect(events.find(({ type }) => type === 'checkpointFailed')).toMatchObject({
      step: 0,
      message:
        "The browser's storage is full. Delete a stored model or a run, or free disk space; training goes on and the last checkpoint that fitted is kept.",
    });
    expect(events.find(({ type }) => type === 'deviceLost')).toMatchObject({ step: 3 });
    expect(outcome.notKept).toMatch(/storage is full.*the adapter can still be downloaded here/);
    expect(adapterOf(outcome)).toEqual(adapterOf(await expected()));
    const [{ text }] = await host.host.chat(
      {
        runId: outcome.runId,
        conversations: [{ messages: [{ role: 'user', content: 'A' }], adapterScale: 1 }],
        sampling: GREEDY,
      },
      () => undefined,
    );
    expect(typeof text).toBe('string');
  });

  it('whose numbers diverge keeps the last good adapter and is not offered to go on', async () => {
    const host = await openTestHost();
    const { outcome } = await train(
      host,
      undefined,
      {},
      { ...RECIPE, training: { ...RECIPE.training, learning_rate: 1e18, max_grad_norm: 0 } },
    );
    expect(outcome).toMatchObject({ reason: 'diverged' });
    expect(outcome.message).toMatch(/became NaN or infinite at step \d/);
    const [run] = await new HistoryHost(Promise.resolve(host.database)).runs();
    expect(run).toMatchObject({
      state: 'diverged',
      message: outcome.message,
      resumableStep: null,
      adapterStep: outcome.steps,
    });
    for (const { values } of Object.values(readIndependently(adapterOf(outcome))))
      expect(values.every(Number.isFinite)).toBe(true);
    expect(await resumableRuns(host.database)).toEqual([]);
  });
});

describe.skipIf(!gpu)('a kept run', { timeout: 300_000 }, () => {
  it('answers, scores and is downloaded after a reload as before it, without training', async () => {
    const before = await openTestHost();
    const longer = {
      ...RECIPE,
      system_prompt: null,
      training: { ...RECIPE.training, max_steps: 40, learning_rate: 0.03 },
      evaluation: { eval_steps: 20 },
    };
    const { outcome } = await train(before, undefined, {}, longer);
    const { runId } = outcome;
    const ask = async ({ host }: TestHost) => {
      const texts: string[][] = [[], []];
      const messages = [{ role: 'user' as const, content: 'AB' }];
      const replies = await host.chat(
        {
          runId,
          conversations: [0, 1].map((adapterScale) => ({ messages, adapterScale })),
          sampling: GREEDY,
        },
        (i, text) => texts[i].push(text),
      );
      // What streams holds back characters that are not whole yet.
      replies.forEach(({ text, tokens }, i) => {
        expect(texts[i].length).toBe(tokens);
        for (const part of texts[i]) expect(text.startsWith(part.trimEnd())).toBe(true);
      });
      const pairs: unknown[] = [];
      await host.answerPairs(
        { runId, against: null },
        [
          [256, 258, 65, 66, 259],
          [256, 258, 66, 67, 259],
        ],
        GREEDY,
        (index, base, tuned) => pairs.push({ index, base, tuned }),
      );
      const earlier = { runId, step: 20 };
      const [atStep] = await host.chat(
        { ...earlier, conversations: [{ messages, adapterScale: 1 }], sampling: GREEDY },
        () => undefined,
      );
      const against: unknown[] = [];
      await host.answerPairs(
        { runId, against: earlier },
        [[256, 258, 65, 66, 259]],
        GREEDY,
        (_index, other, tuned) => against.push({ other, tuned }),
      );
      expect(against).toEqual([{ other: atStep.text, tuned: 'hi' }]);
      expect(atStep.text).not.toBe(replies[0].text);
      return {
        replies,
        pairs,
        losses: await host.tokenLosses(runId, [256, 258, 65, 66, 259, 104, 105, 257], 1),
      };
    };
    const answers = await ask(before);
    // The run taught it to answer "hi".
    expect(answers.replies[1]).toEqual({ text: 'hi', tokens: 3, ended: 'end' });
    expect(answers.replies[0].text).not.toBe('hi');
    expect(answers.pairs).toMatchObject([
      { index: 0, tuned: 'hi' },
      { index: 1, tuned: 'hi' },
    ]);
    const { base, tuned } = answers.losses;
    expect([base[0], tuned[0]]).toEqual([NaN, NaN]);
    for (const i of [5, 6, 7]) expect(tuned[i]).toBeLessThan(base[i] - 1);

    const after = await openTestHost(before.databaseName);
    expect(await ask(after)).toEqual(answers);
    const history = new HistoryHost(Promise.resolve(after.database));
    expect(await history.runs()).toMatchObject([
      {
        id: runId,
        state: 'finished',
        adapterStep: 40,
        live: false,
        resumableStep: null,
        losses: { training: {}, other: {} },
      },
    ]);
    expect(await history.adapterFolder(runId)).toEqual(outcome.adapter);
    const { lines, evaluations } = await history.details(runId);
    expect(lines.map((line) => `${JSON.stringify(line)}\n`).join('')).toBe(outcome.metricsJsonl);
    expect(evaluations.map(({ name, step }) => [name, step])).toEqual(
      [0, 20, 40].map((step) => ['other', step]),
    );
    await history.annotate(runId, { name: ' first ' });
    await history.annotate(runId, { notes: 'worked' });
    await history.putVotes(runId, { name: 'other', seed: 1, sampling: GREEDY, pairs: [] });
    const zip = unzipSync(await history.exportZip(runId));
    expect(Object.keys(zip)).toEqual(
      expect.arrayContaining([
        'adapter/adapter_model.safetensors',
        'metrics.jsonl',
        'recipe.json',
        'report.md',
        'votes.json',
        'notes.txt',
      ]),
    );
    expect(zip['adapter/adapter_model.safetensors']).toEqual(adapterOf(outcome));
    expect((await history.runs())[0]).toMatchObject({ name: 'first', notes: 'worked' });
    const endless = { ...GREEDY, maxNewTokens: 1000 };
    const tooLong = after.host.chat(
      {
        runId,
        conversations: [{ messages: [{ role: 'user', content: 'AB' }], adapterScale: 1 }],
        sampling: endless,
      },
      () => undefined,
    );
    await expect(tooLong).rejects.toThrow(
      /come to 1005 tokens; this model knows 256 positions\. Start a new conversation/,
    );
    // A device that is lost while it answers is replaced.
    after.devices.at(-1)!.device.destroy();
    expect(await ask(after)).toEqual(answers);
    await history.remove(runId);
    await expect(
      (await openTestHost(before.databaseName)).host.openResult(runId, () => undefined),
    ).rejects.toThrow(/not kept in this browser any more/);
  });

  it('starts another run from its adapter, as does its folder dropped from outside', async () => {
    const host = await openTestHost();
    const { outcome } = await train(host);
    const history = new HistoryHost(Promise.resolve(host.database));
    const own = await history.startFromRun(outcome.runId, host.modelId);
    const files = [...outcome.adapter].map(([name, bytes]) => ({
      path: `my-adapter/${name}`,
      blob: new Blob([bytes as Uint8Array<ArrayBuffer>]),
    }));
    const dropped = await history.startFromFiles(files, host.modelId);
    expect(dropped).toEqual({ ...own, name: 'my-adapter' });
    expect(own.lora).toMatchObject({ r: 4, lora_alpha: 8, target_modules: 'all-linear' });
    const { outcome: more } = await train(host, undefined, { startFrom: dropped });
    const start = curveOf(more)[0] as Record<string, number>;
    const end = curveOf(outcome).at(-1) as Record<string, number>;
    expect(start.eval_other_loss).toBe(end.eval_other_loss);
    expect(await history.runs()).toMatchObject([{ startedFrom: 'my-adapter' }, { startedFrom: null }]);
    expect(await latestCheckpointStep(host.database, more.runId)).toBeNull();
  });
});
