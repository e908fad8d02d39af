/**
 * The engine on a tiny model of every family: packing changes nothing, the KV cache gives the ids of the
 * whole forward pass, the fallback agrees.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packDocuments } from '../../src/data/packing.ts';
import { openCheckpoint } from '../../src/formats/checkpoint.ts';
import { modelOf, supportedModelTypes } from '../../src/model/families/registry.ts';
import { uniform } from '../../src/verify/caseBuilder.ts';
import type { AdapterTensors, Engine, EngineOptions } from '../../src/engine/engine.ts';
import { TensorFlowEngine } from '../../src/engine/tensorflow/tensorflowEngine.ts';
import { WebGpuEngine } from '../../src/engine/webgpu/webgpuEngine.ts';
import { memoryWeightSource } from '../../src/import/weightSources.ts';
import { testGpu } from '../helpers/gpu.ts';
import { TINY_FAMILIES } from '../helpers/tinyFamilies.ts';
import { tinyModelFiles, TINY_LORA } from '../helpers/tinyModel.ts';

const gpu = await testGpu();
const TOKENS = 96;

const idsOf = (length: number, seed: number) =>
  [...uniform(length, seed)].map((value) => Math.floor((value + 1) * 120));
const documents = [9, 3, 14, 2, 31, 5, 1, 12].map((length, i) => {
  const inputIds = idsOf(length, 50 + i);
  return { inputIds, labels: inputIds.map((id, p) => (p < 1 ? -100 : id)) };
});
const every = documents.map((_, i) => i);
const pack = (indices: number[]) =>
  packDocuments(
    indices.map((i) => documents[i]),
    { tokens: TOKENS, padTokenId: 0, indices },
  );

async function optionsOf(config: Record<string, unknown>): Promise<EngineOptions> {
  const weights = memoryWeightSource(
    await openCheckpoint(tinyModelFiles({}, config)),
    modelOf(config).tensors,
    'nf4',
  );
  return { weights, lora: TINY_LORA, tokensPerMicroBatch: TOKENS, gradientCheckpointing: true, seed: 7 };
}

/** An adapter whose B is not zero, so that every gradient is alive. */
async function stirred(engine: Engine): Promise<AdapterTensors> {
  return new Map(
    [...(await engine.readAdapter())].map(([name, { shape, data }], i) => [
      name,
      { shape, data: uniform(data.length, i).map((value) => 0.1 * value) },
    ]),
  );
}

/** Largest difference over the largest value of each array. */
function relativeDifference(a: AdapterTensors, b: AdapterTensors): number {
  expect([...a.keys()]).toEqual([...b.keys()]);
  let worst = 0;
  for (const [name, { data }] of a) {
    const other = b.get(name)!.data;
    const largest = data.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-12);
    for (let i = 0; i < data.length; i++) {
      const difference = Math.abs(data[i] - other[i]) / largest;
      if (!(difference <= worst)) worst = difference;
    }
  }
  return worst;
}

it('has a tiny model of every family', () => {
  expect(Object.keys(TINY_FAMILIES).sort()).toEqual(supportedModelTypes().sort());
});

