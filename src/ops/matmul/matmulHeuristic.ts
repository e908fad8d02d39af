/** Which variants can compute a product on this adapter, which one the rule takes and over how many slices of k, and what was chosen instead. */
import { LEVELS, type KernelSettings } from '../../gpu/dispatch.ts';
import { BLOCK } from '../../quant/nf4.ts';
import { ungrouped, columnTiles, isContiguous } from './groupedGemm.ts';
import { hasNf4, MOST_WRITTEN_BYTES, readsByFour, weightKind, type MatmulProblem } from './matmulProblem.ts';
import {
  ANY_LAYOUT,
  BY_NAME,
  FEW_ROWS,
  FEW_ROWS_SHARED,
  LARGE,
  LARGE_MATRIX,
  MATRIX_K,
  MOST_FEW_ROWS,
  nameOf,
  RUN,
  SMALL_MATRIX,
  VARIANTS,
  WIDE_K,
  type MatmulVariant,
  type Tile,
} from './matmulVariants.ts';

/** Of matmul_skinny.wgsl: rows from which more invocations share them, and workgroups that keep an adapter busy, without and with that. */
const SHARED_ROWS = 4;
const ENOUGH_ROWS = 512;
const ENOUGH_ROWS_SHARED = 128;

/** Rows from which NF4 may be written out ahead of the product, and up to which NF4 that runs along n is decoded in the tiles nevertheless. */
const WRITTEN_ROWS = 256;
const DECODED_ROWS = 2048;
/** Workgroups that large tiles and slices of so many terms must make at least for them to be the rule, and most slices that count. */
const ENOUGH_LARGE = 128;
const LARGE_SLICE = 512;
const MOST_LARGE_SLICES = 16;

/** Below this many workgroups a long sum is split over k, so that the adapter has work; those of larger tiles are larger. */
const ENOUGH_WORKGROUPS = 384;
const ENOUGH_UNROLLED = 192;
const ENOUGH_ON_MATRIX_UNITS = 112;
/** Least terms of a slice, and most slices. */
const SLICE = 128;
const MOST_SLICES = 64;
/** Largest workgroup that every adapter has. */
const MOST_THREADS = 256;

/** A variant, and the slices of k that are summed apart and added up in order. */
export interface MatmulConfig {
  variant: MatmulVariant;
  slices: number;
}

/** What decides how fast each way is. Tokens are rounded up, so that another file's rows need no measurement of their own. */
export function matmulKey(product: MatmulProblem): string {
  const { m, n, k, a, b, alpha = 1, accumulate = false, scaleA = 1, group } = product;
  const overTokens = a.columnStride !== 1;
  const size = overTokens ? `${m}x${n}x${roundedTokens(k)}` : `${roundedTokens(m)}x${n}x${k}`;
  const kind = b.value.role === 'weight' ? weightKind(b.value) : 'value';
  const parts = group && `${group.along} ${group.members.map((member) => member.size).join(' + ')}`;
  const how = [
    parts,
    accumulate && 'added',
    alpha !== 1 && 'multiplied',
    scaleA !== 1 && 'scaled',
    !readsByEight(product) && 'unaligned',
  ].filter(Boolean);
  return [
    `product ${size} ${kind}`,
    `A by ${overTokens ? 'm' : 'k'}`,
    `B by ${b.rowStride === 1 ? 'k' : 'n'}`,
    ...how,
  ].join(', ');
}

/** Up to the next of four sizes an octave: 512, 640, 768, 896, 1024, 1280 … */
function roundedTokens(tokens: number): number {
  const granule = Math.max(1, 2 ** (Math.ceil(Math.log2(tokens)) - 3));
  return Math.ceil(tokens / granule) * granule;
}

/** Whether matmul_tiled_vec4's conditions hold: reads by vec4, and NF4 by words of eight codes that lie along its rows. */
export function readsByEight(product: MatmulProblem): boolean {
  const { n, k, b } = product;
  if (!readsByFour(product) || !hasNf4(product)) return readsByFour(product);
  return [b.rowStride === 1 ? k : n, b.offset ?? 0, b.rowStride === 1 ? b.columnStride : b.rowStride].every(
    (size) => size % 8 === 0,
  );
}

