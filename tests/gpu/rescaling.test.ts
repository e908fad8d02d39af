/**
 * The float16 levels' scaled gradients: a step that overflows is repeated smaller and then is the plain step;
 * one that cannot be saved changes nothing.
 */
import { afterAll, describe, expect, it, vi } from 'vitest';
import { packDocuments } from '../../src/data/packing.ts';
import { DocumentTable } from '../../src/data/documentTable.ts';
import { openCheckpoint } from '../../src/formats/checkpoint.ts';
import type { KernelLevel } from '../../src/gpu/dispatch.ts';
import { modelOf } from '../../src/model/families/registry.ts';
import { uniform } from '../../src/verify/caseBuilder.ts';
import type { AdapterTensors } from '../../src/engine/engine.ts';
import type { GpuSteps } from '../../src/engine/webgpu/optimizerSteps.ts';
import { parseRecipe } from '../../src/training/recipe.ts';
import { Trainer } from '../../src/training/trainer.ts';
import { WebGpuEngine } from '../../src/engine/webgpu/webgpuEngine.ts';
import { memoryWeightSource } from '../../src/import/weightSources.ts';
import { gpuWith, testGpu } from '../helpers/gpu.ts';
import { TINY_CONFIG, tinyModelFiles, TINY_LORA } from '../helpers/tinyModel.ts';

const hasGpu = (await testGpu()) !== null;
/** Kernels without float16, so that nothing but the scale differs: a product with a power of two is exact. */
const context = hasGpu ? await gpuWith({ target: 'cpu', rowWorkgroup: 1 }) : null;
afterAll(() => context?.dispose());

const documents = [9, 14, 21, 12].map((length, i) => {
  const inputIds = [...uniform(length, 50 + i)].map((value) => Math.floor((value + 1) * 120));
  return { inputIds, labels: inputIds, promptTokens: 1, truncatedTokens: 0, line: i + 1 };
});
const microBatches = packDocuments(documents, { tokens: 64, padTokenId: 0 });
const step = (number: number) => ({
  microBatches,
  step: number,
  learningRate: 1e-2,
  weightDecay: 0.01,
  maxGradNorm: 1,
});

/**
 * Bits of a scale at which the sum of squares (gradients of about 1) no longer fits float32, but does at a
 * 16th of it.
 */
const OVERFLOWS_ONCE = 58;
/** And one so large that no repetition helps. */
const OVERFLOWS_ALWAYS = 120;

async function engineAt(level: KernelLevel): Promise<WebGpuEngine> {
  context!.settings.level = level;
  const source = await openCheckpoint(tinyModelFiles());
  const weights = memoryWeightSource(source, modelOf(TINY_CONFIG).tensors, 'nf4');
  return WebGpuEngine.create(context!, {
    weights,
    lora: TINY_LORA,
    tokensPerMicroBatch: 64,
    gradientCheckpointing: false,
    seed: 7,
  });
}

/** Makes the next step begin with gradients times 2 to about `bits`. */
function scaleBy(engine: WebGpuEngine, bits: number): void {
  Object.assign(stepsOf(engine), { scaleBits: bits });
}

function stepsOf(engine: WebGpuEngine): GpuSteps {
  return (engine as unknown as { training: GpuSteps }).training;
}

/** How often the gradients of a step were computed. */
function countAttempts(engine: WebGpuEngine) {
  return vi.spyOn(stepsOf(engine), 'accumulateGradients');
}

/** @param together all steps are asked for before the first is over */
async function trained(
  level: KernelLevel,
  bits: number | null,
  together = false,
): Promise<{ losses: number[]; norms: number[]; adapter: AdapterTensors; attempts: number }> {
  const engine = await engineAt(level);
  if (bits !== null) scaleBy(engine, bits);
  const attempts = countAttempts(engine);
  const asked = [];
  for (let i = 0; i < 3; i++) {
    asked.push(engine.trainStep(step(i)));
    if (!together) await asked[i];
  }
  const made = await Promise.all(asked);
  const adapter = await engine.readAdapter();
  engine.dispose();
  return {
    losses: made.map(({ loss }) => loss),
    norms: made.map(({ gradNorm }) => gradNorm),
    adapter,
    attempts: attempts.mock.calls.length,
  };
}

