/** Timestamps of real work: what the passes of a step took, and how much of the time none ran. */
import { afterAll, describe, expect, it } from 'vitest';
import { packDocuments } from '../../src/data/packing.ts';
import { openCheckpoint } from '../../src/formats/checkpoint.ts';
import { modelOf } from '../../src/model/families/registry.ts';
import { busyMs, idleShare } from '../../src/plan/profile.ts';
import { WebGpuEngine } from '../../src/engine/webgpu/webgpuEngine.ts';
import { memoryWeightSource } from '../../src/import/weightSources.ts';
import { testGpu } from '../helpers/gpu.ts';
import { TINY_CONFIG, tinyModelFiles, TINY_LORA } from '../helpers/tinyModel.ts';

const gpu = await testGpu();
const hasTimestamps = gpu?.device.features.has('timestamp-query') === true;

describe('spans of passes', () => {
  it('are busy once where they overlap, and idle between', () => {
    const spans = [
      { beginMs: 0, endMs: 2 },
      { beginMs: 1, endMs: 3 },
      { beginMs: 6, endMs: 7 },
      { beginMs: 6.5, endMs: 6.6 },
      { beginMs: 9, endMs: 10 },
    ];
    expect(busyMs(spans)).toBeCloseTo(5);
    expect(idleShare(spans)).toBeCloseTo(0.5);
    expect(idleShare(spans.toReversed())).toBeCloseTo(0.5);
    expect(idleShare([{ beginMs: 3, endMs: 3 }])).toBe(0);
  });
});

describe.skipIf(!hasTimestamps)('an engine’s passes', () => {
  const source = openCheckpoint(tinyModelFiles());
  let engine: WebGpuEngine;
  afterAll(() => engine?.dispose());

  it('are timed while it trains, in the order of submission and within the time that passed', async () => {
    const weights = memoryWeightSource(await source, modelOf(TINY_CONFIG).tensors, 'nf4');
    engine = await WebGpuEngine.create(gpu!, {
      weights,
      lora: TINY_LORA,
      tokensPerMicroBatch: 64,
      gradientCheckpointing: false,
      seed: 7,
    });
    const inputIds = Array.from({ length: 60 }, (_, i) => i);
    const microBatches = packDocuments([{ inputIds, labels: inputIds }], { tokens: 64, padTokenId: 0 });
    const train = (step: number) =>
      engine.trainStep({ microBatches, step, learningRate: 1e-3, weightDecay: 0, maxGradNorm: 1 });
    await train(0);
    const started = performance.now();
    const spans = await engine.timing.passes(async () => {
      await train(1);
      await train(2);
    });
    const passed = performance.now() - started;
    expect(spans.length).toBeGreaterThanOrEqual(4);
    spans.forEach(({ beginMs, endMs }, i) => {
      expect(endMs).toBeGreaterThan(beginMs);
      if (i > 0) expect(beginMs).toBeGreaterThanOrEqual(spans[i - 1].beginMs);
    });
    expect(busyMs(spans)).toBeGreaterThan(0.05 * passed);
    expect(spans.at(-1)!.endMs - spans[0].beginMs).toBeLessThan(passed);
    expect(idleShare(spans)).toBeGreaterThanOrEqual(0);
    expect(idleShare(spans)).toBeLessThan(1);
    // Nothing is timed any more.
    await train(3);
    expect((await engine.timing.passes(async () => undefined)).length).toBe(0);
  });
});
