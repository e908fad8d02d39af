/** What a matrix product is, C = alpha A B over any layout and weight kind, and what every way to compute it shares. */
import { isNf4, type TensorKind, type TensorPart } from '../formats/tensors.ts';
import { value, type BufferReference } from '../gpu/dispatch.ts';
import type { Value } from './graph.ts';

/** A(m, k) and B(k, n) by strides over a flat array, in elements. */
interface Operand {
  value: Value;
  offset?: number;
}

export interface MatrixProduct {
  m: number;
  n: number;
  k: number;
  /** f32: element (m, k) at offset + m rowStride + k columnStride. */
  a: Operand & { rowStride: number; columnStride: number; slice?: BufferReference };
  /** Any kind: element (k, n) at offset + k rowStride + n columnStride. `part`: one slice of a weight that is split. */
  b: Operand & { rowStride: number; columnStride: number; part?: number };
  /** f32, written (m, n) at offset + m rowStride + n. */
  c: Operand & { rowStride: number; slice?: BufferReference };
  alpha?: number;
  /** Adds to C instead of overwriting it. */
  accumulate?: boolean;
  /** Where operands are rounded to float16: a power of two that A is multiplied with ahead, and the result divided by, so that small values survive. */
  scaleA?: number;
}

/** Bindings 4 to 7 of the weight reader: an f32 value of the graph, or the parts of a weight (of one slice of it). */
export function weightBindings(weight: Value, slice = 0): Record<number, BufferReference> {
  if (weight.role !== 'weight') return { 4: value(weight) };
  const part = (name: TensorPart): BufferReference => ({ type: 'weight', id: weight.id, part: name, slice });
  if (!isNf4(weight.kind)) return { 4: part('data') };
  const scales: Record<number, BufferReference> = weight.kind === 'nf4' ? { 5: part('absmax_q'), 6: part('nested') } : { 5: part('absmax') };
  return { 4: part('packed'), ...scales, 7: { type: 'quantizationTables' } };
}

export function weightKind(weight: Value): TensorKind {
  return weight.role === 'weight' ? weight.kind! : 'f32';
}

/** Constants that all matmul shaders share. */
export function productConstants({ m, n, k, a, b, c, alpha = 1, accumulate = false }: MatrixProduct) {
  return {
    M: m,
    N: n,
    K: k,
    C_OFFSET: c.offset ?? 0,
    C_ROW: c.rowStride,
    ALPHA: { f32: alpha },
    ACCUMULATE: accumulate,
    A_OFFSET: a.offset ?? 0,
    A_ROW: a.rowStride,
    A_COLUMN: a.columnStride,
    B_OFFSET: b.offset ?? 0,
    B_ROW: b.rowStride,
    B_COLUMN: b.columnStride,
    B_KIND: weightKind(b.value),
  };
}

/** Whether matmul_direct4's conditions hold. */
export function readsByFour({ m, n, k, a, b }: MatrixProduct): boolean {
  const along = [a.columnStride === 1 ? a.rowStride : a.columnStride, b.rowStride === 1 ? b.columnStride : b.rowStride];
  const aFits = a.columnStride === 1 || (a.rowStride === 1 && m % 4 === 0);
  const bFits = b.rowStride === 1 || b.columnStride === 1;
  return aFits && bFits && [n, k, a.offset ?? 0, b.offset ?? 0, ...along].every((size) => size % 4 === 0);
}
