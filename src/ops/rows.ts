import type { KernelSettings } from '../gpu/dispatch.ts';

/** One workgroup a row, folded into two dimensions where one is too small; kernels take row = y · groups.x + x. */
export function rowGrid(rows: number, settings: KernelSettings): [number, number, number] {
  if (rows <= settings.maxWorkgroups) return [rows, 1, 1];
  const y = Math.ceil(rows / settings.maxWorkgroups);
  return [Math.ceil(rows / y), y, 1];
}
