import 'fake-indexeddb/auto';
import { beforeEach, describe, expect, it } from 'vitest';
import { openCheckpoint, type NamedFile } from '../../src/formats/checkpoint.ts';
import { licenceOfCard } from '../../src/formats/sourceCheckpoint.ts';
import { writeSafetensors } from '../../src/formats/safetensors.ts';
import { type Database } from '../../src/storage/database.ts';
import { openDatabase } from '../../src/storage/openDatabase.ts';
import { deleteModel, findModel, listModels } from '../../src/storage/models.ts';
import { damagedTensors, openModel } from '../../src/storage/storedWeights.ts';
import { importModel } from '../../src/import/importModel.ts';
import { laneHere } from '../../src/import/tensorLane.ts';
import { memoryWeightSource } from '../../src/import/weightSources.ts';
import { READ_BYTES } from '../../src/import/tensorPieces.ts';
import { modelOf } from '../../src/model/families/registry.ts';
import { TINY_CONFIG, tinyModelFiles, tinyWeights } from '../helpers/tinyModel.ts';

let database: Database;
let count = 0;
beforeEach(async () => {
  database = await openDatabase(`test ${count++}`);
});

const bring = (files: NamedFile[], more: Partial<Parameters<typeof importModel>[0]> = {}) =>
  importModel({
    files,
    name: 'tiny',
    quantization: 'nf4',
    database,
    checkRoom: async () => undefined,
    ...more,
  });

async function chunks(source: {
  stream(name: string): AsyncIterable<{ part: string; bytes: Uint8Array }>;
  tensors: ReadonlyMap<string, unknown>;
}) {
  const all: Record<string, number[]> = {};
  for (const name of source.tensors.keys())
    for await (const { part, bytes } of source.stream(name)) (all[`${name} ${part}`] ??= []).push(...bytes);
  return all;
}

