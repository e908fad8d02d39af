/** An import's second thread: shares the tensors, and is not missed where it cannot be had or ends. */
import 'fake-indexeddb/auto';
import { expose } from 'comlink';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { openDatabase } from '../../src/storage/openDatabase.ts';
import { openModel } from '../../src/storage/storedWeights.ts';
import { importModel } from '../../src/import/importModel.ts';
import { laneHere, type TensorLane } from '../../src/import/tensorLane.ts';
import { withTensorThread } from '../../src/worker/import/tensorWorker.ts';
import { tinyModelFiles } from '../helpers/tinyModel.ts';

let count = 0;
/** Which tensors each thread stored. */
let [here, beside]: string[][] = [[], []];
let terminated = 0;

/** A worker in this thread. @param store what it does; null: it fails to load */
function stubWorker(store: TensorLane | null, endsAfter = Infinity): void {
  class FakeWorker extends EventTarget {
    private readonly channel = new MessageChannel();
    constructor() {
      super();
      const { port1, port2 } = this.channel;
      port1.onmessage = ({ data }: MessageEvent) => this.dispatchEvent(new MessageEvent('message', { data }));
      const end = () => this.dispatchEvent(new Event('error', { cancelable: true }));
      if (!store) setTimeout(end);
      const counted: TensorLane = async (...tensor) => {
        if (beside.length === endsAfter) {
          end();
          return new Promise(() => undefined);
        }
        beside.push(tensor[2].name);
        return store!(...tensor);
      };
      if (store) expose({ store: counted }, port2);
    }
    postMessage(message: unknown, transfer: Transferable[] = []) {
      this.channel.port1.postMessage(message, transfer);
    }
    terminate() {
      terminated++;
      this.channel.port1.close();
    }
  }
  vi.stubGlobal('Worker', FakeWorker);
  vi.stubGlobal('navigator', { hardwareConcurrency: 2 });
}

async function imported() {
  [here, beside] = [[], []];
  terminated = 0;
  const database = await openDatabase(`threads ${count++}`);
  const lane = laneHere(database);
  const counted: TensorLane = (...tensor) => {
    here.push(tensor[2].name);
    return lane(...tensor);
  };
  let done = 0;
  let total = 0;
  const onProgress = (bytes: number, all: number) => ([done, total] = [bytes, all]);
  const work = (lanes: readonly TensorLane[]) =>
    importModel({
      files: tinyModelFiles(),
      name: 'tiny',
      quantization: 'nf4',
      database,
      lanes,
      checkRoom: async () => undefined,
      onProgress,
    });
  return {
    database,
    lane,
    run: async () => ({ manifest: await withTensorThread(counted, work), done: () => [done, total] }),
  };
}

async function bytesOf(
  database: Awaited<ReturnType<typeof imported>>['database'],
  id: string,
): Promise<Record<string, number[]>> {
  const { weights } = await openModel(database, id);
  const all: Record<string, number[]> = {};
  for (const name of weights.tensors.keys())
    for await (const { part, bytes } of weights.stream(name)) (all[`${name} ${part}`] ??= []).push(...bytes);
  return all;
}

afterEach(() => {
  vi.unstubAllGlobals();
});

describe('an import with a second thread', () => {
  it('shares the tensors, stores what one thread stores, and ends the thread', async () => {
    const alone = await imported();
    const expected = await bytesOf(alone.database, (await alone.run()).manifest.id);
    expect(terminated).toBe(0);
    const shared = await imported();
    stubWorker(shared.lane);
    const { manifest, done } = await shared.run();
    expect(here.length).toBeGreaterThan(0);
    expect(beside.length).toBeGreaterThan(0);
    expect([...here, ...beside].sort()).toEqual(manifest.tensors.map(({ name }) => name).sort());
    expect(await bytesOf(shared.database, manifest.id)).toEqual(expected);
    expect(terminated).toBe(1);
    await vi.waitFor(() => {
      const [bytes, total] = done();
      expect(bytes).toBe(total);
    });
  });

  it.each([
    ['cannot be loaded', 0],
    ['ends after two tensors', 2],
  ])('does without where it %s', async (_, endsAfter) => {
    const alone = await imported();
    const expected = await bytesOf(alone.database, (await alone.run()).manifest.id);
    const broken = await imported();
    stubWorker(endsAfter === 0 ? null : broken.lane, endsAfter);
    const { manifest } = await broken.run();
    expect(beside.length).toBe(endsAfter);
    expect(manifest.complete).toBe(true);
    expect(here.length + beside.length).toBe(manifest.tensors.length);
    expect(await bytesOf(broken.database, manifest.id)).toEqual(expected);
  });

  it('says what is wrong with a tensor whichever thread finds it', async () => {
    const failing = await imported();
    stubWorker(() => Promise.reject(new Error('model.safetensors: tensor x holds NaN')));
    await expect(failing.run()).rejects.toThrow('model.safetensors: tensor x holds NaN');
    expect(terminated).toBe(1);
  });
});
