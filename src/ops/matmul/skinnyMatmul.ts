/** The dispatch of a product of some rows (matmul_skinny.wgsl), as in generation. */
import type { Dispatch, KernelSettings } from '../../gpu/dispatch.ts';
import {
  columnTiles,
  groupConstants,
  inputBindings,
  outputBindings,
  weightOperandBindings,
} from './groupedGemm.ts';
import { hasNf4, matmulConstants, type MatmulProblem } from './matmulProblem.ts';
import { SKINNY_LANES, SKINNY_ROWS, type MatmulVariant } from './matmulVariants.ts';
import { skinnyBytes, workgroupBytes } from './variantFits.ts';

/**
 * Quads of each invocation's terms of A that lib/matmul/skinny_a.wgsl stages in workgroup memory at once: the
 * more, the fewer barriers.
 */
const STAGED_QUADS = [8, 4, 2];

/** Bytes of a staged row of A; one quad more is padding. */
function stagedRowBytes(quads: number): number {
  return SKINNY_LANES * (quads + 1) * 16;
}

/**
 * How workgroups share the rows of a product or an adapter, and the constants of lib/row_groups.wgsl.
 */
export function rowGroups(rows: number): {
  count: number;
  constants: { ROWS: number; MANY_ROWS: boolean; ALL_ROWS: number };
} {
  const count = Math.ceil(rows / SKINNY_ROWS);
  return { count, constants: { ROWS: Math.min(rows, SKINNY_ROWS), MANY_ROWS: count > 1, ALL_ROWS: rows } };
}

/** Of a dispatch of matmul_skinny.wgsl, with all that it computes beside the product. */
export function skinnyWorkgroupBytes(constants: Dispatch['constants']): number {
  const { PER_N, THREADS, TILE_N, A_STAGED, ROWS, GATED, NEXT_RANK, PARTS, RANK_QUADS } = constants as Record<
    string,
    number
  >;
  const entries = ROWS * RANK_QUADS;
  return (
    skinnyBytes(PER_N, THREADS) +
    (A_STAGED ? ROWS * stagedRowBytes(A_STAGED) : 0) +
    (GATED ? 4 * TILE_N : 0) +
    (NEXT_RANK ? 2 * ROWS * TILE_N : 0) +
    (PARTS ? 16 * entries * (1 + Math.min(Math.floor(THREADS / entries), PARTS)) : 0)
  );
}

export function skinnyMatmul(
  variant: MatmulVariant,
  problem: MatmulProblem,
  settings: KernelSettings,
): Dispatch {
  const { tileN, perN, threads } = variant;
  const isNf4 = hasNf4(problem);
  const groups = rowGroups(problem.m);
  const spareBytes = settings.workgroupBytes - workgroupBytes(variant, problem, settings);
  const staged = isNf4
    ? STAGED_QUADS.find((quads) => groups.constants.ROWS * stagedRowBytes(quads) <= spareBytes)
    : undefined;
  return {
    shader: variant.shader,
    constants: {
      ...matmulConstants(problem),
      SPLIT_K: 1,
      ...groups.constants,
      TILE_N: tileN,
      PER_N: perN,
      THREADS: threads,
      B_NF4: isNf4,
      A_STAGED: staged ?? 0,
      C_VEC4: false,
      C_GROUPED: problem.group !== undefined,
      ADDS_LORA: false,
      PARTS: 0,
      GATED: false,
      NEXT_RANK: 0,
      ...groupConstants(problem, tileN, settings),
    },
    bindings: {
      ...outputBindings(problem),
      ...inputBindings(problem),
      ...weightOperandBindings(problem, settings),
    },
    workgroups: [columnTiles(problem, tileN), groups.count, 1],
  };
}