describe('importing a model', () => {
  it('stores NF4 linears and the rest as it was, readable without the files', async () => {
    const files = tinyModelFiles();
    const manifest = await bring(files);
    expect(manifest.complete).toBe(true);
    const { weights } = await openModel(database, manifest.id);
    expect(weights.tensors.get('model.layers.0.mlp.up_proj.weight')!.kind).toBe('nf4');
    expect(weights.tensors.get('model.embed_tokens.weight')!.kind).toBe('f32');
    const direct = memoryWeightSource(await openCheckpoint(files), modelOf(TINY_CONFIG).tensors, 'nf4');
    expect(await chunks(weights)).toEqual(await chunks(direct));
    expect(await listModels(database)).toMatchObject([{ name: 'tiny', complete: true, modelType: 'llama' }]);
  });

  it.each([
    ['license: mit', 'mit'],
    ['language: en\r\nlicense: "apache-2.0" # the text is in LICENSE\r', 'apache-2.0'],
    ['license: other\nlicense_name: lfm1.0\nlicense_link: LICENSE', 'lfm1.0'],
    ['license:\n- gemma\n- mit', 'gemma'],
    ['license: [cc-by-4.0]', 'cc-by-4.0'],
    ['license:\nlanguage: en', null],
    ['tags: [license:mit]', null],
  ])('reads the licence of a card: %j', async (settings, licence) => {
    expect(await licenceOfCard(new Blob([`---\n${settings}\n---\n# A model\nlicense: none`]))).toBe(licence);
  });

  it('keeps the licence that the card names, also where the card comes later', async () => {
    const licences = async () => (await listModels(database)).map(({ licence }) => licence);
    const files = tinyModelFiles();
    await bring(files);
    expect(await licences()).toEqual([null]);
    await bring([...files, { path: 'README.md', blob: new Blob(['---\nlicense: mit\n---\n']) }]);
    expect(await licences()).toEqual(['mit']);
  });

  it('gives the same bytes from shards with an index', async () => {
    const weights = [...tinyWeights()];
    const part = (from: number, to: number) => writeSafetensors(new Map(weights.slice(from, to)));
    const names = ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors'];
    const index = JSON.stringify({
      weight_map: Object.fromEntries(weights.map(([name], i) => [name, names[i < 7 ? 0 : 1]])),
    });
    const sharded = tinyModelFiles({
      'model.safetensors': null,
      [names[0]]: part(0, 7),
      [names[1]]: part(7, weights.length),
      'model.safetensors.index.json': index,
    });
    const [a, b] = [await bring(tinyModelFiles()), await bring(sharded)];
    expect(b.id).not.toBe(a.id);
    expect(await chunks((await openModel(database, b.id)).weights)).toEqual(
      await chunks((await openModel(database, a.id)).weights),
    );
    await expect(bring(sharded.filter(({ path }) => path !== names[1]))).rejects.toThrow(
      /model-00002-of-00002.safetensors is missing: model.safetensors.index.json names it/,
    );
  });

  it('never has more of the files in memory than a few reads, and stores pieces no larger', async () => {
    const config = {
      ...TINY_CONFIG,
      vocab_size: 60_000,
      hidden_size: 64,
      intermediate_size: 50_000,
      num_hidden_layers: 1,
    };
    const files = tinyModelFiles({}, config);
    const weights = files.find(({ path }) => path === 'model.safetensors')!;
    const reads: number[] = [];
    let open = 0;
    let mostOpen = 0;
    const { blob } = weights;
    const slice = blob.slice.bind(blob);
    blob.slice = (from = 0, to = blob.size) => {
      const piece = slice(from, to);
      const read = piece.arrayBuffer.bind(piece);
      piece.arrayBuffer = async () => {
        // The samples that tell files apart are smaller.
        const large = to - from > 65536;
        if (large) mostOpen = Math.max(mostOpen, ++open);
        const bytes = await read();
        reads.push(bytes.byteLength);
        if (large) open--;
        return bytes;
      };
      return piece;
    };
    const manifest = await bring(files);
    expect(
      Math.max(...manifest.tensors.map(({ shape }) => shape.reduce((a, b) => a * b, 4))),
    ).toBeGreaterThan(3 * READ_BYTES);
    expect(Math.max(...reads)).toBe(READ_BYTES);
    // Two a tensor, two tensors at once.
    expect(mostOpen).toBeLessThanOrEqual(4);
    expect(
      Math.max(
        ...manifest.tensors.flatMap(({ chunks: stored }) => stored.map(({ byteLength }) => byteLength)),
      ),
    ).toBeLessThanOrEqual(READ_BYTES);
    expect(reads.filter((bytes) => bytes > 65536).length).toBeGreaterThan(8);
  });

  it('goes on where it was cut off, and never looks whole before', async () => {
    const files = tinyModelFiles();
    let written = 0;
    const crash = bring(files, {
      onProgress: () => {
        if (++written === 5) throw new Error('the tab was closed');
      },
    });
    await expect(crash).rejects.toThrow('the tab was closed');
    const [half] = await listModels(database);
    expect(half.complete).toBe(false);
    await expect(openModel(database, half.id)).rejects.toThrow(
      /did not finish. Drop its files again: it goes on/,
    );
    const before = (await findModel(database, half.id))!.tensors.length;
    expect(before).toBeGreaterThan(0);
    let tensors = 0;
    const manifest = await bring(files, { onProgress: () => tensors++ });
    expect(tensors).toBe(manifest.tensors.length - before);
    expect(await chunks((await openModel(database, manifest.id)).weights)).toEqual(
      await chunks(memoryWeightSource(await openCheckpoint(files), modelOf(TINY_CONFIG).tensors, 'nf4')),
    );
  });

  it('reads nothing again where the model is stored already, and keeps quantised and plain apart', async () => {
    const first = await bring(tinyModelFiles());
    const again = await bring(tinyModelFiles(), {
      checkRoom: () => Promise.reject(new Error('asked for room')),
    });
    expect(again.id).toBe(first.id);
    const plain = await bring(tinyModelFiles(), { quantization: 'none' });
    expect(plain.id).not.toBe(first.id);
    await deleteModel(database, first.id);
    expect((await listModels(database)).map(({ id }) => id)).toEqual([plain.id]);
    expect(await database.count('chunks')).toBe(
      plain.tensors.reduce((sum, tensor) => sum + tensor.chunks.length, 0),
    );
  });

  it('notices a damaged chunk, and puts it right from the files when they are dropped again', async () => {
    const manifest = await bring(tinyModelFiles());
    const before = await chunks((await openModel(database, manifest.id)).weights);
    const key: [string, string, number] = [manifest.id, 'model.norm.weight', 0];
    const bytes = (await database.get('chunks', key))!;
    bytes[3] ^= 1;
    await database.put('chunks', bytes, key);
    await database.delete('chunks', [manifest.id, 'model.embed_tokens.weight', 0]);
    const { weights } = await openModel(database, manifest.id);
    await expect(chunks(weights)).rejects.toThrow(
      /stored copy of tiny is damaged \(.*\). Drop or download its files again: what is damaged is then/,
    );
    const count = await database.count('chunks');
    expect((await bring(tinyModelFiles())).id).toBe(manifest.id);
    expect(await chunks((await openModel(database, manifest.id)).weights)).toEqual(before);
    expect(await database.count('chunks')).toBe(count + 1);
  });

  it.each([
    ['the model', (id: string) => database.delete('models', id)],
    ['a chunk', (id: string) => database.delete('chunks', [id, 'model.norm.weight', 0])],
  ])('is not taken for whole where %s was deleted before its last write', async (_what, remove) => {
    const bringing = bring(tinyModelFiles(), {
      onProgress(done, total) {
        if (done === total) void listModels(database).then(([{ id }]) => remove(id));
      },
      lanes: [
        async (modelId, tensor, info, onRead) => {
          const stored = await laneHere(database)(modelId, tensor, info, onRead);
          await new Promise((resolve) => setTimeout(resolve, 5));
          return stored;
        },
      ],
    });
    await expect(bringing).rejects.toThrow(/tiny was deleted, in another tab .* Import it again/);
    expect((await listModels(database)).some(({ complete }) => complete)).toBe(false);
  });

  it('names the tensors that are damaged, and says how far it has read', async () => {
    const { id, storedBytes, tensors } = await bring(tinyModelFiles());
    const seen: [number, number][] = [];
    expect(await damagedTensors(database, id, (...progress) => void seen.push(progress))).toEqual([]);
    expect(seen[0]).toEqual([0, storedBytes]);
    expect(seen.length).toBe(tensors.length);
    expect(seen.at(-1)![0]).toBeLessThan(storedBytes);
    const changed = (await database.get('chunks', [id, tensors[2].name, 0]))!.slice();
    changed[0] ^= 1;
    await database.put('chunks', changed, [id, tensors[2].name, 0]);
    await database.delete('chunks', [id, tensors[1].name, 0]);
    expect(await damagedTensors(database, id, () => undefined)).toEqual([tensors[1].name, tensors[2].name]);
    await expect(damagedTensors(database, 'none', () => undefined)).rejects.toThrow('not stored');
  });

  it('asks for room before the first write', async () => {
    await expect(
      bring(tinyModelFiles(), { checkRoom: () => Promise.reject(new Error('no room')) }),
    ).rejects.toThrow('no room');
    expect(await database.count('chunks')).toBe(0);
  });
});

