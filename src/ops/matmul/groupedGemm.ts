/**
 * Grouped GEMM: several products with frozen weights as one dispatch. Either projections of the same input,
 * whose outputs lie side by side, or the sum of their input gradients. The grids are fewer and larger, and
 * the gradient is written once. The constants and bindings here are those of
 * shaders/lib/matmul/grouping.wgsl.
 */
import type { TensorPart } from '../../formats/tensors.ts';
import { value, type Dispatch, type KernelSettings, type ShaderConstant } from '../../gpu/dispatch.ts';
import type { Value } from '../../graph/value.ts';
import { exclusivePrefixSum, numberedBindings, numberedConstants, sum } from '../numbered.ts';
import type { GemmGroup, MatmulProblem } from './matmulProblem.ts';
import { partBindings, weightBindings } from '../weights/weightBindings.ts';
import { groupParts } from '../weights/weightGroups.ts';

/**
 * y_g = x W_gᵀ, or dx = Σ dy_g W_g. @param shared x or dx [M, width] @param weights [size_g, width] each
 * @param others y_g or dy_g [M, size_g]
 */
export function groupedProblem(
  along: GemmGroup['along'],
  shared: Value,
  weights: readonly Value[],
  others: readonly Value[],
  accumulate = false,
): MatmulProblem {
  const [m, width] = shared.shape;
  const problems = weights.map((weight, g) => ({ value: others[g], weight, size: weight.shape[0] }));
  const total = sum(problems.map(({ size }) => size));
  const [{ value: first, size }] = problems;
  const group = { along, problems };
  const whole = { value: shared, rowStride: width };
  if (along === 'columns')
    return {
      m,
      n: total,
      k: width,
      a: { ...whole, columnStride: 1 },
      b: { value: weights[0], rowStride: 1, columnStride: width },
      c: { value: first, rowStride: size },
      group,
    };
  return {
    m,
    n: width,
    k: total,
    a: { value: first, rowStride: size, columnStride: 1 },
    b: { value: weights[0], rowStride: width, columnStride: 1 },
    c: whole,
    accumulate,
    group,
  };
}

/** The same as one problem for each of the group's. */
export function ungrouped({ group, ...problem }: MatmulProblem): MatmulProblem[] {
  if (!group) return [problem];
  return group.problems.map(({ value: own, weight, size }, g) =>
    group.along === 'columns'
      ? { ...problem, n: size, b: { ...problem.b, value: weight }, c: { value: own, rowStride: size } }
      : {
          ...problem,
          k: size,
          a: { value: own, rowStride: size, columnStride: 1 },
          b: { ...problem.b, value: weight },
          accumulate: g > 0 || problem.accumulate,
        },
  );
}

/**
 * Whether the weights are stored contiguously and, along terms, every problem begins with a tile of `tileK`
 * terms.
 */
export function isContiguous(
  { group }: MatmulProblem,
  tileK: number,
  { maxBindingBytes }: KernelSettings,
): boolean {
  if (!group) return true;
  if (group.along === 'terms' && group.problems.some(({ size }) => size % tileK !== 0)) return false;
  return groupParts(weightsOf(group), maxBindingBytes) !== null;
}

function weightsOf({ problems }: GemmGroup): Value[] {
  return problems.map(({ weight }) => weight);
}

function valuesOf({ problems }: GemmGroup): Value[] {
  return problems.map(({ value: own }) => own);
}

function sizesOf({ problems }: GemmGroup): number[] {
  return problems.map(({ size }) => size);
}

/** The columns of each C; of the only one where this is no group of columns. */
function columnsOf({ n, group }: MatmulProblem): number[] {
  return group?.along === 'columns' ? sizesOf(group) : [n];
}

function tilesOf(sizes: readonly number[], tile: number): number[] {
  return sizes.map((size) => Math.ceil(size / tile));
}

/** The number of tiles along C's columns: each lies in one problem. */
export function columnTiles(problem: MatmulProblem, tileN: number): number {
  return sum(tilesOf(columnsOf(problem), tileN));
}

/**
 * How dequantised weights of a group lie in their one array: 'rows': one below the other, [Σ size, width] ·
 * 'columns': transposed and side by side, [width, Σ size].
 */
export type DequantisedLayout = 'rows' | 'columns';

/**
 * @param dequantised how the weights lie where they were dequantised ahead of the product; null: as they are
 * stored
 */
