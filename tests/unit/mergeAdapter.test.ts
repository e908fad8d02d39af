import { describe, expect, it } from 'vitest';
import { mergedModelFiles } from '../../src/export/mergedModel.ts';
import { mergeDeltas, mergedRows, type MergeDeltas } from '../../src/export/mergeAdapter.ts';
import { mlxAdapterFiles } from '../../src/export/mlxAdapter.ts';
import type { ExportFile } from '../../src/export/exportFile.ts';
import { readSafetensorsHeader, toFloat32 } from '../../src/formats/safetensors.ts';
import type { Float32Tensor, TensorInfo, WeightSource } from '../../src/formats/tensors.ts';
import { mix32, randomUnit } from '../../src/lib/counterRandom.ts';
import { dequantize, Nf4Quantizer } from '../../src/quant/nf4.ts';

const MODULE = 'model.layers.0.mlp.down_proj';
const STEM = `base_model.model.${MODULE}`;

function random(shape: number[], seed: number): Float32Tensor {
  const data = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) =>
    Math.fround(2 * randomUnit(mix32(seed * 100_003 + i)) - 1),
  );
  return { shape, data };
}

/** float32 weights, in pieces that end within rows. */
function source(weights: Record<string, Float32Tensor>): WeightSource {
  return {
    config: { model_type: 'llama', num_hidden_layers: 1 },
    tensors: new Map(
      Object.entries(weights).map(([name, { shape }]): [string, TensorInfo] => [
        name,
        { name, shape, kind: 'f32' },
      ]),
    ),
    async *stream(name) {
      const { data } = weights[name];
      const bytes = new Uint8Array(data.buffer);
      for (let at = 0; at < bytes.length; at += 44)
        yield { part: 'data', byteOffset: at, bytes: bytes.slice(at, at + 44) };
    },
  };
}

async function wholeWeight(
  base: WeightSource,
  name: string,
  deltas: MergeDeltas = new Map(),
): Promise<Float32Array> {
  const [height, width] = base.tensors.get(name)!.shape;
  const values = new Float32Array(height * width);
  let filled = 0;
  for await (const rows of mergedRows(base, name, deltas)) {
    expect(rows.first * width).toBe(filled);
    values.set(rows.values, filled);
    filled += rows.values.length;
  }
  expect(filled).toBe(values.length);
  return values;
}

async function contents(file: ExportFile): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const piece of file.pieces()) pieces.push(piece);
  const bytes = new Uint8Array(await new Blob(pieces as BlobPart[]).arrayBuffer());
  expect(bytes.byteLength).toBe(file.bytes);
  return bytes;
}

const OUT = 9;
const IN = 7;
const RANK = 3;
const weight = random([OUT, IN], 1);
const a = random([RANK, IN], 2);
const b = random([OUT, RANK], 3);
const settings = { r: RANK, lora_alpha: 6, use_rslora: false };
const adapter = new Map([
  [`${STEM}.lora_A.weight`, a],
  [`${STEM}.lora_B.weight`, b],
]);
const base = source({ [`${MODULE}.weight`]: weight, 'model.norm.weight': random([1, IN], 4) });

/** W + s B A, element by element. */
function expectedAt(row: number, column: number, scale: number): number {
  let sum = 0;
  for (let k = 0; k < RANK; k++) sum += b.data[row * RANK + k] * a.data[k * IN + column];
  return weight.data[row * IN + column] + scale * sum;
}

describe('merging', () => {
  it('adds s B A, whatever pieces the weight comes in', async () => {
    const merged = await wholeWeight(base, `${MODULE}.weight`, mergeDeltas(adapter, settings, base.tensors));
    expect(merged.length).toBe(OUT * IN);
    merged.forEach((value, i) => expect(value).toBeCloseTo(expectedAt(Math.floor(i / IN), i % IN, 2), 6));
  });

  it('scales by α/√r where the adapter is rank-stabilised', async () => {
    const deltas = mergeDeltas(adapter, { ...settings, use_rslora: true }, base.tensors);
    const merged = await wholeWeight(base, `${MODULE}.weight`, deltas);
    expect(merged[5]).toBeCloseTo(expectedAt(0, 5, 6 / Math.sqrt(RANK)), 6);
  });

  it('gives the rows of a DoRA adapter the length of its magnitudes', async () => {
    const magnitude = random([OUT], 5);
    const dora = new Map([...adapter, [`${STEM}.lora_magnitude_vector`, magnitude]]);
    const merged = await wholeWeight(base, `${MODULE}.weight`, mergeDeltas(dora, settings, base.tensors));
    for (let row = 0; row < OUT; row++) {
      const norm = Math.hypot(...merged.subarray(row * IN, (row + 1) * IN));
      expect(norm).toBeCloseTo(Math.abs(magnitude.data[row]), 6);
      expect(Math.sign(merged[row * IN])).toBe(Math.sign(expectedAt(row, 0, 2) * magnitude.data[row]));
    }
  });

  // The second has more elements than are decoded at once, and its pieces end within rows.
  it.each([
    [OUT, 64],
    [12_000, 96],
  ])('dequantises NF4 and leaves what has no adapter as it is: [%i, %i]', async (height, width) => {
    const quantizer = new Nf4Quantizer(height * width);
    const values = random([height, width], 6).data;
    const first = quantizer.push(values, 'F32');
    const { packed, scales } = quantizer.finish();
    const codes = Uint8Array.from([...first, ...packed]);
    const nf4: WeightSource = {
      config: {},
      tensors: new Map([['w', { name: 'w', shape: [height, width], kind: 'nf4' }]]),
      async *stream() {
        yield { part: 'packed', byteOffset: 0, bytes: codes };
        yield { part: 'absmax_q', byteOffset: 0, bytes: scales.absmax_q };
        const nested = new Float32Array([scales.nested_offset, ...scales.nested_absmax]);
        yield { part: 'nested', byteOffset: 0, bytes: new Uint8Array(nested.buffer) };
      },
    };
    const expected = dequantize(codes, scales, height * width);
    const read = await wholeWeight(nf4, 'w');
    expect(read.findIndex((value, i) => value !== expected[i])).toBe(-1);
  });

  it('names a module that the base model has in another shape', () => {
    const wrong = new Map([...adapter, [`${STEM}.lora_B.weight`, random([OUT + 1, RANK], 3)]]);
    expect(() => mergeDeltas(wrong, settings, base.tensors)).toThrow(
      /down_proj is \[10, 7\].*has it as \[9,7\]/,
    );
    expect(() => mergeDeltas(adapter, settings, new Map())).toThrow(/has no such module/);
  });
});

