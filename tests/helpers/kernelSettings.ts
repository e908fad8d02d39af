import type { KernelSettings } from '../../src/gpu/dispatch.ts';

/** What kernels are planned for on a GPU of moderate limits, where none is needed. */
export function kernelSettings(change: Partial<KernelSettings> = {}): KernelSettings {
  return {
    target: 'gpu',
    rowWorkgroup: 128,
    maxSums: 64,
    level: 'plain',
    workgroupBytes: 16384,
    maxWorkgroups: 65535,
    maxStorageBuffers: 10,
    maxBindingBytes: 2 ** 27,
    ...change,
  };
}
