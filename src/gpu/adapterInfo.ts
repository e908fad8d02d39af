/** What an adapter says of itself: its name, whether it is a CPU, and the levels of arithmetic it offers. */
import type { KernelLevel, MatrixUnits } from './dispatch.ts';

/** Levels that a device's features allow. */
export function offeredLevels(device: GPUDevice, info: GPUAdapterInfo): KernelLevel[] {
  if (!device.features.has('shader-f16')) return ['plain'];
  return matrixUnits(device, info) ? ['plain', 'f16', 'matrix'] : ['plain', 'f16'];
}

/** Sides of fragments that the kernels can be made of, the fastest first where they were measured. */
const FRAGMENTS: readonly (readonly [m: number, n: number, k: number])[] = [
  [16, 16, 16],
  [16, 8, 16],
  [16, 8, 8],
  [8, 16, 16],
  [8, 8, 16],
  [8, 8, 8],
];

/** Sizes of subgroups that the kernels divide a tile among. */
const SUBGROUPS: readonly (number | undefined)[] = [8, 16, 32, 64];

/**
 * The matrix units that level matrix runs on: float16 operands and float32 results, or float32 alone, as
 * Apple's GPUs have it. Where subgroups are of several sizes, the smallest is asked for, since that is the
 * one whose matrices drivers have.
 * @returns null where the device has none of them, or subgroups whose size cannot be known
 */
export function matrixUnits({ features }: GPUDevice, info: GPUAdapterInfo): MatrixUnits | null {
  const {
    subgroupMinSize: subgroup,
    subgroupMaxSize,
    subgroupMatrixConfigs = [],
  } = info as GPUAdapterInfo & SubgroupInfo;
  const extension = features.has('chromium-experimental-subgroup-matrix') ? 'chromium' : 'draft';
  if (extension === 'draft' && !features.has('subgroup-matrix')) return null;
  const pinned = subgroup !== subgroupMaxSize;
  if (!subgroup || !SUBGROUPS.includes(subgroup)) return null;
  if (pinned && !features.has('subgroup-size-control')) return null;
  const configs = [...subgroupMatrixConfigs].filter(
    ({ resultComponentType }) => resultComponentType === 'f32',
  );
  for (const operands of ['f16', 'f32'] as const) {
    const offered = configs.filter(({ componentType }) => componentType === operands);
    const found = FRAGMENTS.find(([m, n, k]) => offered.some(({ M, N, K }) => M === m && N === n && K === k));
    if (found) return { m: found[0], n: found[1], k: found[2], operands, subgroup, pinned, extension };
  }
  return null;
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
