/**
 * Checkpoints that bitsandbytes and transformers wrote (tests/interop/bnb_checkpoints.py): read as they are,
 * to the bit.
 */
import 'fake-indexeddb/auto';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { filesOf } from '../../scripts/lib/nodeFiles.ts';
import { openCheckpoint, type NamedFile } from '../../src/formats/checkpoint.ts';
import {
  readSafetensorsHeader,
  toFloat32,
  writeSafetensors,
  type TensorToWrite,
} from '../../src/formats/safetensors.ts';
import { modelOf } from '../../src/model/families/registry.ts';
import { openDatabase } from '../../src/storage/openDatabase.ts';
import { listModels } from '../../src/storage/models.ts';
import { openModel } from '../../src/storage/storedWeights.ts';
import { importModel } from '../../src/import/importModel.ts';
import { memoryWeightSource } from '../../src/import/weightSources.ts';
import { weightValues } from '../../src/engine/tensorflow/weightValues.ts';

const folder = (name: string) => fileURLToPath(new URL(`../fixtures/bitsandbytes/${name}`, import.meta.url));
const expected = JSON.parse(readFileSync(folder('expected.json'), 'utf8')) as Record<
  string,
  { sha256: Record<string, string> }
>;
const NAMES = ['double', 'plain', 'blocks128'];

/** The checkpoints have no tokenizer; one of two tokens does. */
const TOKENIZER: NamedFile[] = Object.entries({
  'tokenizer.json': {
    added_tokens: [],
    normalizer: null,
    pre_tokenizer: null,
    post_processor: null,
    decoder: null,
    model: { type: 'BPE', vocab: { a: 0, b: 1 }, merges: [] },
  },
  'tokenizer_config.json': { eos_token: 'b', chat_template: '{{ messages[0].content }}' },
}).map(([path, content]) => ({ path, blob: new Blob([JSON.stringify(content)]) }));

const sha256 = (values: Float32Array) =>
  createHash('sha256')
    .update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
    .digest('hex');
const bring = async (
  files: NamedFile[],
  database: Awaited<ReturnType<typeof openDatabase>>,
  quantization: 'nf4' | 'none' = 'nf4',
) =>
  importModel({
    files: [...files, ...TOKENIZER],
    name: 'bnb',
    quantization,
    database,
    checkRoom: async () => undefined,
  });

describe.each(NAMES)('a checkpoint in NF4: %s', (name) => {
  it('dequantises to the very weights that bitsandbytes gives', async () => {
    const source = await openCheckpoint(await filesOf(folder(name)));
    const weights = memoryWeightSource(source, modelOf(source.config).tensors, 'nf4');
    const quantised = [...weights.tensors.values()]
      .filter(({ kind }) => kind.startsWith('nf4'))
      .map((info) => info.name);
    const made = Object.fromEntries(
      await Promise.all(
        quantised.sort().map(async (tensor) => [tensor, sha256(await weightValues(weights, tensor))]),
      ),
    );
    expect(made).toEqual(expected[name].sha256);
  });

  it('is stored as it is, whatever the recipe asks for, with nothing left over', async () => {
    const database = await openDatabase(`bitsandbytes ${name}`);
    const files = await filesOf(folder(name));
    const manifest = await bring(files, database, 'none');
    expect(manifest).toMatchObject({ complete: true, quantization: 'nf4', unusedTensors: [] });
    expect((await bring(files, database, 'nf4')).id).toBe(manifest.id);
    const { weights } = await openModel(database, manifest.id);
    for (const [tensor, hash] of Object.entries(expected[name].sha256))
      expect(sha256(await weightValues(weights, tensor))).toBe(hash);
    const kinds = new Set(
      manifest.tensors.filter(({ name: tensor }) => /proj/.test(tensor)).map(({ kind }) => kind),
    );
    // v_proj of `double` was left out of the quantisation: it stays what it was.
    expect([...kinds].sort()).toEqual(
      { double: ['f32', 'nf4'], plain: ['nf4_f32'], blocks128: ['nf4'] }[name],
    );
  });
});

type Tensors = Map<string, TensorToWrite>;

/** The files of `double` with its tensors changed. */
async function changed(change: (tensors: Tensors) => void): Promise<NamedFile[]> {
  const files = await filesOf(folder('double'));
  const { blob } = files.find(({ path }) => path === 'model.safetensors')!;
  const tensors: Tensors = new Map();
  for (const { name, dtype, shape, begin, end } of await readSafetensorsHeader(blob, 'x')) {
    const bytes = new Uint8Array(await blob.slice(begin, end).arrayBuffer());
    tensors.set(
      name,
      dtype === 'U8'
        ? { dtype, shape, data: bytes }
        : { dtype: 'F32', shape, data: toFloat32(dtype, bytes).slice() },
    );
  }
  change(tensors);
  const model = { path: 'model.safetensors', blob: new Blob([writeSafetensors(tensors) as BlobPart]) };
  return [...files.filter(({ path }) => path !== 'model.safetensors'), model];
}

