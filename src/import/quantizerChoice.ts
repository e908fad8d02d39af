/** Which of GPU and CPU quantises an import: the faster one, where the GPU computes the CPU's bytes. */
import { isSoftwareAdapter } from '../gpu/adapterInfo.ts';
import type { GpuContext } from '../gpu/gpuContext.ts';
import { report } from '../lib/errorLog.ts';
import { quantizeBlocks } from '../quant/nf4Code.ts';
import { GpuQuantizer, type BlockQuantizer } from './gpuQuantizer.ts';
import { testElements } from './quantizerTestData.ts';

/** Blocks on which GPU and CPU are timed: 1 MiB of bfloat16. */
const TIMED_BLOCKS = 8192;

/**
 * Runs an import with the faster of GPU and CPU. The import has a device of its own, which is destroyed with
 * it. It holds buffers of a few MiB and no weights, so that it does not slow down a trainer that works on its
 * own device.
 * @param open gives null where there is no adapter
 */
export async function withQuantizer<T>(
  open: () => Promise<GpuContext | null>,
  work: (quantize: BlockQuantizer | undefined) => Promise<T>,
): Promise<T> {
  const context = await open().catch((error: unknown) => {
    // The CPU quantises instead.
    report(error, 'opening the GPU for an import', 'warning');
    return null;
  });
  // A software adapter runs on the same CPU and is slower than this thread.
  const quantizer =
    context && !isSoftwareAdapter(context.adapterInfo) ? await GpuQuantizer.create(context) : null;
  const quantize: BlockQuantizer | undefined = quantizer
    ? (...parameters) => quantizer.quantize(...parameters)
    : undefined;
  try {
    return await work(quantize && (await isFaster(quantize)) ? quantize : undefined);
  } finally {
    quantizer?.dispose();
    context?.dispose();
  }
}

async function isFaster(quantize: BlockQuantizer): Promise<boolean> {
  const elements = testElements('BF16', TIMED_BLOCKS);
  const absmax = new Float32Array(TIMED_BLOCKS);
  const packed = new Uint8Array(TIMED_BLOCKS * 32);
  const time = async (work: BlockQuantizer | typeof quantizeBlocks) => {
    let best = Infinity;
    for (let run = 0; run < 3; run++) {
      const started = performance.now();
      await work('BF16', elements, TIMED_BLOCKS, absmax, 0, packed, 0);
      best = Math.min(best, performance.now() - started);
    }
    return best;
  };
  return (await time(quantize)) < (await time(quantizeBlocks));
}
