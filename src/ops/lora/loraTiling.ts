/**
 * How the LoRA kernels divide their sums among invocations. The sizes depend on shapes and limits alone, so
 * results repeat.
 */
import type { KernelSettings } from '../../gpu/dispatch.ts';
import { fewRows } from '../matmul/matmulVariants.ts';
import { exclusivePrefixSum, numberedConstants } from '../numbered.ts';
import type { LoraSizes } from './loraSizes.ts';

/** Projections that a kernel has bindings for. */
const MAX_PROJECTIONS = 3;
/** Fewer rows leave most of an adapter idle in the kernels whose workgroups compute whole rows. */
export const MIN_TOKENS = 32;
/** Workgroups that keep an adapter busy. */
export const ENOUGH_WORKGROUPS = 128;
const MAX_INVOCATIONS = 256;
/** Bytes of a vec4f. */
export const VECTOR_BYTES = 16;

/** Whether the kernels whose workgroups compute whole rows serve. */
export function fitsRowKernels(sizes: LoraSizes, settings: KernelSettings): boolean {
  return sizes.tokens >= MIN_TOKENS && fitsVectors(sizes, settings);
}

/** Whether the kernels for a few rows serve. */
export function fitsFewRowKernels(sizes: LoraSizes, settings: KernelSettings): boolean {
  return sizes.tokens <= fewRows(settings) && fitsVectors(sizes, settings);
}

function fitsVectors({ width, rank, outs }: LoraSizes, { target }: KernelSettings): boolean {
  return (
    target === 'gpu' &&
    outs.length <= MAX_PROJECTIONS &&
    [width, rank, ...outs].every((size) => size % 4 === 0)
  );
}

/** How lib/lora/lane_sums.wgsl reduces: `lanes` invocations share each sum. */
export interface Lanes {
  lanes: number;
  /** Invocations of a lane, each with sums of its own. */
  tiles: number;
  /** Vectors that are reduced in one round. */
  vectors: number;
}

/** As many lanes as there are invocations for, a power of two; null where they are too few. */
export function lanesFor(tiles: number, vectors: number): Lanes | null {
  const lanes = 2 ** Math.floor(Math.log2(MAX_INVOCATIONS / tiles));
  return lanes >= Math.max(4, vectors) ? { lanes, tiles, vectors } : null;
}

export function laneConstants({ lanes, tiles, vectors }: Lanes): Record<string, number> {
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

/** What a workgroup computes in the kernels whose workgroups compute whole rows. */
export interface RowTile {
  /** Rows of a workgroup, and of an invocation. */
  tokens: number;
  perTokens: number;
  /** Quads of ranks of an invocation, and the groups they form. */
  perQuads: number;
  rankGroups: number;
  lanes: Lanes;
}

/**
 * @param quads quads of ranks that are summed at once @param ranks all ranks, which stay in workgroup memory
 * for the second product @returns null where no tile fits
 */
export function rowTileFor(
  tokens: number,
  quads: number,
  perQuads: number,
  ranks: number,
  { workgroupBytes }: KernelSettings,
): RowTile | null {
  let rows = 16;
  while (rows > 1 && tokens / rows < ENOUGH_WORKGROUPS) rows /= 2;
  for (; rows >= 1; rows /= 2) {
    const perTokens = Math.min(rows, 8 / perQuads);
    const lanes = lanesFor((quads / perQuads) * (rows / perTokens), perQuads);
    if (lanes && lanes.lanes * lanes.tiles * perQuads * VECTOR_BYTES + rows * ranks * 4 <= workgroupBytes)
      return { tokens: rows, perTokens, perQuads, rankGroups: quads / perQuads, lanes };
  }
  return null;
}

export function rowTileConstants({
  tokens,
  perTokens,
  perQuads,
  rankGroups,
  lanes,
}: RowTile): Record<string, number> {
  return {
    TOKENS: tokens,
    TOKENS_PER_THREAD: perTokens,
    QUADS_PER_THREAD: perQuads,
    RANK_GROUPS: rankGroups,
    ...laneConstants(lanes),
  };
}

export function shapeConstants({ tokens, width, rank, outs }: LoraSizes): Record<string, number> {
  return {
    T: tokens,
    WIDTH: width,
    RANKS: rank * outs.length,
    RANK_QUADS: rank / 4,
    ...numberedConstants({ OUT: outs, FIRST: exclusivePrefixSum(outs) }),
  };
}
