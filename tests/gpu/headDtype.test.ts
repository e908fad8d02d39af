/**
 * The output head in 8 bits (engine/headDtype.ts): what its kernels compute is what a head of the rounded
 * weights computes, in scoring, gradients and generation; against the head as stored the error stays within
 * what the recipe's documentation says; and memory is what was planned.
 */
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { packDocuments } from '../../src/data/packing.ts';
import type { AdapterTensors, EngineOptions } from '../../src/engine/engine.ts';
import { Q8_0_ERROR } from '../../src/engine/headDtype.ts';
import { WebGpuEngine } from '../../src/engine/webgpu/webgpuEngine.ts';
import { openCheckpoint } from '../../src/formats/checkpoint.ts';
import type { WeightSource } from '../../src/formats/tensors.ts';
import { memoryWeightSource } from '../../src/import/weightSources.ts';
import { modelOf } from '../../src/model/families/registry.ts';
import { uniform } from '../../src/verify/caseBuilder.ts';
import { gpuWith, testGpu } from '../helpers/gpu.ts';
import { TINY_CONFIG, tinyModelFiles, TINY_LORA } from '../helpers/tinyModel.ts';

const gpu = await testGpu();
/** Bindings in which the head takes several slices, of rows that are dequantised at once. */
const context = gpu && (await gpuWith({ maxBindingBytes: 16 * 1024 }));
const HEAD = 'lm_head.weight';
/** Rows of three blocks. */
const CONFIG = {
  ...TINY_CONFIG,
  hidden_size: 96,
  vocab_size: 264,
  num_hidden_layers: 1,
  tie_word_embeddings: false,
};

/** The model's weights, the head as GGUF's definition of Q8_0 rounds it, in float32: block by block. */
async function sources(): Promise<{ stored: WeightSource; rounded: WeightSource }> {
  const files = tinyModelFiles({}, CONFIG);
  const stored = memoryWeightSource(await openCheckpoint(files), modelOf(CONFIG).tensors, 'nf4');
  const parts: number[] = [];
  for await (const { bytes } of stored.stream(HEAD)) parts.push(...new Float32Array(bytes.slice().buffer));
  const rounded = new Float32Array(parts.length);
  for (let from = 0; from < parts.length; from += 32) {
    const block = parts.slice(from, from + 32);
    const largest = Math.max(...block.map(Math.abs));
    const step = Math.fround(largest / 127);
    block.forEach((weight, i) => {
      const scaled = Math.fround(weight * Math.fround(1 / step));
      rounded[from + i] = toHalf(step) * Math.sign(scaled) * Math.floor(Math.abs(scaled) + 0.5);
      expect(Math.abs(rounded[from + i] - weight)).toBeLessThanOrEqual(Q8_0_ERROR * largest);
    });
  }
  const bytes = new Uint8Array(rounded.buffer);
  const withHead: WeightSource = {
    ...stored,
    stream: async function* (name) {
      if (name === HEAD) yield { part: 'data', byteOffset: 0, bytes };
      else yield* stored.stream(name);
    },
  };
  return { stored, rounded: withHead };
}

/** To float16 and back, of a normal number. */
function toHalf(x: number): number {
  const exponent = Math.floor(Math.log2(x));
  const unit = 2 ** (exponent - 10);
  const scaled = x / unit;
  const below = Math.floor(scaled);
  const tie = scaled - below === 0.5;
  return unit * (tie ? below + (below % 2) : Math.round(scaled));
}

const documents = [9, 3, 14, 2].map((length, i) => {
  const inputIds = [...uniform(length, 50 + i)].map((value) => Math.floor((value + 1) * 120));
  return { inputIds, labels: inputIds.map((id, p) => (p < 1 ? -100 : id)) };
});
const batches = packDocuments(documents, { tokens: 32, padTokenId: 0 });

let engine: WebGpuEngine | undefined;
afterEach(() => engine?.dispose());
afterAll(() => context?.dispose());

