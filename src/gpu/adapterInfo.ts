/** What an adapter says of itself: its name, whether it is a CPU, and the levels of arithmetic it offers. */
import type { KernelLevel } from './dispatch.ts';

/**
 * Levels that a device's features allow. The matrix level needs subgroup matrices of 16 x 16 x 16, with
 * float16 operands and float32 results, over subgroups of 32.
 */
export function offeredLevels({ features }: GPUDevice, info: GPUAdapterInfo): KernelLevel[] {
  if (!features.has('shader-f16')) return ['plain'];
  const {
    subgroupMinSize,
    subgroupMaxSize,
    subgroupMatrixConfigs = [],
  } = info as GPUAdapterInfo & SubgroupInfo;
  const fits = ({ M, N, K, componentType, resultComponentType }: SubgroupMatrixConfig) =>
    M === 16 && N === 16 && K === 16 && componentType === 'f16' && resultComponentType === 'f32';
  const matrix =
    features.has('chromium-experimental-subgroup-matrix') &&
    subgroupMinSize === 32 &&
    subgroupMaxSize === 32 &&
    [...subgroupMatrixConfigs].some(fits);
  return matrix ? ['plain', 'f16', 'matrix'] : ['plain', 'f16'];
}

/** What Chromium's adapter info has beyond the standard. */
interface SubgroupInfo {
  subgroupMinSize?: number;
  subgroupMaxSize?: number;
  subgroupMatrixConfigs?: Iterable<SubgroupMatrixConfig>;
}

interface SubgroupMatrixConfig {
  M: number;
  N: number;
  K: number;
  componentType: string;
  resultComponentType: string;
}

/** Vendor, architecture, device and description, as far as the browser gives them. */
export function adapterName(info: GPUAdapterInfo): string {
  return (
    [info.vendor, info.architecture, info.device, info.description].filter(Boolean).join(' ') ||
    'unnamed adapter'
  );
}

/** Whether the adapter is a CPU (SwiftShader, llvmpipe, WARP), where kernels without barriers are faster. */
export function isSoftwareAdapter(info: GPUAdapterInfo): boolean {
  return info.isFallbackAdapter || /swiftshader|llvmpipe|lavapipe|basic render|warp/i.test(adapterName(info));
}

/** Whether an invocation has 255 registers, as on every NVIDIA GPU since Kepler. */
export function hasManyRegisters({ vendor }: GPUAdapterInfo): boolean {
  return vendor === 'nvidia';
}
