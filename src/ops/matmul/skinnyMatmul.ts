/** The dispatch of a product of a few rows (matmul_skinny.wgsl), as in generation. */
import type { Dispatch, KernelSettings } from '../../gpu/dispatch.ts';
import {
  columnTiles,
  groupConstants,
  inputBindings,
  outputBindings,
  weightOperandBindings,
} from './groupedGemm.ts';
import { hasNf4, matmulConstants, type MatmulProblem } from './matmulProblem.ts';
import { SKINNY_LANES, type MatmulVariant } from './matmulVariants.ts';
import { workgroupBytes } from './variantFits.ts';

/**
 * Quads of each invocation's terms of A that lib/matmul/skinny_a.wgsl stages in workgroup memory at once: the
 * more, the fewer barriers.
 */
const STAGED_QUADS = [8, 4, 2];

/** Bytes of a staged row of A; one quad more is padding. */
export function stagedRowBytes(quads: number): number {
  return SKINNY_LANES * (quads + 1) * 16;
}

export function skinnyMatmul(
  variant: MatmulVariant,
  problem: MatmulProblem,
  settings: KernelSettings,
): Dispatch {
  const { tileN, perN, threads } = variant;
  const isNf4 = hasNf4(problem);
  const spareBytes = settings.workgroupBytes - workgroupBytes(variant, problem);
  const staged = isNf4
    ? STAGED_QUADS.find((quads) => problem.m * stagedRowBytes(quads) <= spareBytes)
    : undefined;
  return {
    shader: variant.shader,
    constants: {
      ...matmulConstants(problem),
      SPLIT_K: 1,
      ROWS: problem.m,
      TILE_N: tileN,
      PER_N: perN,
      THREADS: threads,
      B_NF4: isNf4,
      A_STAGED: staged ?? 0,
      C_VEC4: false,
      C_GROUPED: problem.group !== undefined,
      ADDS_LORA: false,
      GATED: false,
      ...groupConstants(problem, tileN, settings),
    },
    bindings: {
      ...outputBindings(problem),
      ...inputBindings(problem),
      ...weightOperandBindings(problem, settings),
    },
    workgroups: [columnTiles(problem, tileN), 1, 1],
  };
}
