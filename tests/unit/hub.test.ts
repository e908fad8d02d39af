import 'fake-indexeddb/auto';
import { afterEach, describe, expect, it } from 'vitest';
import { openDatabase } from '../../src/storage/database.ts';
import { isHubId } from '../../src/lib/hubId.ts';
import { fromHub, openHubModel } from '../../src/storage/hub.ts';
import { listModels, openModel } from '../../src/storage/models.ts';
import { importModel } from '../../src/import/importModel.ts';
import { fakeHub, type FakeHub } from '../helpers/fakeHub.ts';
import { TINY_CONFIG, tinyModelFiles } from '../helpers/tinyModel.ts';

const ID = 'someone/tiny-model';
/** Large enough that its weights are fetched by ranges, not whole. */
const CONFIG = { ...TINY_CONFIG, hidden_size: 240, head_dim: 80, intermediate_size: 400 };

let hub: FakeHub | undefined;
let count = 0;
afterEach(async () => {
  await hub?.close();
  hub = undefined;
});

async function bring(access: { token?: string } = {}, name = `hub ${count++}`) {
  const database = await openDatabase(name);
  const { files, revision } = await openHubModel(ID, { endpoint: hub!.url, ...access });
  const manifest = await fromHub(ID, () =>
    importModel({
      files,
      name: ID,
      revision,
      quantization: 'nf4',
      database,
      checkRoom: async () => undefined,
    }),
  );
  return { database, manifest };
}

async function bytesOf({ database, manifest }: Awaited<ReturnType<typeof bring>>) {
  const { weights } = await openModel(database, manifest.id);
  const all: string[] = [];
  for (const name of weights.tensors.keys())
    for await (const { part, bytes } of weights.stream(name))
      all.push(`${name} ${part} ${Buffer.from(bytes).toString('base64')}`);
  return all;
}

describe('a model from the Hub', () => {
  it('is stored as the same files dropped are, read by ranges, with its commit', async () => {
    const files = tinyModelFiles({ 'README.md': 'a card', 'pytorch_model.bin': 'pickle' }, CONFIG);
    hub = await fakeHub(ID, files);
    const made = await bring();
    expect(made.manifest).toMatchObject({ name: ID, revision: 'f'.repeat(40), complete: true });
    expect(made.manifest.files[0].sha256).toMatch(/^[0-9a-f]{64}$/);
    const database = await openDatabase('dropped');
    const dropped = await importModel({
      files,
      name: 'tiny',
      quantization: 'nf4',
      database,
      checkRoom: async () => undefined,
    });
    expect(await bytesOf(made)).toEqual(await bytesOf({ database, manifest: dropped }));
    expect(hub.requests.filter((request) => /README|pytorch_model/.test(request))).toEqual([]);
    const weights = hub.requests.filter((request) => request.includes('model.safetensors'));
    expect(weights.every((request) => request.includes('bytes='))).toBe(true);
  });

  it('goes on where the connection broke', { timeout: 60_000 }, async () => {
    hub = await fakeHub(ID, tinyModelFiles({}, CONFIG));
    hub.breakAfter = 6;
    const name = `hub ${count++}`;
    await expect(bring({}, name)).rejects.toThrow(
      /connection to the Hub broke while someone\/tiny-model was read.*it goes on where it stopped/,
    );
    expect(await listModels(await openDatabase(name))).toMatchObject([{ complete: false }]);
    hub.breakAfter = -1;
    const made = await bring({}, name);
    expect(made.manifest.complete).toBe(true);
    expect(await listModels(made.database)).toHaveLength(1);
  });

  it('asks for a token where the model is gated, and sends the one it is given', async () => {
    hub = await fakeHub(ID, tinyModelFiles(), 'hf_secret');
    await expect(bring()).rejects.toThrow(
      /does not give someone\/tiny-model without permission.*Accept its licence.*access token/,
    );
    await expect(bring({ token: 'secret' })).rejects.toThrow(/begins with "hf_"/);
    expect((await bring({ token: 'hf_secret' })).manifest.complete).toBe(true);
  });

  it('says that there is no such model, and what a name looks like', async () => {
    hub = await fakeHub('someone/else', tinyModelFiles());
    await expect(bring()).rejects.toThrow(/no model someone\/tiny-model on the Hub. Check the spelling/);
    await expect(openHubModel('tiny', { endpoint: hub.url })).rejects.toThrow(
      /"tiny" is not the name of a model on the Hub. Write owner\/name/,
    );
    expect(['a/b', 'HuggingFaceTB/SmolLM2-135M-Instruct'].every(isHubId)).toBe(true);
    expect(['demo', 'folder:a/b', '../a/b', '', 'a/b/c'].some(isHubId)).toBe(false);
  });
});
