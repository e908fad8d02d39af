/**
 * From the page's forecast to the engine: each plan is made once, and the run has the kernels that the page
 * showed.
 */
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { randomModel, SHAPES } from '../../src/verify/randomModel.ts';
import { EngineHost } from '../../src/engine/engineHost.ts';
import { engineRequest, type RunDemand } from '../../src/engine/engineRequest.ts';
import type { PlannedEngine } from '../../src/engine/memoryChoice.ts';
import { WebGpuEngine } from '../../src/engine/webgpu/webgpuEngine.ts';
import type { KernelLevel, KernelSettings } from '../../src/gpu/dispatch.ts';
import type { GpuContext } from '../../src/gpu/gpuContext.ts';
import type * as PlanModule from '../../src/plan/plan.ts';
import { parseRecipe } from '../../src/training/recipe.ts';
import type { LevelTimes } from '../../src/tuning/autotuner.ts';
import { KernelTuner, tuningKey, type TuningMemory } from '../../src/tuning/kernelTuner.ts';
import { kernelSettings } from '../helpers/kernelSettings.ts';

/** Every plan that is made, as its name, its level and how many dispatches it has. */
const made = vi.hoisted((): string[] => []);
vi.mock('../../src/plan/plan.ts', async (original) => {
  const module = await original<typeof PlanModule>();
  return {
    ...module,
    makePlan(name: string, ...rest: [never, KernelSettings, never]) {
      const plan = module.makePlan(name, ...rest);
      made.push(`${name} at ${rest[1].level}, ${plan.dispatches.length} dispatches`);
      return plan;
    },
  };
});

const weights = randomModel({
  ...SHAPES['SmolLM2-135M'],
  hidden_size: 128,
  intermediate_size: 256,
  num_hidden_layers: 4,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  vocab_size: 256,
});
const demand = (change: Partial<RunDemand> = {}): RunDemand => ({
  recipe: parseRecipe({ max_length: 128 }),
  trainLengths: Uint32Array.of(100, 120, 90, 128, 60, 70),
  longestValidation: 100,
  kernels: { tune: true, level: 'auto' },
  ...change,
});
const requestFor = (change: Partial<RunDemand> = {}) => engineRequest(demand(change), weights);
const never = () => false;

function fakeGpu(levels: KernelLevel[]): GpuContext {
  return {
    name: 'a GPU',
    levels,
    lost: null,
    settings: kernelSettings(),
    limits: { maxBindingBytes: 2 ** 27, maxBufferBytes: 2 ** 28 },
    device: { features: new Set() },
    causeOf: async (error: unknown) => error,
    releaseBuffers: () => undefined,
  } as unknown as GpuContext;
}

/** A host whose measurements give `times`. */
function hostOf(levels: KernelLevel[], times: LevelTimes = {}, memory: TuningMemory | null = null) {
  const measured = vi.fn();
  const tuner = new KernelTuner(memory, (async () => {
    measured();
    return times;
  }) as never);
  return { host: new EngineHost(async () => fakeGpu(levels), tuner), measured };
}

/** Creates an engine on a device that does nothing. @returns the plans that it was given */
async function createdFrom(host: EngineHost, level: KernelLevel | undefined): Promise<PlannedEngine> {
  const create = vi.spyOn(WebGpuEngine, 'create').mockResolvedValue({ dispose: () => undefined } as never);
  const { kernels, ...request } = requestFor();
  expect(kernels.level).toBe('auto');
  await host.create({ weights, ...request, level, seed: 0 });
  const [, options, planned] = create.mock.calls[0];
  expect(options.level).toBe(level);
  create.mockRestore();
  return planned!;
}

/** What the page's plan and one press of Train do, with a model that is read from the store each time. */
async function pressTrain(host: EngineHost) {
  const shown = await host.forecast(requestFor());
  const kernels = await host.settleKernels(requestFor(), never);
  return { shown, kernels: kernels!, planned: await createdFrom(host, kernels!.level) };
}

beforeEach(() => {
  made.length = 0;
});

