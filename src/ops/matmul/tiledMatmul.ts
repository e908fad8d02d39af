/** The dispatches of the tiled matmul kernels: scalar, by vec4, unrolled, and on matrix units. */
import { matrixUnitsOf, type Dispatch, type KernelSettings } from '../../gpu/dispatch.ts';
import { BLOCK } from '../../quant/nf4.ts';
import { dequantisedOperand, storedOperand } from './dequantiseAhead.ts';
import { groupConstants, inputBindings, weightOperandBindings } from './groupedGemm.ts';
import type { MatmulConfig } from './matmulHeuristic.ts';
import { hasNf4, matmulConstants, type MatmulProblem } from './matmulProblem.ts';
import { MATRIX_TILE_K, matrixTile, subgroupGrid, TILE_K, type MatmulVariant } from './matmulVariants.ts';
import { splitK } from './splitK.ts';

/** matmul_tiled_scalar.wgsl: operands of any layout, one element at a time. */
export function scalarMatmul(
  config: MatmulConfig,
  problem: MatmulProblem,
  settings: KernelSettings,
  scratchIndex: number,
): Dispatch[] {
  const { variant } = config;
  const { a, b } = problem;
  return splitK(problem, settings, scratchIndex, variant, config.splitK, 1, ({ constants, target }) => ({
    shader: variant.shader,
    constants: {
      ...matmulConstants(problem),
      A_ALONG_K: a.columnStride === 1,
      B_ALONG_K: b.rowStride === 1,
      ...constants,
    },
    bindings: { ...target, ...inputBindings(problem), ...weightOperandBindings(problem, settings) },
  }));
}

/** matmul_tiled_vec4.wgsl: operands read by vec4, NF4 dequantised in the tile. */
export function vec4Matmul(
  config: MatmulConfig,
  problem: MatmulProblem,
  settings: KernelSettings,
  scratchIndex: number,
): Dispatch[] {
  const { variant } = config;
  const { a, b } = problem;
  const isAlongK = b.rowStride === 1;
  return splitK(problem, settings, scratchIndex, variant, config.splitK, TILE_K, (part) => ({
    shader: variant.shader,
    constants: {
      ...matmulConstants(problem),
      ...registerTileConstants(problem, variant, hasNf4(problem)),
      ...part.constants,
      A_ALONG_K: a.columnStride === 1,
      B_ALONG_K: isAlongK,
      C_VEC4: !isAlongK && writesVec4(problem),
      C_GROUPED: part.isGrouped,
      ...groupConstants(problem, variant.tileN, settings),
    },
    bindings: { ...part.target, ...inputBindings(problem), ...weightOperandBindings(problem, settings) },
  }));
}

/** matmul_tiled_unrolled.wgsl: large tiles, NF4 dequantised ahead of the product or in the tile. */
export function unrolledMatmul(
  config: MatmulConfig,
  problem: MatmulProblem,
  settings: KernelSettings,
  scratchIndex: number,
): Dispatch[] {
  const { variant } = config;
  const { dispatches, layout, bindings, dequantised } = variant.dequantisesInTile
    ? storedOperand(problem, settings)
    : dequantisedOperand(problem, settings, scratchIndex + 1, 'f32');
  const products = splitK(problem, settings, scratchIndex, variant, config.splitK, TILE_K, (part) => ({
    shader: variant.shader,
    constants: {
      ...matmulConstants(problem),
      ...layout,
      ...registerTileConstants(problem, variant, variant.dequantisesInTile),
      ...squareConstants(layout.B_ALONG_K === true, variant),
      ...part.constants,
      ...part.tiles,
      TILE_K,
      C_VEC4: writesVec4(problem),
      C_GROUPED: part.isGrouped,
      ...groupConstants(problem, variant.tileN, settings, dequantised),
    },
    bindings: { ...part.target, ...inputBindings(problem), ...bindings },
  }));
  return [...dispatches, ...products];
}

/**
 * matmul_subgroup_matrix.wgsl: operands in float16, or float32, on matrix units, NF4 dequantised to that
 * ahead of the product.
 */
