/**
 * Models that bitsandbytes quantised have the loss here that they have in transformers
 * (tests/interop/bnb_checkpoints.py), and they can be trained.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { filesOf } from '../../scripts/lib/nodeFiles.ts';
import { packDocuments } from '../../src/data/packing.ts';
import { openCheckpoint } from '../../src/formats/checkpoint.ts';
import { modelOf } from '../../src/model/families/registry.ts';
import type { Engine, EngineOptions } from '../../src/engine/engine.ts';
import { TensorFlowEngine } from '../../src/engine/tensorflow/tensorflowEngine.ts';
import { WebGpuEngine } from '../../src/engine/webgpu/webgpuEngine.ts';
import { memoryWeightSource } from '../../src/import/weightSources.ts';
import { testGpu } from '../helpers/gpu.ts';
import { TINY_LORA } from '../helpers/tinyModel.ts';

const gpu = await testGpu();
const folder = (name: string) => fileURLToPath(new URL(`../fixtures/bitsandbytes/${name}`, import.meta.url));
const expected = JSON.parse(readFileSync(folder('expected.json'), 'utf8')) as { tokens: number[] } & Record<
  string,
  { loss: number }
>;
const [batch] = packDocuments([{ inputIds: expected.tokens, labels: expected.tokens }], {
  tokens: 32,
  padTokenId: 0,
});

async function options(name: string): Promise<EngineOptions> {
  const source = await openCheckpoint(await filesOf(folder(name)));
  return {
    weights: memoryWeightSource(source, modelOf(source.config).tensors, 'nf4'),
    lora: TINY_LORA,
    tokensPerMicroBatch: 32,
    gradientCheckpointing: true,
    seed: 7,
  };
}

const meanLoss = async (engine: Engine) =>
  (await engine.score(batch)).loss.reduce((a, b) => a + b, 0) / batch.supervisedTokens;

describe.each(['double', 'plain', 'blocks128'])('%s', (name) => {
  it.skipIf(!gpu)("has transformers' loss on the GPU, and learns", async () => {
    const engine = await WebGpuEngine.create(gpu!, await options(name));
    try {
      expect(Math.abs((await meanLoss(engine)) - expected[name].loss)).toBeLessThan(1e-5);
      const step = { microBatches: [batch], learningRate: 1e-2, weightDecay: 0, maxGradNorm: 1 };
      for (let i = 0; i < 5; i++) await engine.trainStep({ ...step, step: i });
      expect(await meanLoss(engine)).toBeLessThan(expected[name].loss - 0.1);
    } finally {
      engine.dispose();
    }
  });

  it("has transformers' loss in TensorFlow.js", async () => {
    const engine = await TensorFlowEngine.create(await options(name), ['cpu']);
    try {
      expect(Math.abs((await meanLoss(engine)) - expected[name].loss)).toBeLessThan(1e-5);
    } finally {
      engine.dispose();
    }
  });
});