/** From the slowest to the fastest, where they fit. */
const SHADERS: readonly MatmulVariant['shader'][] = [
  'matmul_tiled_scalar',
  'matmul_tiled_vec4',
  'matmul_tiled_unrolled',
  'matmul_subgroup_matrix',
  'matmul_skinny',
];

/** Whether a group can be one product, and none of its members has to leave a faster kernel for it. */
export function fitsGrouped(product: MatmulProblem, settings: KernelSettings): boolean {
  const members = ungrouped(product);
  if (settings.target === 'cpu' || !isContiguous(product, WIDE_K, settings) || !members.every(readsByEight))
    return false;
  const speed = (each: MatmulProblem) => {
    const { shader, decodes } = heuristicConfig(each, settings).variant;
    return 2 * SHADERS.indexOf(shader) - Number(decodes);
  };
  return members.every((member) => speed(member) <= speed(product));
}

/** Whether a variant can compute a product on this adapter, at the settings' level. */
export function fits(variant: MatmulVariant, product: MatmulProblem, settings: KernelSettings): boolean {
  if (LEVELS.indexOf(variant.level) > LEVELS.indexOf(settings.level)) return false;
  if (variant.threads > MOST_THREADS || workgroupBytes(variant, product) > settings.workgroupBytes)
    return false;
  switch (variant.shader) {
    case 'matmul_tiled_scalar':
      return !readsByEight(product);
    case 'matmul_tiled_vec4':
      return readsByEight(product) && (variant.level === 'plain' || product.b.value.role === 'weight');
    case 'matmul_skinny':
      return fitsRows(product) && columnTiles(product, variant.tileN) <= settings.maxWorkgroups;
    case 'matmul_tiled_unrolled':
      return (
        fitsUnrolled(variant, product, settings) &&
        (variant.level === 'plain' || product.b.value.role === 'weight')
      );
    case 'matmul_subgroup_matrix':
      return fitsMatrixUnits(product, settings);
  }
}

/** Bytes of workgroup memory that a variant takes at least. */
export function workgroupBytes(
  { shader, level, tileM, tileN, perN, threads }: MatmulVariant,
  { a, b }: MatmulProblem,
): number {
  // A padded row of four vec4 has five; matmul_subgroup_matrix pads each row by eight.
  const along = (side: number, alongK: boolean) => side * (alongK ? 5 : 4) * (level === 'plain' ? 16 : 8);
  switch (shader) {
    case 'matmul_tiled_scalar':
      return 8192;
    // 64: the code points of NF4.
    case 'matmul_tiled_vec4':
      return along(tileM, a.columnStride === 1) + along(tileN, b.rowStride === 1) + 64;
    case 'matmul_skinny':
      // NF4's code points for each lane, the sums of all invocations, and a quarter of them.
      return 2048 + 5 * perN * threads;
    case 'matmul_tiled_unrolled':
      return WIDE_K * (tileM / 4 + 1 + tileN / 4 + 1) * (level === 'plain' ? 16 : 8) + 64;
    case 'matmul_subgroup_matrix':
      return (
        2 * (tileM * (MATRIX_K + 8) + (b.rowStride === 1 ? tileN * (MATRIX_K + 8) : MATRIX_K * (tileN + 8)))
      );
  }
}

/** A few rows, and both operands run along k: as in generation. */
function fitsRows({ m, k, a, b, group }: MatmulProblem): boolean {
  const strides = [a.offset ?? 0, b.offset ?? 0, a.rowStride, b.columnStride, k];
  return (
    m <= MOST_FEW_ROWS &&
    a.columnStride === 1 &&
    b.rowStride === 1 &&
    group?.along !== 'terms' &&
    strides.every((size) => size % RUN === 0)
  );
}

/** A runs along k; NF4 is written out first where there are rows enough to make up for it and it fits, or decoded in the tiles. */
function fitsUnrolled({ decodes }: MatmulVariant, product: MatmulProblem, settings: KernelSettings): boolean {
  const { m, n, k, a, b } = product;
  if (!readsByEight(product) || a.columnStride !== 1 || !isContiguous(product, WIDE_K, settings))
    return false;
  if (decodes || !hasNf4(product)) return decodes === hasNf4(product);
  return (
    m >= WRITTEN_ROWS && !b.offset && n * k * 4 <= Math.min(MOST_WRITTEN_BYTES, settings.maxBindingBytes)
  );
}