export function subgroupMatrixMatmul(
  config: MatmulConfig,
  problem: MatmulProblem,
  settings: KernelSettings,
  scratchIndex: number,
): Dispatch[] {
  const { variant } = config;
  const { alpha = 1, scaleA = 1 } = problem;
  const units = matrixUnitsOf(settings);
  const { tileM, tileN, threads } = variant;
  const { tileK } = matrixTile(units);
  const [subgroupsM, subgroupsN] = subgroupGrid(variant, units);
  const operand = dequantisedOperand(problem, settings, scratchIndex + 1, units.operands);
  const { dispatches, layout, bindings, dequantised } = operand;
  const scaled = { ...problem, alpha: alpha / scaleA };
  const products = splitK(scaled, settings, scratchIndex, variant, config.splitK, MATRIX_TILE_K, (part) => ({
    shader: variant.shader,
    constants: {
      ...matmulConstants(problem),
      ...layout,
      ...part.constants,
      ...part.tiles,
      TILE_M: tileM,
      TILE_N: tileN,
      TILE_K: tileK,
      SUB_M: subgroupsM,
      SUB_N: subgroupsN,
      FRAGMENT_M: units.m,
      FRAGMENT_N: units.n,
      FRAGMENT_K: units.k,
      MATRIX_EXTENSION: units.extension,
      OPERANDS: units.operands,
      SUBGROUP: units.subgroup,
      PINNED: units.pinned,
      FM: tileM / subgroupsM / units.m,
      FN: tileN / subgroupsN / units.n,
      FK: tileK / units.k,
      K_ALIGNED: true,
      THREADS: threads,
      A_LOADS: (tileM * tileK) / 4 / threads,
      B_LOADS: (tileN * tileK) / 4 / threads,
      A_SCALE: { f32: scaleA },
      B_F16: dequantised !== null && units.operands === 'f16',
      C_VEC4: false,
      C_GROUPED: part.isGrouped,
      ...groupConstants(problem, tileN, settings, dequantised),
    },
    bindings: { ...part.target, ...inputBindings(problem), ...bindings },
  }));
  return [...dispatches, ...products];
}

/**
 * What matmul_tiled_vec4.wgsl and matmul_tiled_unrolled.wgsl share. @param isNf4InTile whether B comes to its
 * tile as NF4: a word of eight codes at a time, not four elements
 */
function registerTileConstants(
  { k, b }: MatmulProblem,
  { level, tileM, tileN, perM, perN, threads }: MatmulVariant,
  isNf4InTile: boolean,
) {
  const vectors = isNf4InTile ? 2 : 1;
  return {
    K_ALIGNED: k % TILE_K === 0,
    A_LOADS: Math.ceil((tileM * TILE_K) / 4 / threads),
    B_LOADS: Math.ceil((tileN * TILE_K) / (4 * vectors) / threads),
    B_VECTORS: vectors,
    B_NF4: isNf4InTile,
    B_SCALE_TERMS: b.rowStride === 1 && k % BLOCK === 0 ? BLOCK : TILE_K,
    TILE_M: tileM,
    TILE_N: tileN,
    PER_M: perM,
    PER_N: perN,
    VECTORS_M: perM / 4,
    VECTORS_N: perN / 4,
    THREADS: threads,
    TILE_F16: level !== 'plain',
  };
}

/**
 * Of matmul_tiled_unrolled.wgsl: where B runs along k and its tile is as many squares of 4 x 4 as there are
 * invocations, or a multiple, each invocation transposes whole squares.
 */
function squareConstants(
  isAlongK: boolean,
  { tileN, threads, dequantisesInTile }: MatmulVariant,
): Dispatch['constants'] {
  const squares = (tileN * TILE_K) / 16 / threads;
  return isAlongK && !dequantisesInTile && Number.isInteger(squares)
    ? { B_FOURS: true, B_LOADS: squares }
    : { B_FOURS: false };
}

/** Whether C can be written by vec4. */
function writesVec4({ c }: MatmulProblem): boolean {
  return (c.offset ?? 0) % 4 === 0 && c.rowStride % 4 === 0;
}
