/**
 * What a matmul computes, C = alpha A B over any layout and weight kind, and what all kernels need of it:
 * constants and what its layout allows.
 */
import { isNf4 } from '../../formats/tensors.ts';
import type { BufferReference } from '../../gpu/dispatch.ts';
import type { Value } from '../../graph/value.ts';
import { weightKind } from '../weights/weightBindings.ts';

/** A(m, k) and B(k, n) by strides over a flat array, in elements. */
interface Operand {
  value: Value;
  offset?: number;
}

/** Problems that share an operand and run as one dispatch (groupedGemm.ts). */
export interface GemmGroup {
  /**
   * columns: C_g = A B_g, whose columns lie side by side in one product · terms: C = Σ A_g B_g, one sum over
   * the terms of all problems.
   */
  along: 'columns' | 'terms';
  /** `value`: C_g or A_g, [M, size]. The weights lie contiguously in this order. */
  problems: readonly { value: Value; weight: Value; size: number }[];
}

export interface MatmulProblem {
  m: number;
  n: number;
  k: number;
  /**
   * f32: element (m, k) at offset + m rowStride + k columnStride. `slice`: where it lies instead of in its
   * value.
   */
  a: Operand & { rowStride: number; columnStride: number; slice?: BufferReference };
  /**
   * Any kind: element (k, n) at offset + k rowStride + n columnStride. `part`: one slice of a weight that is
   * split. `slice`: where it lies instead, in float32.
   */
  b: Operand & { rowStride: number; columnStride: number; part?: number; slice?: BufferReference };
  /** f32, written (m, n) at offset + m rowStride + n. `slice`: where it goes instead of to its value. */
  c: Operand & { rowStride: number; slice?: BufferReference };
  alpha?: number;
  /** Adds to C instead of overwriting it. */
  accumulate?: boolean;
  /**
   * Where operands are rounded to float16: a power of two that A is multiplied with before, and the result
   * divided by after, so that small values survive the rounding.
   */
  scaleA?: number;
  /**
   * A grouped GEMM: n or k is the sum of its problems' sizes, b.value the first weight, and c or a that of
   * the first.
   */
  group?: GemmGroup;
}

/** Whether B is an NF4 weight. */
export function hasNf4({ b }: MatmulProblem): boolean {
  return isNf4(weightKind(b.value));
}

/** Constants that all matmul shaders share. */
export function matmulConstants({ m, n, k, a, b, c, alpha = 1, accumulate = false }: MatmulProblem) {
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
    WEIGHT_KIND: weightKind(b.value),
  };
}

/** Whether both operands can be read by vec4: what matmul_cpu_vec4.wgsl needs. */
export function readsVec4({ m, n, k, a, b }: MatmulProblem): boolean {
  const rows = [
    a.columnStride === 1 ? a.rowStride : a.columnStride,
    b.rowStride === 1 ? b.columnStride : b.rowStride,
  ];
  const aFits = a.columnStride === 1 || (a.rowStride === 1 && m % 4 === 0);
  const bFits = b.rowStride === 1 || b.columnStride === 1;
  return aFits && bFits && [n, k, a.offset ?? 0, b.offset ?? 0, ...rows].every((size) => size % 4 === 0);
}

/**
 * Whether both operands can be read by vec4 and NF4 by words of eight codes, which lie along its rows: what
 * the tiled GPU kernels need.
 */
export function readsWords(problem: MatmulProblem): boolean {
  const { n, k, b } = problem;
  if (!readsVec4(problem) || !hasNf4(problem)) return readsVec4(problem);
  const isAlongK = b.rowStride === 1;
  const sizes = [isAlongK ? k : n, b.offset ?? 0, isAlongK ? b.columnStride : b.rowStride];
  return sizes.every((size) => size % 8 === 0);
}
