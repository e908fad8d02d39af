/** The GPU of tests: a real one where there is one, else a software adapter. Without either, tests say that they are skipped; REQUIRE_GPU=1 makes that an error. */
import { openNodeGpu } from '../../scripts/lib/nodeGpu.ts';
import type { GpuContext } from '../../src/gpu/context.ts';
import { openGpu } from '../../src/gpu/context.ts';
import type { KernelSettings } from '../../src/gpu/dispatch.ts';
import type { MemoryLimits } from '../../src/plan/memory.ts';
import { nodeGpu } from '../../scripts/lib/nodeGpu.ts';

let opened: Promise<GpuContext | null> | undefined;

/** What WebGPU promises everywhere. */
export const WEBGPU_LIMITS: MemoryLimits = { maxBindingBytes: 128 * 2 ** 20, maxBufferBytes: 256 * 2 ** 20 };

/**
 * One device a test file; null where this machine has no adapter. With SMALL_BINDINGS=BYTES it keeps to WebGPU's own limits and splits weights
 * and sweeps at so many bytes.
 */
export function testGpu(): Promise<GpuContext | null> {
  const bytes = Number(process.env.SMALL_BINDINGS);
  opened ??= (bytes > 0 ? gpuWith({ maxBindingBytes: bytes }, WEBGPU_LIMITS) : openNodeGpu()).catch((error: unknown) => {
    if (process.env.REQUIRE_GPU) throw error;
    return null;
  });
  return opened;
}

/** A device of its own with other kernel settings, and with limits below its own: plans and buffers then keep to those. */
export async function gpuWith(settings: Partial<KernelSettings>, limits: Partial<MemoryLimits> = {}): Promise<GpuContext> {
  const context = await openGpu(nodeGpu());
  if (!context) throw new Error('no adapter');
  Object.assign(context.settings, settings);
  Object.assign(context.limits, limits);
  return context;
}
