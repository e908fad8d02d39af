/**
 * DoRA in the engine: its memory, its first magnitudes, the base model at scale 0, and the fallback beside
 * it.
 */
import { afterEach, describe, expect, it } from 'vitest';
import { packDocuments } from '../../src/data/packing.ts';
import { TensorFlowEngine } from '../../src/engine/tensorflow/tensorflowEngine.ts';
import { weightValues } from '../../src/engine/tensorflow/weightValues.ts';
import type { AdapterTensors, Engine, EngineOptions, StepInput } from '../../src/engine/engine.ts';
import { WebGpuEngine } from '../../src/engine/webgpu/webgpuEngine.ts';
import { openCheckpoint } from '../../src/formats/checkpoint.ts';
import { memoryWeightSource } from '../../src/import/weightSources.ts';
import { modelOf } from '../../src/model/families/registry.ts';
import { uniform } from '../../src/verify/caseBuilder.ts';
import { testGpu } from '../helpers/gpu.ts';
import { TINY_CONFIG, tinyModelFiles, TINY_LORA } from '../helpers/tinyModel.ts';

const gpu = await testGpu();
const LORA = { ...TINY_LORA, lora_dropout: 0.1, use_dora: true };
const weights = memoryWeightSource(
  await openCheckpoint(tinyModelFiles({}, TINY_CONFIG)),
  modelOf(TINY_CONFIG).tensors,
  'nf4',
);
const options: EngineOptions = {
  weights,
  lora: LORA,
  tokensPerMicroBatch: 64,
  gradientCheckpointing: true,
  seed: 7,
};
const [batch] = packDocuments(
  [9, 14, 21].map((length, i) => {
    const inputIds = [...uniform(length, 50 + i)].map((value) => Math.floor((value + 1) * 120));
    return { inputIds, labels: inputIds };
  }),
  { tokens: 64, padTokenId: 0 },
);
const step = (number: number): StepInput => ({
  microBatches: [batch],
  step: number,
  learningRate: 1e-2,
  weightDecay: 0.01,
  maxGradNorm: 1,
});
const greedy = { maxNewTokens: 4, stopTokenIds: [], doSample: false, temperature: 1, topP: 1, seed: 0 };

let engines: Engine[] = [];
afterEach(() => {
  for (const engine of engines) engine.dispose();
  engines = [];
});
async function open(change: Partial<EngineOptions> = {}): Promise<WebGpuEngine> {
  for (const engine of engines) engine.dispose();
  const made = await WebGpuEngine.create(gpu!, { ...options, ...change });
  engines = [made];
  return made;
}

/** An adapter whose every part does something. */
async function stirred(target: Engine): Promise<AdapterTensors> {
  return new Map(
    [...(await target.readAdapter())].map(([name, { shape, data }], i) => {
      const noise = uniform(data.length, i);
      const isMagnitude = name.endsWith('.lora_magnitude_vector');
      return [name, { shape, data: noise.map((value, k) => 0.1 * value + (isMagnitude ? data[k] : 0)) }];
    }),
  );
}

describe.skipIf(!gpu)('DoRA', () => {
  it('allocates to the byte what it planned: training, generating, and where it only answers', async () => {
    for (const training of [true, false]) {
      const target = await open({ training });
      const { total: before, ...parts } = target.memory;
      expect(gpu!.allocated()).toEqual(parts);
      await target.generate([[1, 2, 3]], greedy);
      const { total, ...grown } = target.memory;
      expect(gpu!.allocated()).toEqual(grown);
      expect(total).toBeGreaterThan(before);
    }
  });

  it("starts with the norm of each row of the dequantised base, and so as the base model's outputs", async () => {
    const target = await open();
    const magnitudes = [...(await target.readAdapter())].filter(([name]) =>
      name.endsWith('magnitude_vector'),
    );
    expect(magnitudes.length).toBe(modelOf(TINY_CONFIG).tensors.filter(({ quantise }) => quantise).length);
    for (const [name, { shape, data }] of magnitudes) {
      const [, module] = /^base_model\.model\.(.+)\.lora_magnitude_vector$/.exec(name)!;
      const [out, width] = weights.tensors.get(`${module}.weight`)!.shape;
      expect(shape).toEqual([out]);
      const values = await weightValues(weights, `${module}.weight`);
      data.forEach((magnitude, o) => {
        const norm = Math.hypot(...values.subarray(o * width, (o + 1) * width));
        expect(Math.abs(magnitude - norm) / norm, `${name} ${o}`).toBeLessThan(1e-6);
      });
    }
    const fresh = await target.score(batch);
    const base = await (await open({ lora: { ...LORA, use_dora: false } })).score(batch, 0);
    expect(Math.max(...fresh.loss.map((loss, t) => Math.abs(loss - base.loss[t])))).toBeLessThan(1e-5);
  });

  it('is exactly the base model at scale 0, whatever was trained, also where it answers', async () => {
    const plain = await open({ lora: { ...LORA, use_dora: false } });
    const expected = [
      await plain.score(batch, 0),
      await plain.generate([[1, 2, 3], [9]], { ...greedy, adapterScales: [0, 0] }),
    ];
    const target = await open();
    await target.loadAdapter(await stirred(target));
    const made = await target.generate([[1, 2, 3], [9]], { ...greedy, adapterScales: [0, 0] });
    expect([await target.score(batch, 0), made]).toEqual(expected);
    expect((await target.score(batch)).loss).not.toEqual(expected[0]);
  });

  it('trains as the TensorFlow.js engine does, dropout included, and from where it was read back', async () => {
    const target = await open();
    const fallback = await TensorFlowEngine.create(options, ['cpu']);
    engines.push(fallback);
    const fresh = await fallback.readAdapter();
    for (const [name, { data }] of await target.readAdapter())
      expect(
        Math.max(...data.map((value, i) => Math.abs(value - fresh.get(name)!.data[i]))),
        name,
      ).toBeLessThan(1e-5);
    const start = await stirred(target);
    for (const each of [target, fallback]) await each.loadAdapter(start);
    for (let i = 0; i < 3; i++) {
      const [mine, other] = [await target.trainStep(step(i)), await fallback.trainStep(step(i))];
      expect(Math.abs(mine.loss - other.loss)).toBeLessThan(1e-5);
      expect(Math.abs(mine.gradNorm - other.gradNorm) / other.gradNorm).toBeLessThan(1e-4);
    }
    const [adapter, optimizer] = [await target.readAdapter(), await target.readOptimizer()];
    for (const [name, { data }] of await fallback.readAdapter()) {
      const largest = Math.max(...data.map(Math.abs));
      const mine = adapter.get(name)!.data;
      expect(Math.max(...data.map((value, i) => Math.abs(value - mine[i]))) / largest, name).toBeLessThan(
        1e-3,
      );
    }
    const [mine, other] = [await target.score(batch, 0.7), await fallback.score(batch, 0.7)];
    expect(Math.max(...mine.loss.map((value, i) => Math.abs(value - other.loss[i])))).toBeLessThan(2e-4);
    // A run that is resumed goes on to the same bytes.
    await target.trainStep(step(3));
    const whole = await target.readAdapter();
    const resumed = await open();
    await resumed.loadAdapter(adapter);
    await resumed.loadOptimizer(optimizer);
    await resumed.trainStep(step(3));
    expect(await resumed.readAdapter()).toEqual(whole);
  });
});
