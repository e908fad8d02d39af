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

let promised: Promise<GpuContext> | undefined;

/**
 * A device that was asked for no limit: it has what WebGPU promises everywhere, whatever the adapter offers.
 */
export async function promisedGpu(settings: Partial<KernelSettings> = {}): Promise<GpuContext> {
  promised ??= openGpu(nodeGpu(), []).then(orThrow);
  return viewOf(await promised, settings, {});
}

/** The test file's device with other kernel settings, and with limits below its own: plans keep to those. */
export async function gpuWith(
  settings: Partial<KernelSettings>,
  limits: Partial<MemoryLimits> = {},
): Promise<GpuContext> {
  return viewOf(orThrow(await testGpu()), settings, limits);
}

/** A device of its own, which may be lost. */
export async function ownGpu(): Promise<GpuContext> {
  return orThrow(await openGpu(nodeGpu()));
}

function orThrow(context: GpuContext | null): GpuContext {
  if (!context) throw new Error('no adapter');
  return context;
}

/**
 * The same device and its compiled kernels, since software adapters compile for seconds, with settings,
 * limits and buffers apart.
 */
function viewOf(
  context: GpuContext,
  settings: Partial<KernelSettings>,
  limits: Partial<MemoryLimits>,
): GpuContext {
  const view = Object.create(context) as GpuContext;
  return Object.assign(view, {
    settings: { ...context.settings, ...settings },
    limits: { ...context.limits, ...limits },
    ledger: new Map(),
    check: () => context.check(),
    dispose: () => view.releaseBuffers(),
  });
}