describe('the plans of one press of Train', () => {
  it('are made once where the adapter has one level: the engine takes those that the page showed', async () => {
    const { host, measured } = hostOf(['plain']);
    await host.forecast(requestFor());
    const shownPlans = [...made];
    expect(shownPlans.length).toBeGreaterThanOrEqual(3);
    const { shown, kernels, planned } = await pressTrain(host);
    expect(made).toEqual(shownPlans);
    expect(kernels).toEqual({ level: 'plain', basis: 'only' });
    expect(shown.kernels).toEqual(kernels);
    expect(planned.choice).toEqual(shown.choice);
    expect(measured).not.toHaveBeenCalled();
  });

  it('are made once at each level that is needed: plain to measure, and the level that was found', async () => {
    const { host, measured } = hostOf(['plain', 'f16', 'matrix'], { plain: 3, f16: 2, matrix: 1 });
    const { kernels, planned } = await pressTrain(host);
    expect(kernels).toEqual({ level: 'matrix', basis: 'measured' });
    expect(measured).toHaveBeenCalledTimes(1);
    expect(new Set(made).size).toBe(made.length);
    expect(made.filter((each) => each.startsWith('score'))).toEqual([
      expect.stringMatching(/^score at plain/),
      expect.stringMatching(/^score at matrix/),
    ]);
    // Another press makes and measures nothing, and has the very same plans.
    const before = made.length;
    const again = await pressTrain(host);
    expect(made.length).toBe(before);
    expect(again.shown.kernels).toEqual(kernels);
    expect(again.planned).toBe(planned);
    expect(measured).toHaveBeenCalledTimes(1);
  });

  it('are made at the remembered level alone', async () => {
    const times = new Map([[tuningKey(requestFor()), { plain: 3, f16: 1 }]]);
    const memory: TuningMemory = { read: async () => times, put: async () => undefined };
    const { host, measured } = hostOf(['plain', 'f16'], {}, memory);
    const { shown, kernels } = await pressTrain(host);
    expect(kernels).toEqual({ level: 'f16', basis: 'measured' });
    expect(shown.kernels).toEqual(kernels);
    expect(measured).not.toHaveBeenCalled();
    expect(made.filter((each) => each.includes('at plain'))).toEqual([]);
  });

  it('are made again for what changes them, and not for what does not', async () => {
    const { host } = hostOf(['plain']);
    await host.forecast(requestFor());
    const first = made.length;
    await host.forecast(
      requestFor({ recipe: parseRecipe({ max_length: 128, training: { learning_rate: 1e-3 } }) }),
    );
    expect(made.length).toBe(first);
    for (const [i, recipe] of [
      { max_length: 128, lora: { r: 8 } },
      { max_length: 128, training: { gradient_checkpointing: false } },
      { max_length: 128, training: { gpu_memory_limit_gib: 1 } },
    ].entries()) {
      await host.forecast(requestFor({ recipe: parseRecipe(recipe) }));
      expect(made.length, `change ${i}`).toBeGreaterThan(first * (i + 1));
    }
  });
});

describe('the kernels of a run', () => {
  const settled = async (levels: KernelLevel[], kernels: RunDemand['kernels'], times: LevelTimes = {}) => {
    const { host, measured } = hostOf(levels, times);
    const request = requestFor({ kernels });
    const shown = (await host.forecast(request)).kernels!;
    const onMeasure = vi.fn();
    const run = await host.settleKernels(request, never, onMeasure);
    expect(onMeasure).toHaveBeenCalledTimes(measured.mock.calls.length);
    return { shown: shown.basis, run, measurements: measured.mock.calls.length };
  };

  it('are plain where the address says tune=off', async () => {
    expect(await settled(['plain', 'f16'], { tune: false, level: 'auto' }, { plain: 2, f16: 1 })).toEqual({
      shown: 'off',
      run: { level: 'plain', basis: 'off' },
      measurements: 0,
    });
  });

  it('are of the level that the address names', async () => {
    expect(await settled(['plain', 'f16'], { tune: true, level: 'f16' })).toEqual({
      shown: 'requested',
      run: { level: 'f16', basis: 'requested' },
      measurements: 0,
    });
    await expect(settled(['plain'], { tune: true, level: 'f16' })).rejects.toThrow(
      /a GPU has no kernels of level f16 in this browser, only plain\. Take level=f16 out/,
    );
  });

  it('are pending until they are measured, and plain where the levels could not be compared', async () => {
    expect(await settled(['plain', 'f16'], { tune: true, level: 'auto' }, { plain: 2, f16: 1 })).toEqual({
      shown: 'pending',
      run: { level: 'f16', basis: 'measured' },
      measurements: 1,
    });
    expect(await settled(['plain', 'f16'], { tune: true, level: 'auto' }, {})).toEqual({
      shown: 'pending',
      run: { level: 'plain', basis: 'unknown' },
      measurements: 1,
    });
  });

  it('are measured in the background unless an engine holds the device, and then known', async () => {
    const { host, measured } = hostOf(['plain', 'f16'], { plain: 2, f16: 1 });
    expect(await host.measureLevel(requestFor(), () => true)).toBe(false);
    expect(await host.measureLevel(requestFor(), never)).toBe(true);
    expect((await host.forecast(requestFor())).kernels).toEqual({ level: 'f16', basis: 'measured' });
    expect(await host.measureLevel(requestFor(), never)).toBe(false);
    expect(measured).toHaveBeenCalledTimes(1);

    const busy = hostOf(['plain', 'f16'], { plain: 2, f16: 1 });
    await createdFrom(busy.host, 'plain');
    expect(await busy.host.measureLevel(requestFor(), never)).toBe(false);
    expect(busy.measured).not.toHaveBeenCalled();
  });

  it('are undecided where measuring is stopped: plain for this run, and pending for the next', async () => {
    const { host } = hostOf(['plain', 'f16'], { plain: 2, f16: 1 });
    expect(await host.settleKernels(requestFor(), () => true)).toEqual({ level: 'plain', basis: 'unknown' });
    expect((await host.forecast(requestFor())).kernels).toEqual({ level: 'plain', basis: 'pending' });
  });
});