describe.skipIf(!gpu).each(Object.entries(TINY_FAMILIES))('%s', { timeout: 300_000 }, (_, config) => {
  let engine: WebGpuEngine;
  beforeAll(async () => {
    engine = await WebGpuEngine.create(gpu!, { ...(await optionsOf(config)), logits: true });
    await engine.loadAdapter(await stirred(engine));
  }, 300_000);
  afterAll(() => engine.dispose());

  it('gives the same loss and gradients packed, unpacked and in any order', async () => {
    const whole = await engine.gradients(pack(every));
    const reversed = await engine.gradients(pack(every.toReversed()));
    const apart = await engine.gradients(every.flatMap((i) => pack([i])));
    expect(
      Math.min(...[...whole.gradients.values()].map(({ data }) => Math.max(...data.map(Math.abs)))),
    ).toBeGreaterThan(1e-7);
    for (const other of [reversed, apart]) {
      expect(Math.abs(other.loss - whole.loss) / whole.loss).toBeLessThan(1e-6);
      expect(relativeDifference(whole.gradients, other.gradients)).toBeLessThan(1e-5);
    }
  });

  it('decodes with a KV cache the ids that the whole forward pass gives, past every window', async () => {
    const prompts = [40, 3, 23].map((length, i) => idsOf(length, 80 + i));
    const made = await engine.generate(prompts, {
      maxNewTokens: 24,
      stopTokenIds: [],
      doSample: false,
      temperature: 1,
      topP: 1,
      seed: 0,
    });
    for (const [i, prompt] of prompts.entries()) {
      const ids = [...prompt, ...made[i]];
      const logits = await engine.logits(
        packDocuments([{ inputIds: ids, labels: ids }], { tokens: TOKENS, padTokenId: 0 })[0],
      );
      const argmax = Array.from({ length: made[i].length }, (_unused, n) => {
        const row = logits.subarray((prompt.length - 1 + n) * 262, (prompt.length + n) * 262);
        return row.indexOf(row.reduce((a, b) => Math.max(a, b)));
      });
      expect(made[i]).toEqual(argmax);
    }
  });

  it('trains as the TensorFlow.js engine does', async () => {
    const fallback = await TensorFlowEngine.create(await optionsOf(config), ['cpu']);
    await fallback.loadAdapter(await engine.readAdapter());
    const step = {
      microBatches: pack(every),
      step: 0,
      learningRate: 1e-2,
      weightDecay: 0.01,
      maxGradNorm: 1,
    };
    const [mine, other] = [await engine.trainStep(step), await fallback.trainStep(step)];
    expect(Math.abs(mine.loss - other.loss)).toBeLessThan(1e-5);
    expect(Math.abs(mine.gradNorm - other.gradNorm) / other.gradNorm).toBeLessThan(1e-4);
    fallback.dispose();
  });
});

describe.skipIf(!gpu)('longrope', { timeout: 300_000 }, () => {
  const factors = { short_factor: [1, 1.1, 1.3], long_factor: [1.2, 4, 12] };
  const config = {
    ...TINY_FAMILIES.phi3,
    original_max_position_embeddings: 20,
    rope_scaling: { type: 'longrope', ...factors },
  };

  it('rotates each document by its own length, and prefills a sequence again that outgrows the original maximum', async () => {
    const engine = await WebGpuEngine.create(gpu!, { ...(await optionsOf(config)), logits: true });
    await engine.loadAdapter(await stirred(engine));
    const whole = await engine.gradients(pack(every));
    const apart = await engine.gradients(every.flatMap((i) => pack([i])));
    expect(Math.abs(apart.loss - whole.loss) / whole.loss).toBeLessThan(1e-6);
    expect(relativeDifference(whole.gradients, apart.gradients)).toBeLessThan(1e-5);
    const fallback = await TensorFlowEngine.create(await optionsOf(config), ['cpu']);
    await fallback.loadAdapter(await engine.readAdapter());
    const [batch] = pack([4, 0]);
    const [{ loss: mine }, { loss: other }] = [await engine.score(batch), await fallback.score(batch)];
    mine.forEach((loss, t) => expect(Math.abs(loss - other[t])).toBeLessThan(2e-4));
    fallback.dispose();

    const prompts = [17, 30, 20].map((length, i) => idsOf(length, 90 + i));
    const made = await engine.generate(prompts, {
      maxNewTokens: 8,
      stopTokenIds: [],
      doSample: false,
      temperature: 1,
      topP: 1,
      seed: 0,
    });
    for (const [i, prompt] of prompts.entries()) {
      const ids = [...prompt];
      for (const id of made[i]) {
        const logits = await engine.logits(
          packDocuments([{ inputIds: ids, labels: ids }], { tokens: TOKENS, padTokenId: 0 })[0],
        );
        const row = logits.subarray((ids.length - 1) * 262, ids.length * 262);
        expect(row.indexOf(row.reduce((a, b) => Math.max(a, b)))).toBe(id);
        ids.push(id);
      }
    }
    engine.dispose();
  });
});
