/**
 * The variants of the GPU matmul kernels as data: the tile that a workgroup computes, how its invocations
 * share the tile, and how far a result may be off. Which variant runs is decided in matmulHeuristic.ts.
 */
import { LEVEL_BOUNDS, type KernelLevel, type KernelSettings, type MatrixUnits } from '../../gpu/dispatch.ts';

/** Computes C in tiles of tileM x tileN. */
export interface MatmulVariant {
  /** Unique; stored choices and measurements refer to it. */
  name: string;
  /** Each is explained in shaders/README.md. */
  shader:
    | 'matmul_tiled_scalar'
    | 'matmul_tiled_vec4'
    | 'matmul_tiled_unrolled'
    | 'matmul_skinny'
    | 'matmul_subgroup_matrix'
    | 'matmul_cpu_vec4';
  /** The lowest level that has it; above plain, operands of products with a weight are rounded to float16. */
  level: KernelLevel;
  tileM: number;
  tileN: number;
  /**
   * Rows and columns of a tile that an invocation computes; on matrix units the subgroups along each side of
   * a tile.
   */
  perM: number;
  perN: number;
  /** Invocations of a workgroup. */
  threads: number;
  /** Of matmul_tiled_unrolled: whether NF4 is dequantised in the tile instead of ahead of the product. */
  dequantisesInTile: boolean;
  /**
   * How much a result may differ from that of the plain heuristic's variant, relative to the largest value.
   */
  bound: number;
}

export type Tile = readonly [tileM: number, tileN: number, perM: number, perN: number];

/**
 * Tiles of matmul_tiled_vec4.wgsl. No single one is the fastest on every adapter and for every shape; narrow
 * ones are for narrow sides.
 */
