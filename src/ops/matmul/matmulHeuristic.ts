/**
 * The matmul heuristic: which variant computes a product where no choice is given, and whether a group of
 * products is computed as one. The thresholds were measured on the adapters that were tried;
 * shaders/README.md has the reasons. How often k is split is in splitK.ts.
 */
import type { KernelSettings } from '../../gpu/dispatch.ts';
import { columnTiles, isContiguous, ungrouped } from './groupedGemm.ts';
import { hasNf4, readsWords, type MatmulProblem } from './matmulProblem.ts';
import {
  LARGE_MATRIX_TILE,
  SCALAR_VARIANT,
  SKINNY_ROWS,
  SKINNY_VARIANTS,
  SMALL_MATRIX_TILE,
  TILE_K,
  UNROLLED_TILE,
  variantWith,
  WIDE_SKINNY_VARIANTS,
  WIDE_UNROLLED_TILE,
  type MatmulVariant,
  type Tile,
} from './matmulVariants.ts';
import { splitKHeuristic } from './splitK.ts';
import { fits, runsAlongN } from './variantFits.ts';

/**
 * Of matmul_skinny.wgsl: the rows from which wider workgroups share them, and the workgroups that keep an
 * adapter busy.
 */
const WIDE_SKINNY_ROWS = 4;
const ENOUGH_SKINNY = 512;
const ENOUGH_WIDE_SKINNY = 128;
/** Columns from which tiles are faster than more than eight rows of a weight in floats. */
const WIDE_HEAD = 16384;

/** Rows up to which NF4 that runs along n is dequantised in the tiles of matmul_tiled_unrolled, not ahead. */
const MAX_IN_TILE_ROWS = 2048;
/**
 * Workgroups that large tiles and parts of so many terms must make for them to be taken, and most parts that
 * count.
 */
const ENOUGH_LARGE = 128;
const LARGE_PART_TERMS = 512;
const MAX_LARGE_PARTS = 16;

/** A variant, and the parts that k is split into. */
export interface MatmulConfig {
  variant: MatmulVariant;
  splitK: number;
}

/**
 * The config of the heuristic. The level decides the arithmetic: the highest that the settings have and that
 * fits.
 */
export function heuristicConfig(problem: MatmulProblem, settings: KernelSettings): MatmulConfig {
  const variant = heuristicVariant(problem, settings);
  return { variant, splitK: splitKHeuristic(variant, problem, settings) };
}

function heuristicVariant(problem: MatmulProblem, settings: KernelSettings): MatmulVariant {
  if (!readsWords(problem)) return SCALAR_VARIANT;
  const skinny = skinnyVariant(problem, settings);
  if (skinny) return skinny;
  const matrixTile = problem.m >= 128 && problem.n >= 256 ? LARGE_MATRIX_TILE : SMALL_MATRIX_TILE;
  const onMatrixUnits = variantWith('matrix', matrixTile, 'matmul_subgroup_matrix');
  if (fits(onMatrixUnits, problem, settings)) return onMatrixUnits;
  const wide = variantWith('plain', WIDE_UNROLLED_TILE, 'matmul_tiled_unrolled');
  if (settings.maxSums >= 128 && problem.n >= wide.tileN && suitsLargeTiles(problem, wide))
    if (fits(wide, problem, settings)) return wide;
  const level = settings.level !== 'plain' && problem.b.value.role === 'weight' ? 'f16' : 'plain';
  const ahead = variantWith(level, UNROLLED_TILE, 'matmul_tiled_unrolled');
  const inTile = variantWith(level, UNROLLED_TILE, 'matmul_tiled_unrolled', true);
  const unrolled = fits(ahead, problem, settings) && !isBestInTile(problem) ? ahead : inTile;
  return suitsLargeTiles(problem, unrolled) && fits(unrolled, problem, settings)
    ? unrolled
    : variantWith(level, vec4Tile(problem), 'matmul_tiled_vec4');
}

/** For a few rows: as many columns at once as leave enough workgroups. */
function skinnyVariant(problem: MatmulProblem, settings: KernelSettings): MatmulVariant | undefined {
  const [variants, enough] =
    problem.m < WIDE_SKINNY_ROWS
      ? [SKINNY_VARIANTS, ENOUGH_SKINNY]
      : [WIDE_SKINNY_VARIANTS, ENOUGH_WIDE_SKINNY];
  // A wide head in floats is no work for workgroups that each read it again.
  if (problem.m > SKINNY_ROWS && !hasNf4(problem) && problem.n >= WIDE_HEAD) return undefined;
  const fitting = variants.filter((variant) => fits(variant, problem, settings));
  return fitting.find(({ tileN }) => columnTiles(problem, tileN) >= enough) ?? fitting.at(-1);
}

/**
 * Whether dequantising NF4 in every tile costs less than ahead of the product: it runs along n, and few tiles
 * share it.
 */
function isBestInTile(problem: MatmulProblem): boolean {
  return hasNf4(problem) && problem.b.rowStride !== 1 && problem.m <= MAX_IN_TILE_ROWS;
}

/** Whether there are enough large tiles, and B runs along n: others are faster by matmul_tiled_vec4. */
function suitsLargeTiles(problem: MatmulProblem, variant: MatmulVariant): boolean {
  const { m, k } = problem;
  const { tileM, tileN } = variant;
  const isFastAlongK = variant.perM * variant.perN > 64 && !hasNf4(problem);
  if (!(runsAlongN(problem) || isFastAlongK) || m < tileM) return false;
  const parts = Math.max(1, Math.min(MAX_LARGE_PARTS, Math.floor(k / LARGE_PART_TERMS)));
  return Math.ceil(m / tileM) * columnTiles(problem, tileN) * parts >= ENOUGH_LARGE;
}

/** The fastest tile on the adapters that were tried; narrow sides (the ranks of LoRA) get narrow tiles. */
function vec4Tile({ m, n, b }: MatmulProblem): Tile {
  const narrow = (size: number) => (size <= 16 ? 16 : size <= 32 ? 32 : size <= 48 ? 48 : 64);
  if (n < 64) return [n <= 16 && m > 64 ? 128 : 64, narrow(n), 4, 4];
  if (m < 64) return [narrow(m), 64, 4, 4];
  if (b.rowStride === 1 && m >= 128 && n >= 512) return [128, 64, 8, 8];
  return [64, 64, 8, 4];
}

/** From the slowest to the fastest, where they fit. */
const BY_SPEED: readonly MatmulVariant['shader'][] = [
  'matmul_tiled_scalar',
  'matmul_cpu_vec4',
  'matmul_tiled_vec4',
  'matmul_tiled_unrolled',
  'matmul_subgroup_matrix',
  'matmul_skinny',
];

/**
 * Whether a group can be computed as one product, and none of its problems would be computed faster on its
 * own.
 */
export function fitsGrouped(problem: MatmulProblem, settings: KernelSettings): boolean {
  const singles = ungrouped(problem);
  if (settings.target === 'cpu' || !isContiguous(problem, TILE_K, settings) || !singles.every(readsWords))
    return false;
  const speed = (each: MatmulProblem) => {
    const { shader, dequantisesInTile } = heuristicVariant(each, settings);
    return 2 * BY_SPEED.indexOf(shader) - Number(dequantisesInTile);
  };
  return singles.every((single) => speed(single) <= speed(problem));
}
