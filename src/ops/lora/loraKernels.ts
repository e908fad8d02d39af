/**
 * The kernels of lora.ts for GPUs: one dispatch each for the forward pass, the gradients of what flows through and those of the parameters; two for the
 * forward pass of a few rows. Null where a shape does not fit them; lora.ts then has matrix products. Sizes depend on shapes and limits alone, so results
 * repeat.
 */
import {
  value,
  type BufferReference,
  type Dispatch,
  type KernelSettings,
  type ShaderConstant,
} from '../../gpu/dispatch.ts';
import type { Value } from '../../graph/graph.ts';
import { before, memberConstants } from '../batchedBindings.ts';
import { LANES } from '../matmul/matmulVariants.ts';

/** x [T, in] A^T, then B of each projection: what the three kernels work on. */
export interface LoraSizes {
  tokens: number;
  /** Features of the input. */
  width: number;
  rank: number;
  /** Features of each projection's output; B's rows lie one projection after the other. */
  outs: readonly number[];
}

/** Bindings of a kernel hold so many projections. */
const MOST_PROJECTIONS = 3;
/** Fewer rows leave most of an adapter idle where a workgroup makes whole rows. */
const FEWEST_TOKENS = 32;
/** Up to so many rows a workgroup makes one rank of them all. */
export const MOST_ROWS = 8;
/** Workgroups that keep an adapter busy. */
const ENOUGH_WORKGROUPS = 128;
const MOST_INVOCATIONS = 256;
/** Bytes of a vec4f. */
const VECTOR = 16;

export function fitsKernels(sizes: LoraSizes, settings: KernelSettings): boolean {
  return sizes.tokens >= FEWEST_TOKENS && fitsVectors(sizes, settings);
}

function fitsVectors({ width, rank, outs }: LoraSizes, { target }: KernelSettings): boolean {
  return (
    target === 'gpu' &&
    outs.length <= MOST_PROJECTIONS &&
    [width, rank, ...outs].every((size) => size % 4 === 0)
  );
}

/** How lib/lora/lane_sums.wgsl adds up. */
interface Lanes {
  lanes: number;
  /** Outputs a vector, over all invocations of a lane. */
  tiles: number;
  /** Vectors a round. */
  vectors: number;
}

/** As many lanes as there are invocations for, a power of two; null where they are too few. */
function lanesFor(tiles: number, vectors: number): Lanes | null {
  const lanes = 2 ** Math.floor(Math.log2(MOST_INVOCATIONS / tiles));
  return lanes >= Math.max(4, vectors) ? { lanes, tiles, vectors } : null;
}

function laneConstants({ lanes, tiles, vectors }: Lanes): Record<string, number> {
  // An invocation adds few terms where there are enough invocations to share them.
  const parts = 2 ** Math.floor(Math.log2(Math.min(8, lanes / vectors)));
  return {
    LANES: lanes,
    TILES: tiles,
    THREADS: lanes * tiles,
    VECTORS: vectors,
    SPAN: Math.max(lanes / parts, 1),
  };
}

/** A workgroup's share of the kernels that go by rows. */
interface Rows {
  /** Rows of a workgroup, and of an invocation. */
  tokens: number;
  perTokens: number;
  /** Quads of ranks of an invocation, and their groups. */
  perQuads: number;
  rankGroups: number;
  lanes: Lanes;
}

/** @param quads quads of ranks that are summed at once @param ranks all of them, which are kept for the second half */
function rowsFor(
  tokens: number,
  quads: number,
  perQuads: number,
  ranks: number,
  { workgroupBytes }: KernelSettings,
): Rows | null {
  let rows = 16;
  while (rows > 1 && tokens / rows < ENOUGH_WORKGROUPS) rows /= 2;
  for (; rows >= 1; rows /= 2) {
    const perTokens = Math.min(rows, 8 / perQuads);
    const lanes = lanesFor((quads / perQuads) * (rows / perTokens), perQuads);
    if (lanes && lanes.lanes * lanes.tiles * perQuads * VECTOR + rows * ranks * 4 <= workgroupBytes)
      return { tokens: rows, perTokens, perQuads, rankGroups: quads / perQuads, lanes };
  }
  return null;
}

function rowConstants({ tokens, perTokens, perQuads, rankGroups, lanes }: Rows): Record<string, number> {
  return {
    TOKENS: tokens,
    TOKENS_PER_THREAD: perTokens,
    QUADS_PER_THREAD: perQuads,
    RANK_GROUPS: rankGroups,
    ...laneConstants(lanes),
  };
}