const without = (name: string) =>
  writeSafetensors(new Map([...tinyWeights()].filter(([tensor]) => tensor !== name)));
const replaced = (name: string, change: (data: Float32Array) => Float32Array, shape?: number[]) => {
  const weights = tinyWeights();
  const tensor = weights.get(name)!;
  weights.set(name, {
    ...tensor,
    shape: shape ?? tensor.shape,
    data: change((tensor.data as Float32Array).slice()),
  });
  return writeSafetensors(weights);
};
/** The weights with the first tensor's entry in the header changed; the header keeps its length. */
const lying = (
  change: (entry: { dtype: string; shape: number[]; data_offsets: [number, number] }) => void,
) => {
  const bytes = writeSafetensors(tinyWeights());
  const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length))) as Record<string, never>;
  change(header[NORM]);
  bytes.set(new TextEncoder().encode(JSON.stringify(header).padEnd(length)), 8);
  return bytes;
};
const NOT_WEIGHTS = { 'model.safetensors': null };
const index = (weight_map: unknown) => ({
  ...NOT_WEIGHTS,
  'model.safetensors.index.json': JSON.stringify({ weight_map }),
});
const config = (change: object) => JSON.stringify({ ...TINY_CONFIG, ...change });
const NORM = 'model.layers.1.input_layernorm.weight';

