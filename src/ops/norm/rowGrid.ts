/** Grids of kernels that process a tensor row by row. */
import type { KernelSettings } from '../../gpu/dispatch.ts';

/** Rows of a workgroup where each invocation processes a row on its own (lib/row_serial.wgsl). */
const SERIAL_ROWS = 8;

/**
 * Constants and grid of kernels that reduce a row by a workgroup on a GPU, and by one invocation on a CPU
 * adapter.
 */
export function rowReduction(
  rows: number,
  settings: KernelSettings,
): {
  constants: { ROWS: number; SERIAL_ROWS: boolean; WORKGROUP: number };
  workgroups: [number, number, number];
} {
  const isSerial = settings.target === 'cpu';
  return {
    constants: { ROWS: rows, SERIAL_ROWS: isSerial, WORKGROUP: settings.rowWorkgroup },
    workgroups: rowGrid(isSerial ? Math.ceil(rows / SERIAL_ROWS) : rows, settings),
  };
}

/**
 * One workgroup for each row, folded into two dimensions where one is too small; kernels compute
 * row = y · groups.x + x.
 */
export function rowGrid(rows: number, settings: KernelSettings): [number, number, number] {
  if (rows <= settings.maxWorkgroups) return [rows, 1, 1];
  const y = Math.ceil(rows / settings.maxWorkgroups);
  return [Math.ceil(rows / y), y, 1];
}
