/**
 * A run in progress as a file: another computer goes on with it to the same bytes, and says when it is
 * another.
 */
import 'fake-indexeddb/auto';
import { strFromU8, strToU8, unzipSync, zipSync } from 'fflate';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { readRunFile, writeRunFile } from '../../src/export/runFile.ts';
import { importModel } from '../../src/import/importModel.ts';
import { sha256Hex } from '../../src/lib/sha256.ts';
import { type Database, type ModelManifest } from '../../src/storage/database.ts';
import { openDatabase } from '../../src/storage/openDatabase.ts';
import { HistoryHost } from '../../src/worker/history/historyHost.ts';
import { bytesOf, session } from '../helpers/arithmeticRun.ts';
import { Counter } from '../helpers/faults.ts';
import { tinyModelFiles } from '../helpers/tinyModel.ts';

vi.stubGlobal('navigator', { userAgent: 'Node' });

const bytesFor = (bytes: Uint8Array) => bytes as Uint8Array<ArrayBuffer>;
let count = 0;
let manifest: ModelManifest;
let file: Blob;
let runId: string;
let expected: string;

/** Another computer, with the model under an id of its own where that is given. */
async function computer(id = manifest.id): Promise<{ database: Database; history: HistoryHost }> {
  const database = await openDatabase(`run file ${count++}`);
  await database.put('models', { ...manifest, id });
  return { database, history: new HistoryHost(Promise.resolve(database)) };
}

const changed = (name: string, change: (bytes: Uint8Array) => Uint8Array) => async () => {
  const files = unzipSync(new Uint8Array(await file.arrayBuffer()));
  return new Blob([zipSync({ ...files, [name]: change(files[name].slice()) })]);
};

/** What somebody writes by hand: a changed file with the checksum that fits it. */
const forged = (name: string, change: (text: string) => string) => async () => {
  const files = unzipSync(new Uint8Array(await file.arrayBuffer()));
  files[name] = strToU8(change(strFromU8(files[name], true)), true);
  const sums = JSON.parse(strFromU8(files['checksums.json'])) as Record<string, string>;
  sums[name] = await sha256Hex(files[name]);
  return new Blob([zipSync({ ...files, 'checksums.json': strToU8(JSON.stringify(sums)) })]);
};

/** A field of run.json becomes another value; undefined takes it out. */
const field = (path: string, value: unknown) =>
  forged('run.json', (text) => {
    const whole = JSON.parse(text) as Record<string, unknown>;
    const keys = path.split('.');
    const last = keys.pop()!;
    const inner = keys.reduce((at, key) => at[key] as Record<string, unknown>, whole);
    inner[last] = value;
    return JSON.stringify(whole);
  });

const withoutTensor = (group: string) =>
  forged('checkpoint.safetensors', (text) => text.replaceAll(`"${group}/`, `"${'x'.repeat(group.length)}/`));

beforeAll(async () => {
  manifest = await importModel({
    files: tinyModelFiles(),
    name: 'tiny',
    quantization: 'nf4',
    database: await openDatabase('run file model'),
    checkRoom: async () => undefined,
  });
  const first = await computer();
  const calls = new Counter();
  expected = bytesOf((await session(manifest.id, first.database, calls, 'device lost'))!);
  const cut = await computer();
  await session(manifest.id, cut.database, new Counter(Math.round(0.85 * calls.count)), 'killed');
  const [run] = await cut.history.runs();
  expect(run.resumableStep).toBe(4);
  runId = run.id;
  file = new Blob([(await cut.history.exportRunFile(runId)) as Uint8Array<ArrayBuffer>]);
});