export function groupConstants(
  { k, n, group }: MatmulProblem,
  tileN: number,
  { maxBindingBytes }: KernelSettings,
  dequantised: DequantisedLayout | null = null,
): Record<string, ShaderConstant> {
  if (!group) return { GROUPED: 'none' };
  const sizes = sizesOf(group);
  const firsts = exclusivePrefixSum(sizes);
  const width = group.along === 'columns' ? k : n;
  const none = sizes.map(() => 0);
  const starts = dequantised
    ? {
        START: firsts.map((first) => (dequantised === 'columns' ? first : first * width)),
        BLOCK: none,
        NESTED: none,
      }
    : storedStarts(group, maxBindingBytes);
  const tiles = exclusivePrefixSum(tilesOf(sizes, tileN));
  return {
    GROUPED: group.along,
    PROBLEMS: sizes.length,
    ...numberedConstants({ SIZE: sizes, FIRST: firsts, TILE: tiles, ...starts }),
  };
}

/** Of the kernels that dequantise a group's weights to one array of this layout. */
export function dequantiseConstants(
  { k, n, group }: MatmulProblem,
  { maxBindingBytes }: KernelSettings,
  layout: DequantisedLayout,
): Record<string, number> {
  if (!group) return { PROBLEMS: 0 };
  const width = layout === 'columns' ? 1 : group.along === 'columns' ? k : n;
  const firsts = exclusivePrefixSum(sizesOf(group)).map((first) => first * width);
  return {
    PROBLEMS: group.problems.length,
    ...numberedConstants({ FIRST: firsts, ...storedStarts(group, maxBindingBytes) }),
  };
}

/**
 * Where each weight begins in the shared buffers: its element, its scale (a byte or a float32), and its
 * nested scales.
 */
function storedStarts(
  group: GemmGroup,
  maxBindingBytes: number,
): Record<'START' | 'BLOCK' | 'NESTED', number[]> {
  const weights = weightsOf(group);
  const parts = groupParts(weights, maxBindingBytes)!;
  const kind = weights[0].kind!;
  const none = weights.map(() => 0);
  /** @param bytes of an element; two share a byte of codes */
  const starts = (part: TensorPart, bytes: number) => parts[part]!.startBytes.map((start) => start / bytes);
  if (kind === 'nf4')
    return { START: starts('packed', 0.5), BLOCK: starts('absmax_q', 1), NESTED: starts('nested', 4) };
  if (kind === 'nf4_f32') return { START: starts('packed', 0.5), BLOCK: starts('absmax', 4), NESTED: none };
  return { START: starts('data', kind === 'f32' ? 4 : 2), BLOCK: none, NESTED: none };
}

/** Of B: the weight, or all weights of the group. */
export function weightOperandBindings(
  { b, group }: MatmulProblem,
  { maxBindingBytes }: KernelSettings,
): Dispatch['bindings'] {
  if (b.slice) return { weight_data: b.slice };
  if (!group) return weightBindings(b.value, b.part);
  const weights = weightsOf(group);
  const parts = groupParts(weights, maxBindingBytes)!;
  return partBindings(b.value.kind!, (part) => ({
    type: 'weights',
    ids: weights.map(({ id }) => id),
    part,
    bytes: parts[part]!.bytes,
  }));
}

/** Of A: `a`, or `a0`, `a1`, … of a group along terms. */
export function inputBindings({ a, group }: MatmulProblem): Dispatch['bindings'] {
  return group?.along === 'terms' ? numberedBindings('a', valuesOf(group)) : { a: a.slice ?? value(a.value) };
}

/** Of C: `c`, or `c0`, `c1`, … of a group along columns. */
export function outputBindings({ c, group }: MatmulProblem): Dispatch['bindings'] {
  return group?.along === 'columns'
    ? numberedBindings('c', valuesOf(group))
    : { c: c.slice ?? value(c.value) };
}

/** Of split_k_reduce_vec4.wgsl: the columns of each C, of the only one where this is no group of columns. */
export function reduceConstants(problem: MatmulProblem): Record<string, number> {
  const sizes = columnsOf(problem);
  const firsts = exclusivePrefixSum(sizes);
  return { PROBLEMS: sizes.length, ...numberedConstants({ SIZE: sizes, FIRST: firsts }) };
}

/** Of split_k_reduce_vec4.wgsl: `c0`, `c1`, … */
export function reduceBindings({ c, group }: MatmulProblem): Dispatch['bindings'] {
  return group?.along === 'columns'
    ? numberedBindings('c', valuesOf(group))
    : { c0: c.slice ?? value(c.value) };
}
