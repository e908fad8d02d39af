/**
 * From the page's forecast to an engine on the device: what was planned is what is allocated, at the level
 * that was chosen.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EngineHost } from '../../src/engine/engineHost.ts';
import { engineRequest, type EngineRequest } from '../../src/engine/engineRequest.ts';
import type { WeightSource } from '../../src/formats/tensors.ts';
import type { GpuContext } from '../../src/gpu/gpuContext.ts';
import { openModel } from '../../src/storage/storedWeights.ts';
import type { KernelRequest } from '../../src/tuning/kernelChoice.ts';
import type { LevelTimes } from '../../src/tuning/autotuner.ts';
import { KernelTuner, type TuningMemory } from '../../src/tuning/kernelTuner.ts';
import { GPU_KERNELS } from '../helpers/agreement.ts';
import { gpuWith, testGpu } from '../helpers/gpu.ts';
import { openTestHost, requestOf } from '../helpers/runHost.ts';

const gpu = await testGpu();

describe.skipIf(!gpu)('kernels of a run', { timeout: 600_000 }, () => {
  let context: GpuContext;
  let weights: WeightSource;
  let request: (kernels: KernelRequest) => EngineRequest;
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
  });
  afterAll(() => context.dispose());

  it('are those of the forecast, and the engine allocates what was forecast', async () => {
    const host = new EngineHost(async () => context);
    for (const level of context.levels) {
      const asked = request({ tune: true, level });
      const kernels = (await host.settleKernels(asked, () => false))!;
      const forecast = await host.forecast(asked);
      expect(kernels).toEqual({ level, basis: 'requested' });
      expect(forecast.kernels).toEqual(kernels);
      const engine = await host.create({ ...asked, weights, level, seed: 0 });
      expect(engine.memory).toEqual(forecast.memory);
      expect(Object.values(context.allocated()).reduce((a, b) => a + b, 0)).toBe(forecast.memory.total);
      expect(engine.tokensPerMicroBatch).toBe(forecast.tokensPerMicroBatch);
      engine.dispose();
    }
  });

  it.skipIf(gpu?.levels.length === 1)(
    'are measured once, and remembered after that (needs shader-f16)',
    async () => {
      const kept = new Map<string, LevelTimes>();
      const memory: TuningMemory = {
        read: async () => kept,
        put: async (_, key, times) => void kept.set(key, times),
      };
      const asked = request({ tune: true, level: 'auto' });
      const first = new EngineHost(async () => context, new KernelTuner(memory));
      expect(await first.measureLevel(asked, () => false)).toBe(true);
      expect(kept.size).toBe(1);
      const kernels = await first.settleKernels(asked, () => false);
      const again = new EngineHost(async () => context, new KernelTuner(memory));
      expect(await again.measureLevel(asked, () => false)).toBe(false);
      expect(await again.settleKernels(asked, () => false)).toEqual(kernels);
    },
  );
});