/** Everything that reads the head, computed by one engine. */
async function results(weights: WeightSource, change: Partial<EngineOptions> = {}) {
  engine?.dispose();
  engine = await WebGpuEngine.create(context!, {
    weights,
    lora: TINY_LORA,
    tokensPerMicroBatch: 32,
    gradientCheckpointing: true,
    seed: 7,
    logits: true,
    ...change,
  });
  const { total, ...parts } = engine.memory;
  expect(context!.allocated()).toEqual(parts);
  expect(Object.values(parts).reduce((a, b) => a + b, 0)).toBe(total);
  const adapter: AdapterTensors = new Map(
    [...(await engine.readAdapter())].map(([name, { shape, data }], i) => [
      name,
      { shape, data: uniform(data.length, i).map((value) => 0.1 * value) },
    ]),
  );
  await engine.loadAdapter(adapter);
  const logits = await engine.logits(batches[0]);
  const { loss } = await engine.score(batches[0]);
  const { gradients } = await engine.gradients(batches);
  const ids = await engine.generate([documents[0].inputIds, documents[1].inputIds], {
    maxNewTokens: 8,
    stopTokenIds: [],
    doSample: false,
    temperature: 1,
    topP: 1,
    seed: 0,
  });
  const losses: number[] = [];
  for (let step = 0; step < 10; step++) {
    const made = await engine.trainStep({
      microBatches: batches,
      step,
      learningRate: 1e-2,
      weightDecay: 0.01,
      maxGradNorm: 1,
    });
    losses.push(made.loss);
  }
  return { weightBytes: parts.weights, logits, loss, gradients, ids, losses };
}

/** Largest difference, of the largest value. */
function relative(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let most = 0;
  let largest = 0;
  for (let i = 0; i < b.length; i++) {
    most = Math.max(most, Math.abs(a[i] - b[i]));
    largest = Math.max(largest, Math.abs(b[i]));
  }
  return most / largest;
}

describe.skipIf(!gpu)('the output head in 8 bits', () => {
  it(
    'computes what a head of the rounded weights computes, smaller and within its bound',
    {
      timeout: 300_000,
    },
    async () => {
      const { stored, rounded } = await sources();
      const made = await results(stored, { headDtype: 'q8_0' });
      const reference = await results(rounded);
      expect(relative(made.logits, reference.logits)).toBeLessThan(2e-6);
      expect(relative(made.loss, reference.loss)).toBeLessThan(2e-6);
      for (const [name, { data }] of reference.gradients)
        expect(relative(made.gradients.get(name)!.data, data), name).toBeLessThan(3e-5);
      expect(made.ids).toEqual(reference.ids);
      expect(relative(made.losses, reference.losses)).toBeLessThan(1e-5);

      const whole = await results(stored);
      const elements = CONFIG.vocab_size * CONFIG.hidden_size;
      expect(whole.weightBytes - made.weightBytes).toBe(elements * 4 - (elements / 32) * 34);
      const error = relative(made.logits, whole.logits);
      expect(error).toBeGreaterThan(1e-5);
      expect(error).toBeLessThan(5e-3);
      expect(relative(made.losses, whole.losses)).toBeLessThan(1e-3);
    },
  );

  it('is refused where the head is the embedding, or its rows are no whole blocks', async () => {
    const refusal = async (change: object) => {
      const config = { ...CONFIG, ...change };
      const source = await openCheckpoint(tinyModelFiles({}, config));
      const weights = memoryWeightSource(source, modelOf(config).tensors, 'nf4');
      return results(weights, { headDtype: 'q8_0' }).then(String, (error: Error) => error.message);
    };
    expect(await refusal({ tie_word_embeddings: true })).toMatch(/cannot be kept in 8 bits: it is the embed/);
    expect(await refusal({ hidden_size: 24 })).toMatch(/rows of 24 weights are no whole blocks of 32/);
  });
});
