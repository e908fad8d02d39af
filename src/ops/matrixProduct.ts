/** The dispatches of C = alpha A B for every layout and weight kind: the one place that knows the matmul shaders. */
import { flatGrid, value, type BufferReference, type Dispatch, type KernelSettings } from '../gpu/dispatch.ts';
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
  /** Any kind: element (k, n) at offset + k rowStride + n columnStride. */
  b: Operand & { rowStride: number; columnStride: number };
  /** f32, written (m, n) at offset + m rowStride + n. */
  c: Operand & { rowStride: number; slice?: BufferReference };
  alpha?: number;
  /** Adds to C instead of overwriting it. */
  accumulate?: boolean;
}

/** Bindings 4 to 7 of the weight reader: an f32 value of the graph, or the parts of a weight. */
export function weightBindings(weight: Value): Record<number, BufferReference> {
  if (weight.role !== 'weight') return { 4: value(weight) };
  if (weight.kind !== 'nf4') return { 4: { type: 'weight', id: weight.id, part: 'data' } };
  return {
    4: { type: 'weight', id: weight.id, part: 'packed' },
    5: { type: 'weight', id: weight.id, part: 'absmax_q' },
    6: { type: 'weight', id: weight.id, part: 'nested' },
    7: { type: 'quantizationTables' },
  };
}

export function weightKind(weight: Value): string {
  return weight.role === 'weight' ? weight.kind! : 'f32';
}

/** Below this many invocations a long sum is split over k, so that the adapter has work. */
const ENOUGH_INVOCATIONS = 8192;

/** Slices of k: a power of two, each at least 64 long, until there is enough to do. Depends on the shape alone, so results repeat. */
function slicesOfK(m: number, n: number, k: number): number {
  const invocations = Math.ceil(m / 8) * Math.ceil(n / 4);
  let slices = 1;
  while (slices < 64 && invocations * slices < ENOUGH_INVOCATIONS && k / (slices * 2) >= 64) slices *= 2;
  return slices;
}

/** @param scratchIndex index of the node's scratch that this product may use when it splits k. */
export function matrixProduct(product: MatrixProduct, settings: KernelSettings, scratchIndex = 0): Dispatch[] {
  const { m, n, k, a, b, c } = product;
  const tiled = settings.matmul === 'tiled';
  const split = tiled ? slicesOfK(m, n, k) : 1;
  const slice = Math.ceil(k / split);
  const destination = c.slice ?? value(c.value);
  const target = { M: m, N: n, C_OFFSET: c.offset ?? 0, C_ROW: c.rowStride, ALPHA: { f32: product.alpha ?? 1 }, ACCUMULATE: product.accumulate ?? false, SPLIT: split };
  const scratch: BufferReference = { type: 'scratch', index: scratchIndex, bytes: split * m * n * 4 };
  const blocks = tiled ? [64, 64] : [32, 64];
  const dispatches: Dispatch[] = [
    {
      shader: tiled ? 'matmul_tiled' : 'matmul_direct',
      constants: {
        ...target,
        K: k,
        K_SLICE: slice,
        A_OFFSET: a.offset ?? 0,
        A_ROW: a.rowStride,
        A_COLUMN: a.columnStride,
        B_OFFSET: b.offset ?? 0,
        B_ROW: b.rowStride,
        B_COLUMN: b.columnStride,
        B_KIND: weightKind(b.value),
        ...(tiled ? { A_ALONG_K: a.columnStride === 1, B_ALONG_K: b.rowStride === 1 } : {}),
      },
      bindings: { 0: split > 1 ? scratch : destination, 1: a.slice ?? value(a.value), ...weightBindings(b.value) },
      workgroups: [Math.ceil(n / blocks[0]), Math.ceil(m / blocks[1]), split],
    },
  ];
  if (split > 1) {
    dispatches.push({ shader: 'matmul_reduce', constants: target, bindings: { 0: destination, 1: scratch }, workgroups: flatGrid(m * n, 64, settings) });
  }
  return dispatches;
}
