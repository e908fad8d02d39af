/**
 * In how many slots answers are generated: all that are planned for many prompts, as many as there are for a
 * few, whatever was generated before. The ids are the same.
 */
import { expect, it } from 'vitest';
import { WebGpuEngine } from '../../src/engine/webgpu/webgpuEngine.ts';
import { openCheckpoint } from '../../src/formats/checkpoint.ts';
import { memoryWeightSource } from '../../src/import/weightSources.ts';
import { modelOf } from '../../src/model/families/registry.ts';
import { gpuWith, testGpu } from '../helpers/gpu.ts';
import { TINY_CONFIG, tinyModelFiles, TINY_LORA } from '../helpers/tinyModel.ts';

const gpu = await testGpu();
const PLANNED = 12;
const PROMPTS = Array.from({ length: 10 }, (_, i) =>
  Array.from({ length: 3 + (i % 4) }, (__, k) => 7 * i + k),
);
const GREEDY = { maxNewTokens: 5, stopTokenIds: [], doSample: false, temperature: 1, topP: 1, seed: 0 };

it.skipIf(!gpu)('follow from the prompts and the plan alone', { timeout: 300_000 }, async () => {
  const context = await gpuWith({});
  const source = await openCheckpoint(tinyModelFiles({}));
  const engine = await WebGpuEngine.create(context, {
    weights: memoryWeightSource(source, modelOf(TINY_CONFIG).tensors, 'nf4'),
    lora: TINY_LORA,
    tokensPerMicroBatch: 64,
    gradientCheckpointing: false,
    seed: 1,
    training: false,
    generation: { slots: PLANNED, maxLength: 64 },
  });
  const answers: number[][][] = [];
  const cacheBytes: number[] = [];
  const counts = [10, 3, 8, 2, 10, 1];
  for (const count of counts) {
    answers.push(await engine.generate(PROMPTS.slice(0, count), GREEDY));
    cacheBytes.push(engine.memory.kvCache);
  }
  const slotBytes = cacheBytes[0] / PLANNED;
  expect(cacheBytes.map((bytes) => bytes / slotBytes)).toEqual([PLANNED, 3, 8, 8, PLANNED, 1]);
  answers.forEach((made, i) => expect(made, `${counts[i]}`).toEqual(answers[0].slice(0, counts[i])));
  expect(new Set(answers[0].map(String)).size).toBeGreaterThan(1);
  engine.dispose();
});