/** Whether NF4 that runs along k is turned as it is written out or decoded. */
export function isTransposed(product: MatmulProblem): boolean {
  return hasNf4(product) && product.b.rowStride === 1 && product.k % BLOCK === 0;
}

function fitsMatrixUnits(product: MatmulProblem, settings: KernelSettings): boolean {
  const { m, n, k, a, b, group } = product;
  const { maxBindingBytes } = settings;
  if (
    !isContiguous(product, MATRIX_K, settings) ||
    (group?.along === 'columns' && group.members.some(({ size }) => size % 16 !== 0))
  )
    return false;
  if (b.value.role !== 'weight' || !readsByEight(product) || a.columnStride !== 1) return false;
  if (
    b.offset ||
    m < 64 ||
    n < 64 ||
    m % 16 !== 0 ||
    n % 16 !== 0 ||
    k % MATRIX_K !== 0 ||
    n * k * 2 > maxBindingBytes
  )
    return false;
  return (
    leastSlices(product, 'matmul_subgroup_matrix') === 1 ||
    (k % (2 * MATRIX_K) === 0 && 2 * m * n * 4 <= maxBindingBytes)
  );
}

/** On matrix units only the sum over slices can multiply its result. */
function leastSlices({ alpha = 1, scaleA = 1 }: MatmulProblem, shader: MatmulVariant['shader']): number {
  return shader === 'matmul_subgroup_matrix' && (alpha !== 1 || scaleA !== 1) ? 2 : 1;
}

/** Slices of k: a power of two, until there is enough to do or the partial sums fill a binding. Depends on the shape and the limits alone, so results repeat. */
function slicesOfK(variant: MatmulVariant, product: MatmulProblem, settings: KernelSettings): number {
  const { m } = product;
  const enough =
    variant.shader === 'matmul_subgroup_matrix'
      ? ENOUGH_ON_MATRIX_UNITS
      : variant.shader === 'matmul_tiled_unrolled'
        ? ENOUGH_UNROLLED
        : ENOUGH_WORKGROUPS;
  const workgroups = Math.ceil(m / variant.tileM) * columnTiles(product, variant.tileN);
  let slices = leastSlices(product, variant.shader);
  if (variant.shader === 'matmul_skinny') return slices;
  while (workgroups * slices < enough && mayBeSliced(product, slices * 2, settings)) slices *= 2;
  return slices;
}

function mayBeSliced(
  { m, n, k }: MatmulProblem,
  slices: number,
  { maxBindingBytes }: KernelSettings,
): boolean {
  return slices <= MOST_SLICES && k / slices >= SLICE && slices * m * n * 4 <= maxBindingBytes;
}

/** Sizes measured fastest on the adapters that were tried; narrow sides (the ranks of LoRA) get narrow tiles. */
function ruleTile({ m, n, b }: MatmulProblem): Tile {
  const narrow = (size: number) => (size <= 16 ? 16 : size <= 32 ? 32 : size <= 48 ? 48 : 64);
  if (n < 64) return [n <= 16 && m > 64 ? 128 : 64, narrow(n), 4, 4];
  if (m < 64) return [narrow(m), 64, 4, 4];
  if (b.rowStride === 1 && m >= 128 && n >= 512) return [128, 64, 8, 8];
  return [64, 64, 8, 4];
}

/** As many columns at once as leave enough workgroups. */
function ruleOfRows(product: MatmulProblem, settings: KernelSettings): MatmulVariant | undefined {
  const [variants, enough] =
    product.m < SHARED_ROWS ? [FEW_ROWS, ENOUGH_ROWS] : [FEW_ROWS_SHARED, ENOUGH_ROWS_SHARED];
  const fitting = variants.filter((variant) => fits(variant, product, settings));
  return fitting.find(({ tileN }) => columnTiles(product, tileN) >= enough) ?? fitting.at(-1);
}

