import type { KernelSettings } from '../../gpu/dispatch.ts';

/** Rows of a workgroup of lib/row_serial.wgsl. */
const ROWS_ALONE = 8;

/** How kernels that may leave a row to one invocation share rows out: constants and grid. */
export function rowsShared(
  rows: number,
  settings: KernelSettings,
): {
  constants: { ROWS: number; SERIAL_ROWS: boolean; WORKGROUP: number };
  workgroups: [number, number, number];
} {
  const { rowWorkgroup: WORKGROUP } = settings;
  const isAlone = settings.target === 'cpu';
  return {
    constants: { ROWS: rows, SERIAL_ROWS: isAlone, WORKGROUP },
    workgroups: rowGrid(isAlone ? Math.ceil(rows / ROWS_ALONE) : rows, settings),
  };
}

/** One workgroup a row, folded into two dimensions where one is too small; kernels take row = y · groups.x + x. */
export function rowGrid(rows: number, settings: KernelSettings): [number, number, number] {
  if (rows <= settings.maxWorkgroups) return [rows, 1, 1];
  const y = Math.ceil(rows / settings.maxWorkgroups);
  return [Math.ceil(rows / y), y, 1];
}