describe.skipIf(!hasGpu)('a step whose scaled gradients overflow', () => {
  it('is repeated with a smaller scale and then equals the plain step, byte for byte', async () => {
    const plain = await trained('plain', null);
    const scaled = await trained('f16', null);
    const repeated = await trained('f16', OVERFLOWS_ONCE);
    expect([plain.attempts, scaled.attempts, repeated.attempts]).toEqual([3, 3, 4]);
    for (const other of [scaled, repeated]) {
      expect(other.losses).toEqual(plain.losses);
      other.norms.forEach((norm, i) => expect(Math.abs(norm / plain.norms[i] - 1)).toBeLessThan(1e-6));
      expect(other.adapter).toEqual(plain.adapter);
    }
  });

  it('holds back the steps that were asked for behind it, and they follow in order', async () => {
    const plain = await trained('plain', null);
    const together = await trained('plain', null, true);
    const repeated = await trained('f16', OVERFLOWS_ONCE, true);
    expect(together).toEqual(plain);
    // All were submitted before the first was known to have overflowed, and were repeated.
    expect(repeated.attempts).toBe(6);
    expect(repeated.losses).toEqual(plain.losses);
    expect(repeated.adapter).toEqual(plain.adapter);
  });

  it('ends what was asked for behind a step that cannot be saved with its error', async () => {
    const engine = await engineAt('f16');
    await engine.trainStep(step(0));
    const before = [await engine.readAdapter(), await engine.readOptimizer()];
    scaleBy(engine, OVERFLOWS_ALWAYS);
    const ends = await Promise.allSettled([1, 2].map((number) => engine.trainStep(step(number))));
    for (const end of ends)
      expect(end).toMatchObject({ status: 'rejected', reason: { name: 'NonFiniteError', step: 1 } });
    expect([await engine.readAdapter(), await engine.readOptimizer()]).toEqual(before);
    scaleBy(engine, 6);
    const { loss } = await engine.trainStep(step(1));
    expect(loss).toBe((await trained('plain', null)).losses[1]);
    engine.dispose();
  });

  it('ends with a clear error where no scale helps, and adapter and optimiser are as they were', async () => {
    const engine = await engineAt('f16');
    for (let i = 0; i < 2; i++) await engine.trainStep(step(i));
    const before = [await engine.readAdapter(), await engine.readOptimizer()];
    scaleBy(engine, OVERFLOWS_ALWAYS);
    const attempts = countAttempts(engine);
    await expect(engine.trainStep(step(2))).rejects.toThrow(
      /(loss|gradient norm) became NaN or infinite at step 3; the step was not applied and the adapter is as it was before/,
    );
    expect(attempts).toHaveBeenCalledTimes(4);
    expect([await engine.readAdapter(), await engine.readOptimizer()]).toEqual(before);
    // It is the scale that was at fault: with a fair one the engine goes on where it was.
    scaleBy(engine, 6);
    const { loss } = await engine.trainStep(step(2));
    engine.dispose();
    const plain = await trained('plain', null);
    expect(loss).toBe(plain.losses[2]);
  });

  it('ends a run as diverged, with the adapter of the last good step', async () => {
    const recipe = parseRecipe({
      lora: { r: 4, lora_alpha: 8 },
      training: { max_steps: 6, per_device_train_batch_size: 2, learning_rate: 0.01 },
    });
    const engine = await engineAt('f16');
    const run = (steps: number, emit: ConstructorParameters<typeof Trainer>[0]['emit']) =>
      new Trainer({
        engine,
        recipe: { ...recipe, training: { ...recipe.training, max_steps: steps } },
        documents: DocumentTable.of('t', documents),
        padTokenId: 0,
        evaluators: [],
        emit,
      }).run();
    // The fourth step is submitted before the third is reported.
    let good = null as Promise<AdapterTensors> | null;
    const result = await run(6, (event) => {
      if (event.type !== 'progress' || event.step !== 3) return;
      good = engine.readAdapter();
      scaleBy(engine, OVERFLOWS_ALWAYS);
    });
    expect(result).toMatchObject({ reason: 'diverged', steps: 4, adapterStep: 4 });
    expect(result.message).toMatch(/became NaN or infinite at step 5/);
    expect(result.adapter).toEqual(await good);
    engine.dispose();
  });
});
