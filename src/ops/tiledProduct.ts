/** How a product is cut into tiles on a GPU: by vec4 where its layout allows, on matrix units where the level does, and over slices of k. */
import { flatGrid, value, type BufferReference, type Dispatch, type KernelSettings } from '../gpu/dispatch.ts';
import { isNf4 } from '../formats/tensors.ts';
import { productConstants, readsByFour, weightBindings, type MatrixProduct } from './product.ts';

/** A tile of matmul_wide.wgsl: its sides, and the sums an invocation makes. */
interface Tile {
  tileM: number;
  tileN: number;
  perM: number;
  perN: number;
}

/** Below this many workgroups a long sum is split over k, so that the adapter has work; those on matrix units are larger. */
const ENOUGH_WORKGROUPS = 384;
const ENOUGH_ON_MATRIX_UNITS = 112;
/** Least terms of a slice. */
const SLICE = 128;

interface Slicing {
  /** A slice is a multiple of so many terms. */
  granule: number;
  /** Workgroups that are enough. */
  enough: number;
  /** Least slices: 2 where the result is multiplied, which only the sum over slices can do. */
  least?: number;
}

/** Slices of k: a power of two, until there is enough to do or the partial sums fill a binding. Depends on the shape and the limits alone, so results repeat. */
function slicesOfK({ m, n, k }: MatrixProduct, workgroups: number, { enough, least = 1 }: Slicing, { maxBindingBytes }: KernelSettings): number {
  let slices = least;
  while (slices < 64 && workgroups * slices < enough && k / (slices * 2) >= SLICE && slices * 2 * m * n * 4 <= maxBindingBytes) slices *= 2;
  return slices;
}

/** @param scratchIndex index of the node's scratch that this product may use, and the one after it */
export function tiledProduct(product: MatrixProduct, settings: KernelSettings, scratchIndex: number): Dispatch[] {
  if (settings.level === 'matrix' && fitsMatrixUnits(product, settings)) return matrixUnitProduct(product, settings, scratchIndex);
  const { m, n, k, a, b, c } = product;
  const constants = { ...productConstants(product), A_ALONG_K: a.columnStride === 1, B_ALONG_K: b.rowStride === 1 };
  if (!readsByEight(product)) {
    const workgroups = [Math.ceil(n / 64), Math.ceil(m / 64)] as const;
    return sliced(product, settings, scratchIndex, workgroups, { granule: 1, enough: ENOUGH_WORKGROUPS }, (split, kSlice, target) => ({
      shader: 'matmul_tiled',
      constants: { ...constants, SPLIT: split, K_SLICE: kSlice },
      bindings: { 0: target, 1: a.slice ?? value(a.value), ...weightBindings(b.value, b.part) },
    }));
  }
  const { tileM, tileN, perM, perN } = tileFor(product);
  const threads = (tileM / perM) * (tileN / perN);
  const nf4 = isNf4(constants.B_KIND);
  const byVector = !constants.B_ALONG_K && (c.offset ?? 0) % 4 === 0 && c.rowStride % 4 === 0;
  return sliced(product, settings, scratchIndex, [Math.ceil(n / tileN), Math.ceil(m / tileM)], { granule: 16, enough: ENOUGH_WORKGROUPS }, (split, kSlice, target) => ({
    shader: 'matmul_wide',
    constants: {
      ...constants,
      SPLIT: split,
      K_SLICE: kSlice,
      K_WHOLE: k % 16 === 0,
      TILE_M: tileM,
      TILE_N: tileN,
      PER_M: perM,
      PER_N: perN,
      HALF_M: perM / 4,
      HALF_N: perN / 4,
      THREADS: threads,
      A_LOADS: Math.ceil((tileM * 4) / threads),
      B_LOADS: Math.ceil((tileN * (nf4 ? 2 : 4)) / threads),
      A_SIDE: constants.A_ALONG_K ? 'k' : 'm',
      B_SIDE: constants.B_ALONG_K ? 'k' : 'n',
      B_READER: nf4 ? 'nf4' : 'plain',
      C_WRITER: byVector ? 'vector' : 'scalar',
      TILE: settings.level !== 'plain' && b.value.role === 'weight' ? 'tile_f16' : 'tile_f32',
    },
    bindings: { 0: target, 1: a.slice ?? value(a.value), ...weightBindings(b.value, b.part) },
  }));
}

/** Sizes measured fastest on the adapters that were tried; narrow sides (the ranks of LoRA) get narrow tiles. */
function tileFor({ m, n, b }: MatrixProduct): Tile {
  const narrow = (size: number) => (size <= 16 ? 16 : size <= 32 ? 32 : size <= 48 ? 48 : 64);
  if (n < 64) return { tileM: n <= 16 && m > 64 ? 128 : 64, tileN: narrow(n), perM: 4, perN: 4 };
  if (m < 64) return { tileM: narrow(m), tileN: 64, perM: 4, perN: 4 };
  if (b.rowStride === 1 && m >= 128 && n >= 512) return { tileM: 128, tileN: 64, perM: 8, perN: 8 };
  return { tileM: 64, tileN: 64, perM: 8, perN: 4 };
}