describe('models that cannot be used', () => {
  it.each([
    ['no config', { 'config.json': null }, /no config\.json among these files. Drop the whole folder/],
    ['a config that is not JSON', { 'config.json': '{' }, /config\.json is not a JSON object/],
    [
      'another architecture',
      { 'config.json': config({ model_type: 'mamba' }) },
      /model_type "mamba" is not supported. .*: llama/,
    ],
    ['no architecture', { 'config.json': '{}' }, /no "model_type"/],
    ['another activation', { 'config.json': config({ hidden_act: 'relu' }) }, /hidden_act/],
    ['another rope', { 'config.json': config({ rope_scaling: { rope_type: 'axial', factor: 2 } }) }, /axial/],
    [
      'a quantised checkpoint',
      { 'config.json': config({ quantization_config: { quant_method: 'gptq' } }) },
      /quantised already \("gptq"\)/,
    ],
    ['a missing key', { 'config.json': config({ hidden_size: undefined }) }, /hidden_size/],
    [
      'heads that do not divide',
      { 'config.json': config({ num_attention_heads: 3, num_key_value_heads: 2 }) },
      /not a multiple/,
    ],
    ['no weights', { 'model.safetensors': null }, /no model\.safetensors/],
    [
      'GGUF',
      { 'model.safetensors': null, 'model.gguf': 'GGUF' },
      /model\.gguf: the file is cut off inside its header/,
    ],
    ['pickles', { 'model.safetensors': null, 'pytorch_model.bin': 'PK' }, /PyTorch pickle/],
    [
      'a missing tensor',
      { 'model.safetensors': without(NORM) },
      /no tensor model\.layers\.1\.input_layernorm\.weight \(\[24\]\)/,
    ],
    [
      'a tensor of the wrong shape',
      { 'model.safetensors': replaced(NORM, (data) => data, [4, 6]) },
      /tensor model\.layers\.1\.input_layernorm\.weight is \[4,6\], but config\.json asks for \[24\]/,
    ],
    [
      'truncated weights',
      { 'model.safetensors': writeSafetensors(tinyWeights()).slice(0, -50) },
      /cut off: 50 bytes are missing/,
    ],
    [
      'a header that lies about where a tensor lies',
      { 'model.safetensors': lying((entry) => (entry.data_offsets = [0, 96])) },
      /header's offsets overlap before tensor/,
    ],
    [
      'a header that lies about a length',
      { 'model.safetensors': lying((entry) => (entry.data_offsets[1] += 4)) },
      /gives tensor .* 100 bytes, but its shape \[24\] in F32 needs 96/,
    ],
    [
      'a header that lies about a shape',
      { 'model.safetensors': lying((entry) => (entry.shape = [25])) },
      /gives tensor .* 96 bytes, but its shape \[25\] in F32 needs 100/,
    ],
    [
      'weights of another type',
      { 'model.safetensors': lying((entry) => (entry.dtype = 'I32')) },
      /input_layernorm\.weight is I32; Finetab reads F64, F32, F16, BF16, F8_E4M3, F8_E5M2/,
    ],
    [
      'a Git LFS pointer',
      { 'model.safetensors': 'version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n' },
      /model\.safetensors is a Git LFS pointer, not the file itself/,
    ],
    ['an index without a map', index(undefined), /index\.json has no "weight_map"/],
    [
      'an index that maps to no names',
      index({ a: 1 }),
      /index\.json has no "weight_map" from tensors to files/,
    ],
    [
      'an index that names an absent file',
      index({ a: 'model-00001-of-00001.safetensors' }),
      /model-00001-of-00001\.safetensors is missing: model\.safetensors\.index\.json names it/,
    ],
    [
      'shards that hold the same tensor',
      {
        ...index({ a: 'a.safetensors', b: 'b.safetensors' }),
        'a.safetensors': without(NORM),
        'b.safetensors': without(NORM),
      },
      /b\.safetensors: tensor .* is in another file too/,
    ],
    ['no tokenizer', { 'tokenizer.json': null }, /tokenizer\.json is missing/],
    [
      'a tokenizer of SentencePiece',
      { 'tokenizer.json': null, 'tokenizer.model': 'x' },
      /only as SentencePiece \(tokenizer\.model\)\. Make a tokenizer\.json/,
    ],
    [
      'no chat template',
      { 'tokenizer_config.json': '{"eos_token": "</s>"}' },
      /no chat template .* a file chat_template\.jinja/,
    ],
    [
      "another model's tokenizer",
      { 'config.json': config({ vocab_size: 257 }) },
      /gives a token of the chat template the id 25\d, but config\.json says that the model has 257 tokens/,
    ],
    [
      'NaN in a norm',
      { 'model.safetensors': replaced(NORM, (data) => data.fill(NaN, 7, 8)) },
      /tensor model\.layers\.1\.input_layernorm\.weight holds NaN at element 7/,
    ],
    [
      'an infinite linear weight',
      {
        'model.safetensors': replaced('model.layers.0.mlp.up_proj.weight', (data) =>
          data.fill(Infinity, 100, 101),
        ),
      },
      /up_proj\.weight holds Infinity at element 100/,
    ],
  ])('%s', async (_, changes, message) => {
    await expect(bring(tinyModelFiles(changes))).rejects.toThrow(message);
    expect((await listModels(database)).some(({ complete }) => complete)).toBe(false);
  });
});
