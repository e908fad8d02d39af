/**
 * The GPU of tests: a real one where there is one, else a software adapter. Without either, tests say that
 * they are skipped; REQUIRE_GPU=1 makes that an error.
 */
import { openNodeGpu } from '../../scripts/lib/nodeGpu.ts';
import type { GpuContext } from '../../src/gpu/gpuContext.ts';
import { openGpu } from '../../src/gpu/gpuContext.ts';
import type { KernelSettings } from '../../src/gpu/dispatch.ts';
import type { MemoryLimits } from '../../src/plan/memoryPlan.ts';
import { nodeGpu } from '../../scripts/lib/nodeGpu.ts';

let opened: Promise<GpuContext | null> | undefined;

/** One device a test file; null where this machine has no adapter. */
export function testGpu(): Promise<GpuContext | null> {
  opened ??= openNodeGpu().catch((error: unknown) => {
    if (process.env.REQUIRE_GPU) throw error;
    return null;
  });
  return opened;
}

/**
 * A device that was asked for no limit: it has what WebGPU promises everywhere, whatever the adapter offers.
 */
export async function promisedGpu(settings: Partial<KernelSettings> = {}): Promise<GpuContext> {
  return configured(await openGpu(nodeGpu(), []), settings, {});
}

/**
 * A device of its own with other kernel settings, and with limits below its own: plans and buffers then keep
 * to those.
 */
export async function gpuWith(
  settings: Partial<KernelSettings>,
  limits: Partial<MemoryLimits> = {},
): Promise<GpuContext> {
  return configured(await openGpu(nodeGpu()), settings, limits);
}

function configured(
  context: GpuContext | null,
  settings: Partial<KernelSettings>,
  limits: Partial<MemoryLimits>,
): GpuContext {
  if (!context) throw new Error('no adapter');
  Object.assign(context.settings, settings);
  Object.assign(context.limits, limits);
  return context;
}
