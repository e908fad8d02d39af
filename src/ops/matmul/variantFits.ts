/**
 * Which matmul variants can compute a product on an adapter: its layout, its sizes, the level and the
 * workgroup memory.
 */
import { LEVELS, matrixUnitsOf, type KernelSettings } from '../../gpu/dispatch.ts';
import { isTransposed } from './dequantiseAhead.ts';
import { columnTiles, isContiguous } from './groupedGemm.ts';
import { MAX_DEQUANTISED_BYTES } from '../weights/weightSlices.ts';
import { hasNf4, readsVec4, readsWords, type MatmulProblem } from './matmulProblem.ts';
import {
  MATRIX_TILE_K,
  fewRows,
  matrixTile,
  SKINNY_TERMS,
  TILE_K,
  type MatmulVariant,
} from './matmulVariants.ts';
import { leastSplitK } from './splitK.ts';

/** Rows from which NF4 may be dequantised ahead of the product. */
const MIN_DEQUANTISE_ROWS = 256;
/** Invocations of a workgroup that every adapter has. */
const MAX_THREADS = 256;

/** Whether a variant can compute a product on this adapter, at the settings' level. */
export function fits(variant: MatmulVariant, problem: MatmulProblem, settings: KernelSettings): boolean {
  if (LEVELS.indexOf(variant.level) > LEVELS.indexOf(settings.level)) return false;
  if (variant.threads > MAX_THREADS || workgroupBytes(variant, problem, settings) > settings.workgroupBytes)
    return false;
  // Only products with a weight may round their operands to float16.
  if (variant.level !== 'plain' && problem.b.value.role !== 'weight') return false;
  switch (variant.shader) {
    case 'matmul_tiled_scalar':
      return !readsWords(problem);
    case 'matmul_tiled_vec4':
      return readsWords(problem);
    case 'matmul_tiled_unrolled':
      return fitsUnrolled(variant, problem, settings);
    case 'matmul_skinny':
      return fitsSkinny(problem, settings) && columnTiles(problem, variant.tileN) <= settings.maxWorkgroups;
    case 'matmul_cpu_vec4':
      return !problem.group && problem.m > fewRows(settings) && readsVec4(problem);
    case 'matmul_subgroup_matrix':
      return fitsMatrixUnits(problem, settings);
  }
}

/** Bytes of workgroup memory that a variant takes at least. */
export function workgroupBytes(
  { shader, level, tileM, tileN, perN, threads }: MatmulVariant,
  { a, b }: MatmulProblem,
  settings: KernelSettings,
): number {
  const vectorBytes = level === 'plain' ? 16 : 8;
  /** The 16 code points of NF4. */
  const codeBytes = 64;
  switch (shader) {
    case 'matmul_tiled_scalar':
      return 8192;
    case 'matmul_tiled_vec4': {
      // A row of the tile is four vec4, and one of padding where the operand runs along k.
      const tile = (side: number, alongK: boolean) => side * (alongK ? 5 : 4) * vectorBytes;
      return tile(tileM, a.columnStride === 1) + tile(tileN, b.rowStride === 1) + codeBytes;
    }
    case 'matmul_tiled_unrolled':
      return TILE_K * (tileM / 4 + 1 + tileN / 4 + 1) * vectorBytes + codeBytes;
    case 'matmul_skinny':
      return skinnyBytes(perN, threads);
    case 'matmul_cpu_vec4':
      return 0;
    case 'matmul_subgroup_matrix': {
      const { tileK, pad, bytes } = matrixTile(matrixUnitsOf(settings));
      const rows = tileM * (tileK + pad);
      const columns = b.rowStride === 1 ? tileN * (tileK + pad) : tileK * (tileN + pad);
      return bytes * (rows + columns);
    }
  }
}

/** Of matmul_skinny.wgsl: the code points of each lane, the sums of all invocations, a quarter of them. */
export function skinnyBytes(perN: number, threads: number): number {
  return 2048 + 5 * perN * threads;
}

/** A few rows, and both operands run along k: as in generation. */
function fitsSkinny({ m, k, a, b, group }: MatmulProblem, settings: KernelSettings): boolean {
  const strides = [a.offset ?? 0, b.offset ?? 0, a.rowStride, b.columnStride, k];
  return (
    m <= fewRows(settings) &&
    a.columnStride === 1 &&
    b.rowStride === 1 &&
    group?.along !== 'terms' &&
    strides.every((size) => size % SKINNY_TERMS === 0)
  );
}

/**
 * A runs along k; NF4 is dequantised ahead where there are enough rows to make up for it and it fits, or in
 * the tile.
 */
function fitsUnrolled(
  { dequantisesInTile }: MatmulVariant,
  problem: MatmulProblem,
  settings: KernelSettings,
): boolean {
  const { m, n, k, a, b } = problem;
  if (!readsWords(problem) || a.columnStride !== 1 || !isContiguous(problem, TILE_K, settings)) return false;
  if (!hasNf4(problem)) return !dequantisesInTile;
  if (dequantisesInTile) return true;
  const mostBytes = Math.min(MAX_DEQUANTISED_BYTES, settings.maxBindingBytes);
  return m >= MIN_DEQUANTISE_ROWS && !b.offset && n * k * 4 <= mostBytes;
}

function fitsMatrixUnits(problem: MatmulProblem, settings: KernelSettings): boolean {
  const { m, n, k, a, b, group } = problem;
  const { maxBindingBytes } = settings;
  if (!readsWords(problem) || a.columnStride !== 1 || !isContiguous(problem, MATRIX_TILE_K, settings))
    return false;
  if (group?.along === 'columns' && group.problems.some(({ size }) => size % 16 !== 0)) return false;
  if (b.offset || m < 64 || n < 64 || m % 16 !== 0 || n % 16 !== 0 || k % MATRIX_TILE_K !== 0) return false;
  if (n * k * matrixTile(matrixUnitsOf(settings)).bytes > maxBindingBytes) return false;
  if (leastSplitK(problem, 'matmul_subgroup_matrix') === 1) return true;
  return k % (2 * MATRIX_TILE_K) === 0 && 2 * m * n * 4 <= maxBindingBytes;
}

/**
 * Whether the large tiles of matmul_tiled_unrolled serve: B runs along n, or does so once it is dequantised.
 */
export function runsAlongN(problem: MatmulProblem): boolean {
  return problem.b.rowStride !== 1 || isTransposed(problem);
}
