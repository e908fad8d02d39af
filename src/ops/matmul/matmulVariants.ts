/** The tiles that a product can be cut into, as data: what each is made of, and how far its result may be off. */
import type { KernelLevel } from '../../gpu/dispatch.ts';

/** A way to cut C into tiles of tileM x tileN. */
export interface MatmulVariant {
  name: string;
  shader:
    | 'matmul_tiled_scalar'
    | 'matmul_tiled_vec4'
    | 'matmul_tiled_unrolled'
    | 'matmul_skinny'
    | 'matmul_subgroup_matrix';
  /** The least level that has it; those beyond plain round a weight's product to float16. */
  level: KernelLevel;
  tileM: number;
  tileN: number;
  /** Sums an invocation makes of a tile; on matrix units the subgroups that share one. */
  perM: number;
  perN: number;
  /** Invocations a workgroup. */
  threads: number;
  /** Whether matmul_tiled_unrolled decodes NF4 in each tile; else it is written out ahead. */
  decodes: boolean;
  /** Most that a result may differ from the plain rule's, of the largest value. */
  bound: number;
}

/** Of results that differ by the order of their sums, by operands in float16, and by those on matrix units. */
const BOUNDS: Record<KernelLevel, number> = { plain: 2e-5, f16: 4e-3, matrix: 5e-3 };

export type Tile = readonly [tileM: number, tileN: number, perM: number, perN: number];

/** Tiles of matmul_tiled_vec4.wgsl: sides, and sums an invocation. No single one is best on every adapter or for every shape; narrow ones are for narrow sides. */
const WIDE: readonly Tile[] = [
  [64, 64, 8, 4],
  [128, 64, 8, 8],
  [128, 128, 8, 8],
  [64, 128, 8, 8],
  [128, 64, 8, 4],
  [64, 64, 4, 4],
  [64, 64, 8, 8],
  [32, 64, 4, 4],
  [32, 128, 8, 4],
  [64, 32, 4, 4],
  [128, 32, 8, 4],
  [16, 64, 4, 4],
  [16, 128, 4, 4],
  [48, 64, 4, 4],
  [64, 16, 4, 4],
  [64, 48, 4, 4],
  [128, 16, 4, 4],
];

/** Tiles of matmul_tiled_unrolled.wgsl: for large sides. */
export const LARGE: Tile = [128, 128, 8, 8];
const UNROLLED: readonly Tile[] = [LARGE, [128, 128, 16, 8], [128, 64, 8, 8], [64, 128, 8, 8]];

/** Tiles of matmul_subgroup_matrix.wgsl, and the subgroups of 32 that share one; the first two are the rule's. */
export const LARGE_MATRIX: Tile = [128, 256, 2, 4];
export const SMALL_MATRIX: Tile = [64, 64, 2, 2];
const MATRIX: readonly Tile[] = [
  LARGE_MATRIX,
  SMALL_MATRIX,
  [128, 128, 2, 2],
  [128, 128, 2, 4],
  [64, 128, 2, 2],
  [64, 256, 2, 4],
];

/** Rows that matmul_skinny.wgsl takes at once, terms of one of its runs, and invocations that share columns. */
export const MOST_FEW_ROWS = 8;
export const RUN = 32;
export const LANES = 32;

const variant = (
  level: KernelLevel,
  [tileM, tileN, perM, perN]: Tile,
  shader: MatmulVariant['shader'] = level === 'matrix' ? 'matmul_subgroup_matrix' : 'matmul_tiled_vec4',
  decodes = false,
): MatmulVariant => ({
  name: nameOf(level, [tileM, tileN, perM, perN], shader, decodes),
  shader,
  level,
  tileM,
  tileN,
  perM,
  perN,
  threads: level === 'matrix' ? perM * perN * 32 : (tileM / perM) * (tileN / perN),
  decodes,
  bound: BOUNDS[level],
});

export function nameOf(
  level: KernelLevel,
  [tileM, tileN, perM, perN]: Tile,
  shader?: MatmulVariant['shader'],
  decodes = false,
): string {
  return `${level} ${tileM}x${tileN} ${perM}x${perN}${shader === 'matmul_tiled_unrolled' ? ' unrolled' : ''}${decodes ? ', decodes' : ''}`;
}

/** Tiles of matmul_skinny.wgsl: for a few rows, by the columns that 32 invocations share, and by invocations. */
const fewRows = (threads: number, name: string): readonly MatmulVariant[] =>
  [4, 2, 1].map((perN) => ({
    ...variant('plain', [MOST_FEW_ROWS, (threads / LANES) * perN, MOST_FEW_ROWS, perN]),
    name: `plain ${name} by ${perN}`,
    shader: 'matmul_skinny',
    threads,
  }));
export const FEW_ROWS = fewRows(128, 'rows');
export const FEW_ROWS_SHARED = fewRows(256, 'shared rows');

/** Elements that lie anyhow, one at a time. */
export const ANY_LAYOUT: MatmulVariant = {
  ...variant('plain', [64, 64, 8, 4]),
  name: 'any layout',
  shader: 'matmul_tiled_scalar',
};

export const VARIANTS: readonly MatmulVariant[] = [
  ANY_LAYOUT,
  ...FEW_ROWS,
  ...FEW_ROWS_SHARED,
  ...WIDE.map((tile) => variant('plain', tile)),
  ...WIDE.map((tile) => variant('f16', tile)),
  ...(['plain', 'f16'] as const).flatMap((level) =>
    [false, true].flatMap((decodes) =>
      UNROLLED.map((tile) => variant(level, tile, 'matmul_tiled_unrolled', decodes)),
    ),
  ),
  ...MATRIX.map((tile) => variant('matrix', tile)),
];
export const BY_NAME = new Map(VARIANTS.map((each) => [each.name, each]));

/** Terms of a tile on matrix units, and of the others. */
export const MATRIX_K = 32;
export const WIDE_K = 16;
