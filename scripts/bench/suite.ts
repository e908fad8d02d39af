/** Runs the benchmark's parts in order on one device, in Node or in a page. */
import { isSoftwareAdapter } from '../../src/gpu/adapterInfo.ts';
import type { GpuContext } from '../../src/gpu/gpuContext.ts';
import { measureCopy } from './copy.ts';
import { benchDecode } from './decode.ts';
import { benchEager } from './eager.ts';
import type { BenchFigures } from './figures.ts';
import type { BenchHost, BenchOptions, Part } from './measuring.ts';
import { benchGrowth, benchLongRun } from './growth.ts';
import { benchKernels } from './kernels.ts';
import { benchLevels } from './levels.ts';
import { benchSteps } from './steps.ts';
import { benchVariants } from './variants.ts';

/** @param options without `size`, a software adapter gets tiny sizes and any other real ones */
export async function runBench(
  context: GpuContext,
  host: BenchHost,
  options: Omit<BenchOptions, 'size'> & Partial<Pick<BenchOptions, 'size'>>,
): Promise<BenchFigures> {
  const software = isSoftwareAdapter(context.adapterInfo);
  const size = options.size ?? (software ? 'tiny' : 'real');
  const { name: adapter } = context;
  host.log(
    `Adapter: ${adapter}${software ? ' (software)' : ''}; levels: ${context.levels.join(', ')}${size === 'tiny' ? '; tiny sizes: the figures say nothing of real models' : ''}`,
  );
  const figures: BenchFigures = {
    adapter,
    software,
    size,
    copyBytesPerSecond: null,
    kernels: [],
    steps: [],
    decode: [],
    eager: [],
    levels: [],
    longRun: null,
    growth: null,
    variants: [],
  };
  const started = performance.now();
  const chosen = { ...options, size };
  const parts: Record<Part, () => Promise<unknown>> = {
    kernels: async () => (figures.kernels = await benchKernels(context, host, chosen)),
    steps: async () => (figures.steps = await benchSteps(context, host, chosen)),
    decode: async () => {
      figures.copyBytesPerSecond = await measureCopy(context, size);
      host.log(`a copy: ${(figures.copyBytesPerSecond / 1e9).toFixed(0)} GB/s, reads and writes`);
      figures.decode = await benchDecode(context, host, chosen);
    },
    eager: async () => (figures.eager = await benchEager(context, host, chosen)),
    levels: async () => (figures.levels = await benchLevels(context, host, chosen)),
    longRun: async () => (figures.longRun = await benchLongRun(context, host, chosen)),
    growth: async () => (figures.growth = await benchGrowth(context, host, chosen)),
    variants: async () => (figures.variants = await benchVariants(context, host, chosen)),
  };
  for (const part of options.parts) {
    await parts[part]();
    host.log(`${part}: done after ${((performance.now() - started) / 1000).toFixed(0)} s`);
    await host.save?.(figures);
  }
  return figures;
}
