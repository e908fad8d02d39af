/**
 * Several products with frozen weights as one dispatch: projections of the same input (their outputs side by side), or the sum of their input
 * gradients. Fewer and larger grids, and the gradient is written once. What shaders/lib/group_columns.wgsl and group_terms.wgsl need.
 */
import { isNf4 } from '../formats/tensors.ts';
import { value, type BufferReference, type KernelSettings, type ShaderConstant } from '../gpu/dispatch.ts';
import type { Value } from './graph.ts';
import { partBindings, weightBindings, type MatrixProduct, type ProductGroup } from './product.ts';
import { groupParts } from './weightGroups.ts';

/** First binding of what each member has of its own. */
const MEMBER_BINDING = 10;

/** y_g = x W_gᵀ, or dx = Σ dy_g W_g. @param shared x or dx [M, width] @param others y_g or dy_g */
export function groupOf(along: ProductGroup['along'], shared: Value, weights: readonly Value[], others: readonly Value[], accumulate = false): MatrixProduct {
  const [m, width] = shared.shape;
  const members = weights.map((weight, g) => ({ value: others[g], weight, size: weight.shape[0] }));
  const sum = members.reduce((total, { size }) => total + size, 0);
  const { value: first, size } = members[0];
  const group = { along, members };
  const whole = { value: shared, rowStride: width };
  if (along === 'columns')
    return { m, n: sum, k: width, a: { ...whole, columnStride: 1 }, b: { value: weights[0], rowStride: 1, columnStride: width }, c: { value: first, rowStride: size }, group };
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
export function apart({ group, ...product }: MatrixProduct): MatrixProduct[] {
  if (!group) return [product];
  return group.members.map(({ value: own, weight, size }, g) =>
    group.along === 'columns'
      ? { ...product, n: size, b: { ...product.b, value: weight }, c: { value: own, rowStride: size } }
      : { ...product, k: size, a: { value: own, rowStride: size, columnStride: 1 }, b: { ...product.b, value: weight }, accumulate: g > 0 || product.accumulate },
  );
}

/** Whether the weights lie together and every member begins with a tile of `terms` terms. */
export function liesTogether({ group }: MatrixProduct, terms: number, { maxBindingBytes }: KernelSettings): boolean {
  if (!group) return true;
  if (group.along === 'terms' && group.members.some(({ size }) => size % terms !== 0)) return false;
  return groupParts(weightsOf(group), maxBindingBytes) !== null;
}

function weightsOf({ members }: ProductGroup): Value[] {
  return members.map(({ weight }) => weight);
}

/** Tiles of C's columns: each lies in one member. */
export function columnTiles({ n, group }: MatrixProduct, tileN: number): number {
  return firstTiles(group?.along === 'columns' ? group.members.map(({ size }) => size) : [n], tileN).at(-1)!;
}

/** For each size the number of tiles before it, and at the end of all. */
function firstTiles(sizes: readonly number[], tile: number): number[] {
  return sizes.reduce((tiles, size) => [...tiles, tiles.at(-1)! + Math.ceil(size / tile)], [0]);
}

/** @param written how the weights were written out as one array, if they were: end to end in their order, or turned and side by side */
export function groupConstants(
  { k, n, group }: MatrixProduct,
  tileN: number,
  { maxBindingBytes }: KernelSettings,
  written: 'end to end' | 'turned' | null = null,
): Record<string, ShaderConstant> {
  if (!group) return { GROUP: 'single' };
  const sizes = group.members.map(({ size }) => size);
  const tiles = firstTiles(sizes, tileN);
  const firsts = firstTiles(sizes, 1);
  const width = group.along === 'columns' ? k : n;
  const starts = written ? firsts.map((first) => [written === 'turned' ? first : first * width, 0, 0]) : startsOf(group, maxBindingBytes);
  const constants: Record<string, ShaderConstant> = { GROUP: group.along, MEMBERS: sizes.length };
  sizes.forEach((size, g) => {
    const [START, BLOCK, NESTED] = starts[g];
    for (const [name, number] of Object.entries({ SIZE: size, FIRST: firsts[g], TILE: tiles[g], START, BLOCK, NESTED })) constants[`${name}${g}`] = number;
  });
  return constants;
}

/** Of dequantize_nf4_words.wgsl, which writes the weights out end to end, or of dequantize_nf4_turned.wgsl. */
export function dequantizeConstants({ k, n, group }: MatrixProduct, { maxBindingBytes }: KernelSettings, turned: boolean): Record<string, number> {
  if (!group) return { MEMBERS: 0 };
  const width = turned ? 1 : group.along === 'columns' ? k : n;
  const firsts = firstTiles(
    group.members.map(({ size }) => size),
    1,
  );
  return Object.fromEntries([
    ['MEMBERS', group.members.length],
    ...startsOf(group, maxBindingBytes).flatMap(([start, block, nested], g) => [
      [`FIRST${g}`, firsts[g] * width],
      [`START${g}`, start],
      [`BLOCK${g}`, block],
      [`NESTED${g}`, nested],
    ]),
  ]);
}

/** Where each weight begins in the shared buffers: its element, its scale (a byte or a float32), and its nested scales. */
function startsOf(group: ProductGroup, maxBindingBytes: number): [number, number, number][] {
  const weights = weightsOf(group);
  const parts = groupParts(weights, maxBindingBytes)!;
  const kind = weights[0].kind!;
  return weights.map((_, g) => {
    if (!isNf4(kind)) return [parts.data!.startBytes[g] / (kind === 'f32' ? 4 : 2), 0, 0];
    const block = kind === 'nf4' ? parts.absmax_q!.startBytes[g] : parts.absmax!.startBytes[g] / 4;
    return [parts.packed!.startBytes[g] * 2, block, kind === 'nf4' ? parts.nested!.startBytes[g] / 4 : 0];
  });
}

/** Bindings 4 to 7. */
export function operandBindings({ b, group }: MatrixProduct, { maxBindingBytes }: KernelSettings): Record<number, BufferReference> {
  if (!group) return weightBindings(b.value, b.part);
  const weights = weightsOf(group);
  const parts = groupParts(weights, maxBindingBytes)!;
  return partBindings(b.value.kind!, (part) => ({ type: 'weights', ids: weights.map(({ id }) => id), part, bytes: parts[part]!.bytes }));
}

/** Of A: binding 1, or one a member. */
export function inputBindings({ a, group }: MatrixProduct): Record<number, BufferReference> {
  return group?.along === 'terms' ? memberBindings(group) : { 1: a.slice ?? value(a.value) };
}

/** Of C: binding 0, or one a member. */
export function outputBindings({ c, group }: MatrixProduct): Record<number, BufferReference> {
  return group?.along === 'columns' ? memberBindings(group) : { 0: c.slice ?? value(c.value) };
}

/** Of matmul_reduce_wide.wgsl: the columns of each C, of one where this is no group of columns. */
export function columnConstants({ n, group }: MatrixProduct): Record<string, number> {
  const sizes = group?.along === 'columns' ? group.members.map(({ size }) => size) : [n];
  const firsts = firstTiles(sizes, 1);
  return Object.fromEntries([
    ['MEMBERS', sizes.length],
    ...sizes.flatMap((size, g) => [
      [`SIZE${g}`, size],
      [`FIRST${g}`, firsts[g]],
    ]),
  ]);
}

export function columnBindings(product: MatrixProduct): Record<number, BufferReference> {
  const { c, group } = product;
  return group?.along === 'columns' ? memberBindings(group) : { [MEMBER_BINDING]: c.slice ?? value(c.value) };
}

function memberBindings({ members }: ProductGroup): Record<number, BufferReference> {
  return Object.fromEntries(members.map(({ value: own }, g) => [MEMBER_BINDING + g, value(own)]));
}