describe('a run in progress as a file', () => {
  it('goes on elsewhere to the same bytes, also where the model has another id there', async () => {
    for (const id of [undefined, 'other']) {
      const { database, history } = await computer(id);
      expect(await history.importRunFile(file)).toBe(runId);
      const [run] = await history.runs();
      expect(run).toMatchObject({ resumableStep: 4, totalSteps: 6, modelId: id ?? manifest.id });
      expect((await history.details(runId)).lines.length).toBeGreaterThan(4);
      expect((await history.details(runId)).evaluations.map(({ step }) => step)).toEqual([0, 2, 4]);
      const outcome = await session(run.modelId, database, new Counter(), 'none', runId);
      expect(bytesOf(outcome!)).toBe(expected);
      await expect(history.importRunFile(file)).rejects.toThrow(/kept here already: resume it, or delete/);
      await expect(history.exportRunFile(runId)).rejects.toThrow(/no checkpoint/);
    }
  });

  it('holds all of a checkpoint, answers that further steps of grpo are made with as well', async () => {
    const read = await readRunFile(file);
    const sampled = {
      number: 2,
      rows: [7, 7, 3, 3],
      ids: [[5, 1], [6, 9, 1], [4], [8, 1]],
      advantages: [0.5, -0.5, 0, 1 / 3],
      old: [[Math.fround(-0.1), -1e-7], [-2.5, 0, -3], [-0.25], [-1, -2]],
      figures: { reward: 0.25, 'rewards/exact_match/mean': 0.5 },
    };
    const checkpoint = { ...read.checkpoint, sampled };
    const again = await readRunFile(new Blob([bytesFor(await writeRunFile({ ...read, checkpoint }))]));
    expect(again.checkpoint).toEqual(checkpoint);
    const more = { ...checkpoint, more: 1 };
    const newer = await writeRunFile({ ...read, checkpoint: more });
    await expect(readRunFile(new Blob([bytesFor(newer)]))).rejects.toThrow(/description is of another form/);
  });

  it('says that the adapter is another, and goes on there when asked a second time', async () => {
    const { database, history } = await computer();
    await history.importRunFile(file);
    const elsewhere = { device: 'another GPU' };
    await expect(
      session(manifest.id, database, new Counter(), 'none', runId, elsewhere),
    ).rejects.toMatchObject({
      name: 'NeedsConsentError',
      message: expect.stringMatching(
        /trained on arithmetic; this is another GPU.*bytes will be others.*press Resume once more/,
      ) as string,
    });
    const asked = { ...elsewhere, consents: true };
    expect(await session(manifest.id, database, new Counter(), 'none', runId, asked)).not.toBeNull();
  });

  it.each([
    [
      'a changed number',
      changed('checkpoint.safetensors', (bytes) => ((bytes[bytes.length - 2] ^= 1), bytes)),
    ],
    ['a changed record', changed('run.json', (bytes) => ((bytes[40] ^= 1), bytes))],
    ['no checksums', changed('checksums.json', () => new TextEncoder().encode('null'))],
    ['half of it', async () => file.slice(0, file.size >> 1)],
    ['something else', async () => new Blob(['PK nothing'])],
    ['another zip', async () => new Blob([zipSync({ 'a.txt': new Uint8Array(3) })])],
    ['a record that is no JSON', forged('run.json', () => '{')],
    ['a date that is none', field('run.startedAt', 'yesterday')],
    ['no losses', field('run.losses', undefined)],
    ['losses that are words', field('run.losses', { training: { start: 'a', best: 1, end: 1 } })],
    ['a tag that is none', field('run.tags', [{}])],
    ['a line of words', field('checkpoint.lines', [{ step: 1, epoch: 1, loss: 'small' }])],
    ['a line of no step', field('checkpoint.lines', [{ loss: 1 }])],
    ['seconds below zero', field('checkpoint.seconds', -1)],
    [
      'answers that are none',
      forged('evaluations.json', (text) => text.replaceAll('"metrics":{', '"metrics":[{')),
    ],
    ['evaluations that are no JSON', forged('evaluations.json', () => 'x')],
    ['no first moments', withoutTensor('exp_avg')],
    ['no adapter', withoutTensor('adapter')],
  ])('with %s is refused, and nothing of it is kept', async (_what, make) => {
    const { database, history } = await computer();
    await expect(history.importRunFile(await make())).rejects.toMatchObject({
      name: 'UserError',
      message: expect.stringMatching(
        /damaged|no file of a run in progress|lacks its adapter, its optimiser/,
      ) as string,
    });
    for (const store of ['runs', 'checkpoints', 'evaluations'] as const)
      expect(await database.count(store)).toBe(0);
  });

  it('of a few bytes that claims to be gigabytes takes no room', async () => {
    const zip = zipSync({ 'run.json': strToU8('{}') });
    const at = zip.length - 22 - (46 + 'run.json'.length);
    new DataView(zip.buffer).setUint32(at + 24, 3e9, true);
    const before = process.memoryUsage().arrayBuffers;
    await expect(readRunFile(new Blob([zip]))).rejects.toThrow(/run\.json is missing/);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 24);
  });
});