const VEC4_TILES: readonly Tile[] = [
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

/** Tiles of matmul_tiled_unrolled.wgsl, for large sides; the heuristic takes the first. */
export const UNROLLED_TILE: Tile = [128, 128, 8, 8];
const UNROLLED_TILES: readonly Tile[] = [UNROLLED_TILE, [128, 64, 8, 8], [64, 128, 8, 8]];
/**
 * One of 128 sums an invocation, which the heuristic takes first where an adapter has the registers. At every
 * level it is in float32 and dequantised ahead: float16 tiles and decoding in the tile were slower.
 */
export const WIDE_UNROLLED_TILE: Tile = [128, 256, 8, 16];

/**
 * Tiles of matmul_subgroup_matrix.wgsl, and the subgroups of 32 along each side of a tile; the heuristic
 * takes the first two.
 */
export const LARGE_MATRIX_TILE: Tile = [128, 128, 2, 2];
export const SMALL_MATRIX_TILE: Tile = [64, 64, 2, 2];
const MATRIX_TILES: readonly Tile[] = [
  LARGE_MATRIX_TILE,
  SMALL_MATRIX_TILE,
  [128, 256, 2, 4],
  [128, 128, 2, 4],
  [64, 128, 2, 2],
  [64, 256, 2, 4],
];

/** Rows that a workgroup of matmul_skinny.wgsl computes at most. */
export const SKINNY_ROWS = 8;

/** Rows up to which the kernels of few rows serve. */
export function fewRows(settings: KernelSettings): number {
  return settings.fewRows ?? SKINNY_ROWS;
}

/** Terms of k that an invocation of matmul_skinny.wgsl reads at once: they share one scale of NF4. */
export const SKINNY_TERMS = 32;
/** Invocations of matmul_skinny.wgsl that share a column. */
export const SKINNY_LANES = 32;

/** Terms of k in a tile: on matrix units with operands in float16, and in the other tiled kernels. */
export const MATRIX_TILE_K = 32;
export const TILE_K = 16;

/** Of a tile on matrix units: terms of k, and elements of padding of a row, which are 16 bytes. */
export function matrixTile({ operands }: MatrixUnits): { tileK: number; pad: number; bytes: number } {
  return operands === 'f16'
    ? { tileK: MATRIX_TILE_K, pad: 8, bytes: 2 }
    : { tileK: TILE_K, pad: 4, bytes: 4 };
}

/**
 * The subgroups along each side of a tile on matrix units: those of the variant, which are of 32 invocations,
 * or as many more or fewer as leave a workgroup as large.
 */
export function subgroupGrid(
  { tileM, tileN, perM, perN }: MatmulVariant,
  { subgroup }: MatrixUnits,
): [subgroupsM: number, subgroupsN: number] {
  let [m, n] = [perM, perN];
  for (let size = 32; size > subgroup; size /= 2) {
    if (tileM / m >= tileN / n) m *= 2;
    else n *= 2;
  }
  for (let size = 32; size < subgroup; size *= 2) {
    if (m > 1 && (tileM / m <= tileN / n || n === 1)) m /= 2;
    else n /= 2;
  }
  return [m, n];
}

function variantOf(
  level: KernelLevel,
  tile: Tile,
  shader: MatmulVariant['shader'],
  dequantisesInTile = false,
): MatmulVariant {
  const [tileM, tileN, perM, perN] = tile;
  return {
    name: variantName(level, tile, shader, dequantisesInTile),
    shader,
    level,
    tileM,
    tileN,
    perM,
    perN,
    threads: shader === 'matmul_subgroup_matrix' ? perM * perN * 32 : (tileM / perM) * (tileN / perN),
    dequantisesInTile,
    bound: LEVEL_BOUNDS[level],
  };
}

function variantName(
  level: KernelLevel,
  [tileM, tileN, perM, perN]: Tile,
  shader: MatmulVariant['shader'],
  dequantisesInTile: boolean,
): string {
  const unrolled = shader === 'matmul_tiled_unrolled' ? ' unrolled' : '';
  return `${level} ${tileM}x${tileN} ${perM}x${perN}${unrolled}${dequantisesInTile ? ', dequantises' : ''}`;
}

/**
 * Variants of matmul_skinny.wgsl, by the columns that SKINNY_LANES invocations compute, and by invocations.
 */
function skinnyVariants(threads: number, name: string): readonly MatmulVariant[] {
  return [4, 2, 1].map((perN) => ({
    ...variantOf('plain', [SKINNY_ROWS, (threads / SKINNY_LANES) * perN, SKINNY_ROWS, perN], 'matmul_skinny'),
    name: `plain ${name} by ${perN}`,
    threads,
  }));
}
export const SKINNY_VARIANTS = skinnyVariants(128, 'skinny');
export const WIDE_SKINNY_VARIANTS = skinnyVariants(256, 'wide skinny');

/** Reads operands of any layout, one element at a time. */
export const SCALAR_VARIANT: MatmulVariant = {
  ...variantOf('plain', [64, 64, 8, 4], 'matmul_tiled_scalar'),
  name: 'scalar',
};

/**
 * The kernel of CPU adapters, without workgroup memory or barriers, which is said to be the faster way on
 * Apple's GPUs: only a measurement chooses it, for products of one weight. Its 64 invocations take blocks of
 * 8 × 8 along a row of them.
 */
export const REGISTERS_VARIANT: MatmulVariant = {
  ...variantOf('plain', [8, 512, 8, 8], 'matmul_cpu_vec4'),
  name: 'plain registers',
};

export const VARIANTS: readonly MatmulVariant[] = [
  SCALAR_VARIANT,
  REGISTERS_VARIANT,
  ...SKINNY_VARIANTS,
  ...WIDE_SKINNY_VARIANTS,
  ...(['plain', 'f16'] as const).flatMap((level) =>
    VEC4_TILES.map((tile) => variantOf(level, tile, 'matmul_tiled_vec4')),
  ),
  ...(['plain', 'f16'] as const).flatMap((level) =>
    [false, true].flatMap((inTile) =>
      UNROLLED_TILES.map((tile) => variantOf(level, tile, 'matmul_tiled_unrolled', inTile)),
    ),
  ),
  variantOf('plain', WIDE_UNROLLED_TILE, 'matmul_tiled_unrolled'),
  ...MATRIX_TILES.map((tile) => variantOf('matrix', tile, 'matmul_subgroup_matrix')),
];

/**
 * Whether a kernel computes C in tiles that its workgroup stages: they waste what lies beyond C, and k may be
 * split where they are few.
 */
export function isTiled({ shader }: MatmulVariant): boolean {
  return shader !== 'matmul_skinny' && shader !== 'matmul_cpu_vec4';
}

const BY_NAME = new Map(VARIANTS.map((variant) => [variant.name, variant]));

/** @returns undefined where no variant has that name */
export function variantNamed(name: string): MatmulVariant | undefined {
  return BY_NAME.get(name);
}

/** The variant of a kernel with this tile. @throws where there is none */
export function variantWith(
  level: KernelLevel,
  tile: Tile,
  shader: MatmulVariant['shader'],
  dequantisesInTile = false,
): MatmulVariant {
  const name = variantName(level, tile, shader, dequantisesInTile);
  const variant = BY_NAME.get(name);
  if (!variant) throw new Error(`matmul has no variant ${name}`);
  return variant;
}