function shapeConstants({ tokens, width, rank, outs }: LoraSizes): Record<string, number> {
  return {
    T: tokens,
    WIDTH: width,
    RANKS: rank * outs.length,
    RANK_QUADS: rank / 4,
    ...memberConstants({ OUT: outs, FIRST: before(outs) }),
  };
}

function sum(counts: readonly number[]): number {
  return counts.reduce((a, b) => a + b, 0);
}

/** By number; those that are not there are left out. */
function bindings(values: Readonly<Record<number, Value | undefined>>): Record<number, BufferReference> {
  return Object.fromEntries(
    Object.entries(values).flatMap(([number, bound]) => (bound ? [[number, value(bound)]] : [])),
  );
}

function dispatch(
  shader: string,
  constants: Record<string, ShaderConstant>,
  bound: Record<number, BufferReference>,
  workgroups: number,
): Dispatch {
  return { shader, constants, bindings: bound, workgroups: [workgroups, 1, 1] };
}

interface ForwardValues {
  x: Value;
  a: Value;
  down: Value;
  adapterScale?: Value;
  up?: { ys: readonly Value[]; b: Value; scale: number };
}

/** down = x A^T, times a token's adapterScale, and y_g += scale down_g B_g^T in place; without `up` down alone. */
export function loraForward(
  shape: LoraSizes,
  values: ForwardValues,
  settings: KernelSettings,
): Dispatch[] | null {
  if (shape.tokens <= MOST_ROWS && fitsVectors(shape, settings)) return loraOfRows(shape, values, settings);
  const whole = fitsKernels(shape, settings) && loraOfTokens(shape, values, settings);
  return whole ? [whole] : null;
}

function loraOfTokens(
  shape: LoraSizes,
  { x, a, down, adapterScale, up }: ForwardValues,
  settings: KernelSettings,
): Dispatch | null {
  const { tokens, rank, outs } = shape;
  const ranks = rank * outs.length;
  const quads = ranks / 4;
  const rows = rowsFor(tokens, quads, quads % 2 === 0 ? 2 : 1, ranks, settings);
  if (!rows) return null;
  const blocks = outs.map((out) => Math.ceil(out / 128));
  return dispatch(
    'lora_forward',
    {
      ...shapeConstants(shape),
      ...rowConstants(rows),
      ...memberConstants({ BLOCKS: before(blocks) }),
      BLOCKS: sum(blocks),
      PROJECTIONS: up ? outs.length : 0,
      HAS_UP: up !== undefined,
      HAS_ADAPTER_SCALE: adapterScale !== undefined,
      UNROLLED: unrolledQuads(rank),
      ALPHA: { f32: up?.scale ?? 1 },
    },
    bindings({ ...up?.ys, 3: down, 4: x, 5: a, 6: up?.b, 7: adapterScale }),
    Math.ceil(tokens / rows.tokens),
  );
}

/** Quads of a row of B that are read at once. */
function unrolledQuads(rank: number): number {
  return [4, 3, 2, 1].find((unrolled) => (rank / 4) % unrolled === 0)!;
}

function loraOfRows(
  shape: LoraSizes,
  { x, a, down, adapterScale, up }: ForwardValues,
  { workgroupBytes, maxWorkgroups }: KernelSettings,
): Dispatch[] | null {
  const { tokens, width, rank, outs } = shape;
  const vectors = Math.ceil(tokens / 4);
  const ranks = rank * outs.length;
  const lanes = lanesFor(1, vectors);
  const blocks = outs.map((out) => Math.ceil(out / 64));
  if (
    !lanes ||
    lanes.lanes * vectors * VECTOR > workgroupBytes ||
    ranks > maxWorkgroups ||
    sum(blocks) > maxWorkgroups
  )
    return null;
  const constants = shapeConstants(shape);
  const first = dispatch(
    'lora_down_skinny',
    {
      ...constants,
      ...laneConstants(lanes),
      FOURS: Math.min(vectors > 1 ? 2 : 4, Math.ceil(width / 4 / lanes.lanes)),
      HAS_ADAPTER_SCALE: adapterScale !== undefined,
    },
    bindings({ 3: down, 4: x, 5: a, 7: adapterScale }),
    ranks,
  );
  if (!up) return [first];
  const second = dispatch(
    'lora_up_skinny',
    {
      ...constants,
      ...memberConstants({ BLOCKS: before(blocks) }),
      ROWS: tokens,
      PROJECTIONS: outs.length,
      UNROLLED: unrolledQuads(rank),
      ALPHA: { f32: up.scale },
    },
    bindings({ ...up.ys, 4: down, 6: up.b }),
    sum(blocks),
  );
  return [first, second];
}

