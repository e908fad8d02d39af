/** A run's kernels: what is remembered is taken without measuring, `tune` off leaves the rule, the time before a start is kept to, and plans count what is allocated. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { GpuContext } from '../../src/gpu/gpuContext.ts';
import type { Measured } from '../../src/tuning/autotuner.ts';
import { tuningTasksOf } from '../../src/tuning/tuningProblems.ts';
import { openModel } from '../../src/storage/models.ts';
import { EngineHost } from '../../src/engine/engineHost.ts';
import { engineRequest, type EngineRequest } from '../../src/engine/engineRequest.ts';
import type { KernelRequest } from '../../src/tuning/kernelChoice.ts';
import type { TuningMemory } from '../../src/tuning/kernelTuner.ts';
import { makeEnginePlans } from '../../src/engine/enginePlans.ts';
import { modelOf } from '../../src/model/families/registry.ts';
import type { WeightSource } from '../../src/formats/tensors.ts';
import { GPU_KERNELS } from '../helpers/agreement.ts';
import { gpuWith, testGpu } from '../helpers/gpu.ts';
import { openTestHost, requestOf } from '../helpers/runHost.ts';

const gpu = await testGpu();
const OTHER_WAY = 'plain 64x32 4x4 / 1';

describe.skipIf(!gpu)('kernels of a run', { timeout: 600_000 }, () => {
  let context: GpuContext;
  let weights: WeightSource;
  let request: (kernels: KernelRequest) => EngineRequest;
  let keys: string[];
  beforeAll(async () => {
    context = await gpuWith(GPU_KERNELS);
    const { database, modelId } = await openTestHost();
    weights = (await openModel(database, modelId)).weights;
    const { request: run, close } = requestOf(modelId, {
      max_length: 64,
      lora: { r: 4 },
      training: { max_steps: 2, per_device_train_batch_size: 4 },
    });
    close();
    request = (kernels) => engineRequest({ ...run, kernels }, weights);
    const { tokensPerMicroBatch, gradientCheckpointing, lora } = request({ tune: true, level: 'auto' });
    const plans = makeEnginePlans(
      {
        model: modelOf(weights.config),
        weights: weights.tensors,
        lora,
        tokensPerMicroBatch,
        gradientCheckpointing,
      },
      context.settings,
      context.limits,
    );
    keys = tuningTasksOf([plans.training!.train, plans.score]).map(({ tuningProblem }) => tuningProblem.key);
  });
  afterAll(() => context.dispose());

  function memoryOf(entries: Record<string, Measured>): TuningMemory & { kept: Map<string, Measured> } {
    const kept = new Map(Object.entries(entries));
    return { kept, read: async () => kept, put: async (_, key, measured) => void kept.set(key, measured) };
  }

  it('are the remembered ones, and nothing is measured again; the plan says what is allocated', async () => {
    const entries = Object.fromEntries(keys.map((key) => [key, { plain: { config: OTHER_WAY, ms: 1 } }]));
    const host = new EngineHost(async () => context, memoryOf(entries));
    const onProgress = vi.fn();
    const asked = request({ tune: true, level: 'auto' });
    const kernels = (await host.settleKernels(asked, {
      budgetMs: 60_000,
      stopped: () => false,
      onProgress,
    }))!;
    expect(onProgress).not.toHaveBeenCalled();
    expect(kernels).toEqual({
      level: 'plain',
      choices: Object.fromEntries(keys.map((key) => [key, OTHER_WAY])),
      measured: keys.length,
      of: keys.length,
    });
    const answer = await host.memoryOf(asked);
    expect(answer.kernels).toEqual(kernels);
    const compiled = vi.spyOn(context, 'pipeline');
    const { lora, tokensPerMicroBatch, gradientCheckpointing, memoryAim } = asked;
    const engine = await host.create({
      weights,
      lora,
      tokensPerMicroBatch,
      gradientCheckpointing,
      memoryAim,
      kernels,
      seed: 0,
    });
    const products = compiled.mock.calls
      .filter(([, shader]) => shader === 'matmul_tiled_vec4')
      .map(([code]) => code);
    compiled.mockRestore();
    expect(products.length).toBeGreaterThan(5);
    expect(
      products.filter(
        (code) => code.includes('const TILE_N: u32 = 32u;') && code.includes('const PER_M: u32 = 4u;'),
      ).length,
    ).toBe(products.length);
    expect(engine.memory).toEqual(answer.memory);
    expect(Object.values(context.allocated()).reduce((a, b) => a + b, 0)).toBe(answer.memory.total);
    engine.dispose();
  });

  it('are the rule’s where the address says tune=off, whatever is remembered', async () => {
    const entries = Object.fromEntries(keys.map((key) => [key, { plain: { config: OTHER_WAY, ms: 1 } }]));
    const host = new EngineHost(async () => context, memoryOf(entries));
    const onProgress = vi.fn();
    const asked = request({ tune: false, level: 'auto' });
    expect(await host.measureKernels(asked, { budgetMs: 60_000, stopped: () => false, onProgress })).toBe(
      false,
    );
    const kernels = await host.settleKernels(asked, { budgetMs: 60_000, stopped: () => false, onProgress });
    expect(onProgress).not.toHaveBeenCalled();
    expect(kernels).toEqual({ level: 'plain', choices: {}, measured: 0, of: 0 });
    expect((await host.memoryOf(asked)).kernels).toEqual(kernels);
  });

  it('that there is no time to measure are left to the rule, this time and every other', async () => {
    const memory = memoryOf({});
    const asked = request({ tune: true, level: 'auto' });
    const none = { budgetMs: 0, stopped: () => false };
    const kernels = await new EngineHost(async () => context, memory).settleKernels(asked, none);
    expect(kernels).toEqual({ level: 'plain', choices: {}, measured: 0, of: keys.length });
    expect([...memory.kept.keys()].sort()).toEqual([...keys].sort());
    const onProgress = vi.fn();
    const again = await new EngineHost(async () => context, memory).settleKernels(asked, {
      budgetMs: 60_000,
      stopped: () => false,
      onProgress,
    });
    expect(onProgress).not.toHaveBeenCalled();
    expect(again).toEqual(kernels);
  });

  it('are measured in the background, costliest first, until something else is asked for', async () => {
    const memory = memoryOf({});
    const host = new EngineHost(async () => context, memory);
    let done = 0;
    const asked = request({ tune: true, level: 'auto' });
    const measured = host.measureKernels(asked, {
      budgetMs: 300_000,
      stopped: () => done >= 1,
      onProgress: (at) => (done = Math.max(done, at)),
    });
    const settled = host.settleKernels(asked, { budgetMs: 0, stopped: () => false });
    expect(await measured).toBe(true);
    const [first] = [...memory.kept];
    expect(first[0]).toBe(keys[0]);
    expect(first[1].plain!.ms).toBeGreaterThan(0);
    expect(await settled).toEqual({
      level: 'plain',
      choices: { [keys[0]]: first[1].plain!.config },
      measured: 1,
      of: keys.length,
    });
  });
});