const Q = 'model.layers.0.self_attn.q_proj.weight';
const STATE = `${Q}.quant_state.bitsandbytes__nf4`;
const state = (replace: (json: string) => string) => (tensors: Tensors) => {
  const data = new TextEncoder().encode(replace(new TextDecoder().decode(tensors.get(STATE)!.data)));
  tensors.set(STATE, { dtype: 'U8', shape: [data.length], data });
};
const value = (name: string, index: number, number: number) => (tensors: Tensors) => {
  tensors.get(name)!.data[index] = number;
};

describe('a checkpoint in NF4 that cannot be used', () => {
  it.each<[string, (tensors: Tensors) => void, RegExp]>([
    [
      'FP4',
      (tensors) => {
        tensors.set(STATE.replace('nf4', 'fp4'), tensors.get(STATE)!);
        tensors.delete(STATE);
      },
      /q_proj\.weight is in bitsandbytes' FP4, which Finetab does not read\. Use the original/,
    ],
    [
      'blocks of 32',
      state((json) => json.replace('"blocksize": 64', '"blocksize": 32')),
      /quantised in blocks of 32\. Use the original/,
    ],
    [
      'scales in other blocks',
      state((json) => json.replace('"nested_blocksize": 256', '"nested_blocksize": 128')),
      /scales quantised in blocks of 128, not 256/,
    ],
    ['a state that is no JSON', state((json) => json.slice(1)), /quant_state that is not JSON/],
    [
      'a state without a shape',
      state((json) => json.replace('[64, 64]', 'null')),
      /no valid shape in its quant_state \(null\)/,
    ],
    [
      'another shape than the codes',
      state((json) => json.replace('[64, 64]', '[64, 65]')),
      /is \[64,65\] in blocks of 64; .*q_proj\.weight then has 2080 bytes, not 2048/,
    ],
    [
      'another code table',
      value(`${Q}.quant_map`, 3, -0.4),
      /q_proj\.weight has another quant_map than bitsandbytes' NF4/,
    ],
    [
      'another table of scales',
      value(`${Q}.nested_quant_map`, 255, 0.9),
      /q_proj\.weight has another nested_quant_map/,
    ],
    ['no scales', (tensors) => tensors.delete(`${Q}.absmax`), /its part .*q_proj\.weight\.absmax is missing/],
    ['no codes', (tensors) => tensors.delete(Q), /its part .*q_proj\.weight is missing/],
    [
      'a scale that is NaN',
      value(`${Q}.nested_absmax`, 0, NaN),
      /q_proj\.weight\.nested_absmax holds NaN at element 0/,
    ],
    [
      'codes without a state',
      (tensors) => tensors.delete(STATE),
      /q_proj\.weight is \[2048,1\], but config\.json asks for \[64,64\]/,
    ],
  ])('%s', async (name, change, message) => {
    const database = await openDatabase(`bad ${name}`);
    await expect(bring(await changed(change), database)).rejects.toThrow(message);
    expect((await listModels(database)).some(({ complete }) => complete)).toBe(false);
  });

  it.each([
    ['8-bit', { quant_method: 'bitsandbytes', load_in_8bit: true }, /"bitsandbytes", 8-bit/],
    [
      'FP4',
      { quant_method: 'bitsandbytes', load_in_4bit: true, bnb_4bit_quant_type: 'fp4' },
      /"bitsandbytes", 4-bit "fp4"/,
    ],
    ['bitsandbytes with its default, FP4', { load_in_4bit: true }, /"bitsandbytes", 4-bit "fp4"/],
    ['AWQ', { quant_method: 'awq', bits: 4 }, /already \("awq"\)/],
    ['something without a name', { bits: 4 }, /already \("unknown method"\)/],
  ])('by its config: %s', async (_, quantization_config, message) => {
    const config = JSON.parse(readFileSync(folder('double/config.json'), 'utf8')) as Record<string, unknown>;
    expect(() => modelOf({ ...config, quantization_config })).toThrow(message);
    expect(() =>
      modelOf({ ...config, quantization_config: { load_in_4bit: true, bnb_4bit_quant_type: 'nf4' } }),
    ).not.toThrow();
  });
});