/** matmul_skinny.wgsl with the second product of LoRA added to it: `products` are W x alone. Null where they are not that kernel's, or the rank or the bindings are too many. */
export function addedToRows(
  products: readonly Dispatch[],
  { rank, outs }: LoraSizes,
  { down, b, scale }: { down: Value; b: Value; scale: number },
  { maxStorageBuffers }: KernelSettings,
): Dispatch | null {
  const [product, ...others] = products;
  const bound = { ...product.bindings, ...bindings({ 2: down, 3: b }) };
  if (
    others.length > 0 ||
    product.shader !== 'matmul_skinny' ||
    rank % 4 !== 0 ||
    rank > 4 * LANES ||
    Object.keys(bound).length > maxStorageBuffers
  )
    return null;
  return {
    ...product,
    constants: {
      ...product.constants,
      ADDS_LORA: true,
      RANK_QUADS: rank / 4,
      DOWN_QUADS: (rank / 4) * outs.length,
      LORA_SCALE: { f32: scale },
    },
    bindings: bound,
  };
}

/** dDown_g = scale dy_g B_g, and dx = dDown A where it is wanted. */
export function loraBackward(
  shape: LoraSizes,
  {
    dys,
    b,
    dDown,
    a,
    dx,
    scale,
  }: { dys: readonly Value[]; b: Value; dDown: Value; a: Value; dx?: Value; scale: number },
  settings: KernelSettings,
): Dispatch | null {
  const { tokens, rank, outs } = shape;
  const rows = rowsFor(tokens, rank / 4, 1, rank * outs.length, settings);
  if (!rows) return null;
  return dispatch(
    'lora_dx',
    {
      ...shapeConstants(shape),
      ...rowConstants(rows),
      PROJECTIONS: outs.length,
      HAS_DX: dx !== undefined,
      ALPHA: { f32: scale },
    },
    bindings({ ...dys, 3: dDown, 4: b, 5: dx && a, 6: dx }),
    Math.ceil(tokens / rows.tokens),
  );
}

/** dB_g += scale dy_g^T down_g and dA += dDown^T x. */
export function loraParameterGradients(
  shape: LoraSizes,
  {
    x,
    down,
    dDown,
    dys,
    da,
    db,
    scale,
  }: { x: Value; down: Value; dDown: Value; dys: readonly Value[]; da: Value; db: Value; scale: number },
  settings: KernelSettings,
): Dispatch | null {
  const { width, rank, outs } = shape;
  const quads = rank / 4;
  const perQuads = quads % 2 === 0 ? 2 : 1;
  // A strip of four quads is half a memory line; narrower ones where there are too few.
  const stripsOf = (strip: number) => outs.map((out) => Math.ceil(out / 4 / strip));
  const workgroupsOf = (strip: number) => sum(stripsOf(strip)) + Math.ceil(width / 4 / strip) * outs.length;
  for (let strip = workgroupsOf(4) < ENOUGH_WORKGROUPS ? 2 : 4; strip >= 1; strip /= 2) {
    const lanes = lanesFor(strip * (quads / perQuads), 4);
    const workgroups = workgroupsOf(strip);
    if (
      !lanes ||
      workgroups > settings.maxWorkgroups ||
      lanes.lanes * lanes.tiles * 4 * VECTOR > settings.workgroupBytes
    )
      continue;
    return dispatch(
      'lora_gradients',
      {
        ...shapeConstants(shape),
        [`OUT${outs.length}`]: width,
        ...laneConstants(lanes),
        ...memberConstants({ STRIPS: before(stripsOf(strip)) }),
        STRIPS_X: sum(stripsOf(strip)),
        STRIP: strip,
        QUADS_PER_THREAD: perQuads,
        PROJECTIONS: outs.length,
        SOURCES: outs.length + 1,
        ALPHA: { f32: scale },
      },
      bindings({ ...[...dys, x], 4: down, 5: dDown, 6: db, 7: da }),
      workgroups,
    );
  }
  return null;
}
