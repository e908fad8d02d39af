/** WebGPU in Node by Dawn (the npm package `webgpu`), and the environment that lets it find an adapter. */
import { create, globals } from 'webgpu';
import { isSoftwareAdapter } from '../../src/gpu/adapterInfo.ts';
import { openGpu, type GpuContext } from '../../src/gpu/gpuContext.ts';
import { softwareNotice } from './graphicsCards.ts';
import { pollPatiently } from './patientPolling.ts';

let kept: GPU | undefined;

/**
 * Dawn's GPU object; kept for the life of the process, because collecting it ends its devices. Switches:
 * FINETAB_DAWN, comma-separated.
 */
export function nodeGpu(): GPU {
  if (!kept) {
    Object.assign(globalThis, globals);
    const gpu = create((process.env.FINETAB_DAWN ?? '').split(';').filter(Boolean));
    const requestAdapter = gpu.requestAdapter.bind(gpu);
    gpu.requestAdapter = async (options) => {
      const adapter = await requestAdapter(options);
      if (adapter && isSoftwareAdapter(adapter.info)) pollPatiently();
      return adapter;
    };
    kept = gpu;
  }
  return kept;
}

/**
 * Says so where the adapter is the processor though the machine has a graphics card; `npm test` says it once
 * for all of its files.
 * @throws where there is neither a GPU nor a software adapter
 */
export async function openNodeGpu(): Promise<GpuContext> {
  const context = await openGpu(nodeGpu());
  if (!context)
    throw new Error(
      'No WebGPU adapter was found. Install a graphics driver with Vulkan, or Chromium, whose software adapter is used where there is no GPU.',
    );
  const notice = isSoftwareAdapter(context.adapterInfo) && !process.env.VITEST && softwareNotice();
  if (notice) console.error(notice);
  return context;
}