/** A product over as many slices of k as keep the adapter busy; several write partial sums, which are added up in order. */
function sliced(
  product: MatrixProduct,
  settings: KernelSettings,
  scratchIndex: number,
  [x, y]: readonly [number, number],
  slicing: Slicing,
  dispatch: (split: number, kSlice: number, target: BufferReference) => Omit<Dispatch, 'workgroups'>,
): Dispatch[] {
  const { m, n, k, c, alpha = 1, accumulate = false } = product;
  const { granule } = slicing;
  const wanted = slicesOfK(product, x * y, slicing, settings);
  const kSlice = Math.ceil(k / wanted / granule) * granule;
  const split = Math.ceil(k / kSlice);
  const destination = c.slice ?? value(c.value);
  if (split === 1) return [{ ...dispatch(1, kSlice, destination), workgroups: [x, y, 1] }];
  const scratch: BufferReference = { type: 'scratch', index: scratchIndex, bytes: split * m * n * 4 };
  return [
    { ...dispatch(split, kSlice, scratch), workgroups: [x, y, split] },
    {
      shader: 'matmul_reduce',
      constants: { M: m, N: n, C_OFFSET: c.offset ?? 0, C_ROW: c.rowStride, ALPHA: { f32: alpha }, ACCUMULATE: accumulate, SPLIT: split },
      bindings: { 0: destination, 1: scratch },
      workgroups: flatGrid(m * n, 64, settings),
    },
  ];
}

/** Whether matmul_wide's conditions hold: reads by vec4, and NF4 by words of eight codes that lie along its rows. */
function readsByEight(product: MatrixProduct): boolean {
  const { n, k, b } = product;
  if (!readsByFour(product) || b.value.role !== 'weight' || !isNf4(b.value.kind!)) return readsByFour(product);
  return [b.rowStride === 1 ? k : n, b.offset ?? 0, b.rowStride === 1 ? b.columnStride : b.rowStride].every((size) => size % 8 === 0);
}

/** Terms of a tile on matrix units. */
const MATRIX_K = 32;

function fitsMatrixUnits(product: MatrixProduct, { maxBindingBytes }: KernelSettings): boolean {
  const { m, n, k, a, b, alpha = 1, scaleA = 1 } = product;
  if (b.value.role !== 'weight' || !readsByEight(product) || a.columnStride !== 1) return false;
  if (m < 64 || n < 64 || m % 16 !== 0 || n % 16 !== 0 || k % MATRIX_K !== 0 || n * k * 2 > maxBindingBytes) return false;
  // Only the sum over slices can multiply its result.
  return (alpha === 1 && scaleA === 1) || (k % (2 * MATRIX_K) === 0 && 2 * m * n * 4 <= maxBindingBytes);
}

/** Operands in float16 on matrix units; NF4 is written out once, in float16, which costs less than decoding it in every tile. */
function matrixUnitProduct(product: MatrixProduct, settings: KernelSettings, scratchIndex: number): Dispatch[] {
  const { m, n, a, b, alpha = 1, scaleA = 1 } = product;
  const constants = { ...productConstants(product), B_ALONG_K: b.rowStride === 1 };
  const [subM, subN, tileM, tileN] = m >= 128 && n >= 256 ? [2, 4, 128, 256] : [2, 2, 64, 64];
  const threads = subM * subN * 32;
  const slicing = { granule: MATRIX_K, enough: ENOUGH_ON_MATRIX_UNITS, least: alpha !== 1 || scaleA !== 1 ? 2 : 1 };
  const dispatches: Dispatch[] = [];
  let bindings = weightBindings(b.value, b.part);
  const nf4 = isNf4(constants.B_KIND);
  if (nf4) {
    const count = n * product.k;
    const half: BufferReference = { type: 'scratch', index: scratchIndex + 1, bytes: count * 2 };
    dispatches.push({
      shader: 'dequantize_nf4_half',
      constants: { COUNT: count, B_KIND: constants.B_KIND },
      bindings: { 0: half, ...bindings },
      workgroups: flatGrid(count / 8, 64, settings),
    });
    bindings = { 4: half };
  }
  return [
    ...dispatches,
    ...sliced({ ...product, alpha: alpha / scaleA }, settings, scratchIndex, [Math.ceil(n / tileN), Math.ceil(m / tileM)], slicing, (split, kSlice, target) => ({
      shader: 'matmul_matrix',
      constants: {
        ...constants,
        SPLIT: split,
        K_SLICE: kSlice,
        TILE_M: tileM,
        TILE_N: tileN,
        TILE_K: MATRIX_K,
        SUB_M: subM,
        SUB_N: subN,
        FM: tileM / subM / 16,
        FN: tileN / subN / 16,
        FK: MATRIX_K / 16,
        THREADS: threads,
        A_LOADS: (tileM * MATRIX_K) / 4 / threads,
        B_LOADS: (tileN * MATRIX_K) / 4 / threads,
        A_SCALE: { f32: scaleA },
        B_READER: nf4 ? 'half' : 'any',
        B_SIDE: constants.B_ALONG_K ? 'k' : 'n',
      },
      bindings: { 0: target, 1: a.slice ?? value(a.value), ...bindings },
    })),
  ];
}
