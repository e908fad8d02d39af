/**
 * Several products with frozen weights as one dispatch: projections of the same input (their outputs side by side), or the sum of their input
 * gradients. Fewer and larger grids, and the gradient is written once. What shaders/lib/matmul/grouping.wgsl needs.
 */
import type { TensorPart } from '../../formats/tensors.ts';
import { value, type Dispatch, type KernelSettings, type ShaderConstant } from '../../gpu/dispatch.ts';
import type { Value } from '../../graph/value.ts';
import { exclusivePrefixSum, numberedBindings, numberedConstants } from '../numbered.ts';
import { partBindings, weightBindings, type MatmulProblem, type GemmGroup } from './matmulProblem.ts';
import { groupParts } from './weightGroups.ts';

/** y_g = x W_gᵀ, or dx = Σ dy_g W_g. @param shared x or dx [M, width] @param others y_g or dy_g */
export function groupedProblem(
  along: GemmGroup['along'],
  shared: Value,
  weights: readonly Value[],
  others: readonly Value[],
  accumulate = false,
): MatmulProblem {
  const [m, width] = shared.shape;
  const members = weights.map((weight, g) => ({ value: others[g], weight, size: weight.shape[0] }));
  const sum = members.reduce((total, { size }) => total + size, 0);
  const { value: first, size } = members[0];
  const group = { along, members };
  const whole = { value: shared, rowStride: width };
  if (along === 'columns')
    return {
      m,
      n: sum,
      k: width,
      a: { ...whole, columnStride: 1 },
      b: { value: weights[0], rowStride: 1, columnStride: width },
      c: { value: first, rowStride: size },
      group,
    };
  return {
    m,
    n: width,
    k: sum,
    a: { value: first, rowStride: size, columnStride: 1 },
    b: { value: weights[0], rowStride: width, columnStride: 1 },
    c: whole,
    accumulate,
    group,
  };
}

/** The same without a group: one product a member. */
export function ungrouped({ group, ...product }: MatmulProblem): MatmulProblem[] {
  if (!group) return [product];
  return group.members.map(({ value: own, weight, size }, g) =>
    group.along === 'columns'
      ? { ...product, n: size, b: { ...product.b, value: weight }, c: { value: own, rowStride: size } }
      : {
          ...product,
          k: size,
          a: { value: own, rowStride: size, columnStride: 1 },
          b: { ...product.b, value: weight },
          accumulate: g > 0 || product.accumulate,
        },
  );
}

/** Whether the weights lie together and every member begins with a tile of `terms` terms. */
export function isContiguous(
  { group }: MatmulProblem,
  terms: number,
  { maxBindingBytes }: KernelSettings,
): boolean {
  if (!group) return true;
  if (group.along === 'terms' && group.members.some(({ size }) => size % terms !== 0)) return false;
  return groupParts(weightsOf(group), maxBindingBytes) !== null;
}

function weightsOf({ members }: GemmGroup): Value[] {
  return members.map(({ weight }) => weight);
}

function sizesOf({ members }: GemmGroup): number[] {
  return members.map(({ size }) => size);
}

/** The columns of each C, of one where this is no group of columns. */
function columnsOf({ n, group }: MatmulProblem): number[] {
  return group?.along === 'columns' ? sizesOf(group) : [n];
}

function tilesOf(sizes: readonly number[], tile: number): number[] {
  return sizes.map((size) => Math.ceil(size / tile));
}

/** Tiles of C's columns: each lies in one member. */
export function columnTiles(product: MatmulProblem, tileN: number): number {
  return tilesOf(columnsOf(product), tileN).reduce((a, b) => a + b, 0);
}

/** @param written how the weights were written out as one array, if they were: end to end in their order, or turned and side by side */
export function groupConstants(
  { k, n, group }: MatmulProblem,
  tileN: number,
  { maxBindingBytes }: KernelSettings,
  written: 'end to end' | 'turned' | null = null,
): Record<string, ShaderConstant> {
  if (!group) return { GROUPED: 'none' };
  const sizes = sizesOf(group);
  const firsts = exclusivePrefixSum(sizes);
  const width = group.along === 'columns' ? k : n;
  const none = sizes.map(() => 0);
  const starts = written
    ? {
        START: firsts.map((first) => (written === 'turned' ? first : first * width)),
        BLOCK: none,
        NESTED: none,
      }
    : startsOf(group, maxBindingBytes);
  return {
    GROUPED: group.along,
    PROBLEMS: sizes.length,
    ...numberedConstants({
      SIZE: sizes,
      FIRST: firsts,
      TILE: exclusivePrefixSum(tilesOf(sizes, tileN)),
      ...starts,
    }),
  };
}

/** Of dequantize_nf4_words.wgsl, which writes the weights out end to end, or of dequantize_nf4_transposed.wgsl. */
export function dequantizeConstants(
  { k, n, group }: MatmulProblem,
  { maxBindingBytes }: KernelSettings,
  transposed: boolean,
): Record<string, number> {
  if (!group) return { PROBLEMS: 0 };
  const width = transposed ? 1 : group.along === 'columns' ? k : n;
  const firsts = exclusivePrefixSum(sizesOf(group)).map((first) => first * width);
  return {
    PROBLEMS: group.members.length,
    ...numberedConstants({ FIRST: firsts, ...startsOf(group, maxBindingBytes) }),
  };
}

/** Where each weight begins in the shared buffers: its element, its scale (a byte or a float32), and its nested scales. */
function startsOf(group: GemmGroup, maxBindingBytes: number): Record<'START' | 'BLOCK' | 'NESTED', number[]> {
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

/** Bindings 4 to 7. */
export function operandBindings(
  { b, group }: MatmulProblem,
  { maxBindingBytes }: KernelSettings,
): Dispatch['bindings'] {
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

/** Of A: binding 1, or one a member. */
export function inputBindings({ a, group }: MatmulProblem): Dispatch['bindings'] {
  return group?.along === 'terms' ? numberedBindings('a', valuesOf(group)) : { a: a.slice ?? value(a.value) };
}

/** Of C: binding 0, or one a member. */
export function outputBindings({ c, group }: MatmulProblem): Dispatch['bindings'] {
  return group?.along === 'columns'
    ? numberedBindings('c', valuesOf(group))
    : { c: c.slice ?? value(c.value) };
}

/** Of split_k_reduce_vec4.wgsl: the columns of each C, of one where this is no group of columns. */
export function columnConstants(product: MatmulProblem): Record<string, number> {
  const sizes = columnsOf(product);
  return { PROBLEMS: sizes.length, ...numberedConstants({ SIZE: sizes, FIRST: exclusivePrefixSum(sizes) }) };
}

export function columnBindings(product: MatmulProblem): Dispatch['bindings'] {
  const { c, group } = product;
  return group?.along === 'columns'
    ? numberedBindings('c', valuesOf(group))
    : { c0: c.slice ?? value(c.value) };
}

function valuesOf({ members }: GemmGroup): Value[] {
  return members.map(({ value: own }) => own);
}
