/**
 * Split-K: where a product has too few tiles to keep a GPU busy, its sum over k is split. Each part writes
 * partial sums, and a second kernel adds them up in order, so that results repeat. This file has the split-K
 * heuristic and the dispatches.
 */
import { flatGrid, type BufferReference, type Dispatch, type KernelSettings } from '../../gpu/dispatch.ts';
import { columnTiles, outputBindings, reduceBindings, reduceConstants } from './groupedGemm.ts';
import type { MatmulProblem } from './matmulProblem.ts';
import { isTiled, type MatmulVariant } from './matmulVariants.ts';

/** Workgroups below which k is split; those of larger tiles do more. */
const ENOUGH_WORKGROUPS: Record<MatmulVariant['shader'], number> = {
  matmul_tiled_scalar: 384,
  matmul_tiled_vec4: 384,
  matmul_tiled_unrolled: 192,
  matmul_subgroup_matrix: 224,
  matmul_skinny: 0,
  matmul_cpu_vec4: 0,
};
/** Of workgroups so large that a processor of the adapters that were tried runs one at a time. */
const ENOUGH_LARGE_WORKGROUPS = 112;

function enoughWorkgroups({ shader, tileM, tileN }: MatmulVariant): number {
  const isLarge = tileM * tileN > 128 * 128;
  return isLarge ? ENOUGH_LARGE_WORKGROUPS : ENOUGH_WORKGROUPS[shader];
}

/** Fewest terms of k of a part, and most parts. */
const MIN_TERMS = 128;
const MAX_PARTS = 64;

/**
 * The split-K heuristic: the number of parts that k is split into, a power of two, until there are enough
 * workgroups or the partial sums fill a binding. It depends on the shape and the limits alone, so results
 * repeat.
 */
export function splitKHeuristic(
  variant: MatmulVariant,
  problem: MatmulProblem,
  settings: KernelSettings,
): number {
  const workgroups = Math.ceil(problem.m / variant.tileM) * columnTiles(problem, variant.tileN);
  let parts = leastSplitK(problem, variant.shader);
  while (workgroups * parts < enoughWorkgroups(variant) && maySplitK(problem, parts * 2, settings))
    parts *= 2;
  return parts;
}

/** On matrix units a product is multiplied with alpha only as its partial sums are added up. */
export function leastSplitK(
  { alpha = 1, scaleA = 1 }: MatmulProblem,
  shader: MatmulVariant['shader'],
): 1 | 2 {
  return shader === 'matmul_subgroup_matrix' && (alpha !== 1 || scaleA !== 1) ? 2 : 1;
}

function maySplitK({ m, n, k }: MatmulProblem, parts: number, { maxBindingBytes }: KernelSettings): boolean {
  return parts <= MAX_PARTS && k / parts >= MIN_TERMS && parts * m * n * 4 <= maxBindingBytes;
}

/** Whether a variant can compute the product with k in so many parts. */
export function fitsSplitK(
  variant: MatmulVariant,
  parts: number,
  problem: MatmulProblem,
  settings: KernelSettings,
): boolean {
  const least = leastSplitK(problem, variant.shader);
  if (!Number.isInteger(parts) || parts < least) return false;
  return parts === least || (isTiled(variant) && maySplitK(problem, parts, settings));
}

/** What a dispatch of a product differs by with the split. */
export interface SplitKPart {
  /** Parts that k is split into, and terms of each. */
  constants: { SPLIT_K: number; K_PER_SPLIT: number };
  /** Tiles of C along each side: the grid of lib/matmul/tile_order.wgsl. */
  tiles: { TILES_X: number; TILES_Y: number };
  /** C, each C of a group, or the partial sums. */
  target: Dispatch['bindings'];
  /** Whether `target` is each C of a group. */
  isGrouped: boolean;
}

/**
 * A product with k in so many parts. @param granule terms that a part is a multiple of
 * @param scratchIndex index of the node's scratch for partial sums @param dispatch the product of one part
 */
export function splitK(
  problem: MatmulProblem,
  settings: KernelSettings,
  scratchIndex: number,
  { tileM, tileN }: MatmulVariant,
  parts: number,
  granule: number,
  dispatch: (part: SplitKPart) => Omit<Dispatch, 'workgroups'>,
): Dispatch[] {
  const { m, n, k, group } = problem;
  const [x, y] = [columnTiles(problem, tileN), Math.ceil(m / tileM)];
  const termsPerPart = Math.ceil(k / parts / granule) * granule;
  const split = Math.ceil(k / termsPerPart);
  const constants = { SPLIT_K: split, K_PER_SPLIT: termsPerPart };
  const tiles = { TILES_X: x, TILES_Y: y };
  if (split === 1) {
    const target = outputBindings(problem);
    const isGrouped = group?.along === 'columns';
    return [{ ...dispatch({ constants, tiles, target, isGrouped }), workgroups: [x, y, 1] }];
  }
  const partial: BufferReference = { type: 'scratch', index: scratchIndex, bytes: split * m * n * 4 };
  return [
    {
      ...dispatch({ constants, tiles, target: { c: partial }, isGrouped: false }),
      workgroups: [x, y, split],
    },
    reduceDispatch(problem, split, partial, settings),
  ];
}

/** Adds partial sums up, by vec4 where C has no gaps. */
function reduceDispatch(
  problem: MatmulProblem,
  split: number,
  partial: BufferReference,
  settings: KernelSettings,
): Dispatch {
  const { m, n, c, alpha = 1, accumulate = false, group } = problem;
  const constants = { M: m, SPLIT_K: split, ALPHA: { f32: alpha }, ACCUMULATE: accumulate };
  const isVec4 = group?.along === 'columns' || (!c.offset && c.rowStride === n && n % 4 === 0);
  if (isVec4)
    return {
      shader: 'split_k_reduce_vec4',
      constants: { ...constants, ...reduceConstants(problem) },
      bindings: { partial, ...reduceBindings(problem) },
      workgroups: flatGrid((m * n) / 4, 64, settings),
    };
  return {
    shader: 'split_k_reduce',
    constants: { ...constants, N: n, C_OFFSET: c.offset ?? 0, C_ROW: c.rowStride },
    bindings: { partial, ...outputBindings(problem) },
    workgroups: flatGrid(m * n, 64, settings),
  };
}

/** The partial sums that a dispatch adds up. */
export interface SplitSum {
  partial: Extract<BufferReference, { type: 'scratch' }>;
  parts: number;
  /** Whether C is added to. */
  accumulates: boolean;
}

/** @returns null where it adds no partial sums up, or multiplies them, or C has gaps */
export function splitSum(dispatch: Dispatch | undefined): SplitSum | null {
  if (dispatch?.shader !== 'split_k_reduce_vec4') return null;
  const { SPLIT_K, ALPHA, ACCUMULATE } = dispatch.constants;
  const { partial } = dispatch.bindings;
  if (partial.type !== 'scratch' || (ALPHA as { f32: number }).f32 !== 1) return null;
  return { partial, parts: Number(SPLIT_K), accumulates: ACCUMULATE === true };
}