describe('a merged folder', () => {
  const files = (shardBytes?: number) =>
    mergedModelFiles({
      base,
      deltas: mergeDeltas(adapter, settings, base.tensors),
      dtype: 'BF16',
      texts: { 'tokenizer.json': '{}' },
      card: 'card',
      ...(shardBytes && { shardBytes }),
    });

  it('holds 16-bit weights that a reader of safetensors accepts', async () => {
    const file = files().find(({ path }) => path === 'model.safetensors')!;
    const bytes = await contents(file);
    const entries = await readSafetensorsHeader(new Blob([bytes as BlobPart]), file.path);
    const entry = entries.find(({ name }) => name === `${MODULE}.weight`)!;
    expect([entry.dtype, entry.shape]).toEqual(['BF16', [OUT, IN]]);
    toFloat32('BF16', bytes.slice(entry.begin, entry.end)).forEach((value, i) => {
      const exact = expectedAt(Math.floor(i / IN), i % IN, 2);
      expect(Math.abs(value - exact)).toBeLessThanOrEqual(Math.abs(exact) / 256);
    });
  });

  it('is split into shards with an index where it is large', async () => {
    const parts = files(64);
    const index = JSON.parse(
      new TextDecoder().decode(await contents(parts.find(({ path }) => path.endsWith('.index.json'))!)),
    ) as { metadata: { total_size: number }; weight_map: Record<string, string> };
    expect(index.weight_map).toEqual({
      [`${MODULE}.weight`]: 'model-00001-of-00002.safetensors',
      'model.norm.weight': 'model-00002-of-00002.safetensors',
    });
    expect(index.metadata.total_size).toBe(2 * (OUT * IN + IN));
  });

  it('no longer says that it is quantised', async () => {
    const config = {
      ...base.config,
      quantization_config: { quant_method: 'bitsandbytes' },
      dtype: 'float32',
    };
    const [file] = mergedModelFiles({
      base: { ...base, config },
      deltas: new Map(),
      dtype: 'F16',
      texts: {},
      card: '',
    });
    expect(JSON.parse(new TextDecoder().decode(await contents(file)))).toEqual({
      model_type: 'llama',
      num_hidden_layers: 1,
      torch_dtype: 'float16',
    });
  });
});

describe('an mlx-lm adapter', () => {
  it('has both matrices transposed, its keys and its scale', async () => {
    const peft = { ...settings, lora_dropout: 0.1, use_dora: false, base_model_name_or_path: 'a/b' };
    const [configFile, weightsFile] = mlxAdapterFiles(adapter, peft, 4);
    expect(JSON.parse(new TextDecoder().decode(await contents(configFile)))).toEqual({
      fine_tune_type: 'lora',
      model: 'a/b',
      num_layers: 4,
      lora_parameters: { rank: RANK, scale: 2, dropout: 0.1, keys: ['mlp.down_proj'] },
    });
    const bytes = await contents(weightsFile);
    const entries = await readSafetensorsHeader(new Blob([bytes as BlobPart]), 'adapters.safetensors');
    const of = (name: string) => {
      const entry = entries.find((candidate) => candidate.name === `${MODULE}.${name}`)!;
      return { shape: entry.shape, data: toFloat32('F32', bytes.slice(entry.begin, entry.end)) };
    };
    expect(of('lora_a').shape).toEqual([IN, RANK]);
    expect(of('lora_a').data[2 * RANK + 1]).toBe(a.data[IN + 2]);
    expect(of('lora_b').shape).toEqual([RANK, OUT]);
    expect(of('lora_b').data[OUT + 4]).toBe(b.data[4 * RANK + 1]);
  });
});