/** What runs where nothing was measured: the most arithmetic that the level has. */
export function heuristicConfig(product: MatmulProblem, settings: KernelSettings): MatmulConfig {
  const sliced = (variant: MatmulVariant) => ({ variant, slices: slicesOfK(variant, product, settings) });
  if (!readsByEight(product)) return sliced(ANY_LAYOUT);
  const fewRows = ruleOfRows(product, settings);
  if (fewRows) return sliced(fewRows);
  const onMatrixUnits = BY_NAME.get(
    nameOf('matrix', product.m >= 128 && product.n >= 256 ? LARGE_MATRIX : SMALL_MATRIX),
  )!;
  if (fits(onMatrixUnits, product, settings)) return sliced(onMatrixUnits);
  const level = settings.level !== 'plain' && product.b.value.role === 'weight' ? 'f16' : 'plain';
  const written = BY_NAME.get(nameOf(level, LARGE, 'matmul_tiled_unrolled'))!;
  const decoding = BY_NAME.get(nameOf(level, LARGE, 'matmul_tiled_unrolled', true))!;
  const large = fits(written, product, settings) && !isSoonDecoded(product) ? written : decoding;
  return sliced(
    suitsLarge(product, large) && fits(large, product, settings)
      ? large
      : BY_NAME.get(nameOf(level, ruleTile(product)))!,
  );
}

/** Whether decoding NF4 in every tile costs less than writing it out: it runs along n, and few tiles share it. */
function isSoonDecoded(product: MatmulProblem): boolean {
  return hasNf4(product) && product.b.rowStride !== 1 && product.m <= DECODED_ROWS;
}

/** Whether there is work for large tiles, and B runs along n or will: other operands are faster by matmul_tiled_vec4. */
function suitsLarge(product: MatmulProblem, { tileM, tileN, decodes }: MatmulVariant): boolean {
  if ((product.b.rowStride === 1 && !isTransposed(product)) || (decodes && product.m < tileM)) return false;
  const slices = Math.max(1, Math.min(MOST_LARGE_SLICES, Math.floor(product.k / LARGE_SLICE)));
  return Math.ceil(product.m / tileM) * columnTiles(product, tileN) * slices >= ENOUGH_LARGE;
}

/** What was measured fastest, where it is known and fits; else the rule's. */
export function selectedConfig(product: MatmulProblem, settings: KernelSettings): MatmulConfig {
  const [name, slices] = settings.choices?.get(matmulKey(product))?.split(' / ') ?? [];
  const variant = name === undefined ? undefined : BY_NAME.get(name);
  const config = variant && { variant, slices: Number(slices) };
  return config && fits(config.variant, product, settings) && isSlicing(config, product, settings)
    ? config
    : heuristicConfig(product, settings);
}

export function configName({ variant, slices }: MatmulConfig): string {
  return `${variant.name} / ${slices}`;
}

/** Configs worth a measurement, the rule's first: each variant that fits and wastes less than half of its tile, with the slices that the rule would give it. */
export function candidateConfigs(product: MatmulProblem, settings: KernelSettings): MatmulConfig[] {
  const rule = heuristicConfig(product, settings);
  // Tiles of 16 and 48 are for sides that short.
  const suits = (tile: number, side: number) =>
    tile === 16 || tile === 48 ? side <= tile : tile / 2 < side || tile <= 32;
  const suitsBoth = ({ shader, tileM, tileN }: MatmulVariant) =>
    shader === 'matmul_skinny' || (suits(tileM, product.m) && suits(tileN, product.n));
  const others = VARIANTS.filter(
    (variant) => variant !== rule.variant && fits(variant, product, settings) && suitsBoth(variant),
  );
  return [rule, ...others.map((variant) => ({ variant, slices: slicesOfK(variant, product, settings) }))];
}

/** The same variant with half and with twice the slices. */
export function neighbouringConfigs(
  { variant, slices }: MatmulConfig,
  product: MatmulProblem,
  settings: KernelSettings,
): MatmulConfig[] {
  return [slices / 2, slices * 2]
    .map((changed) => ({ variant, slices: changed }))
    .filter((config) => isSlicing(config, product, settings));
}

function isSlicing(
  { variant, slices }: MatmulConfig,
  product: MatmulProblem,
  settings: KernelSettings,
): boolean {
  const least = leastSlices(product, variant.shader);
  return (
    Number.isInteger(slices) &&
    slices >= least &&
    (slices === least || (variant.shader !== 'matmul_skinny' && mayBeSliced(product, slices, settings)))
  );
}
