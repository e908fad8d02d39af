/** The dispatches of C = alpha A B for every layout and weight kind: the one place that knows the matmul shaders. */
import { isNf4, type TensorKind, type TensorPart } from '../formats/tensors.ts';
import { flatGrid, value, type BufferReference, type Dispatch, type KernelSettings } from '../gpu/dispatch.ts';
import { elements, type Value } from './graph.ts';
import { weightSlices } from './weightSlices.ts';

/** A(m, k) and B(k, n) by strides over a flat array, in elements. */
interface Operand {
  value: Value;
  offset?: number;
}

export interface MatrixProduct {
  m: number;
  n: number;
  k: number;
  /** f32: element (m, k) at offset + m rowStride + k columnStride. */
  a: Operand & { rowStride: number; columnStride: number; slice?: BufferReference };
  /** Any kind: element (k, n) at offset + k rowStride + n columnStride. `part`: one slice of a weight that is split. */
  b: Operand & { rowStride: number; columnStride: number; part?: number };
  /** f32, written (m, n) at offset + m rowStride + n. */
  c: Operand & { rowStride: number; slice?: BufferReference };
  alpha?: number;
  /** Adds to C instead of overwriting it. */
  accumulate?: boolean;
}

/** Bindings 4 to 7 of the weight reader: an f32 value of the graph, or the parts of a weight (of one slice of it). */
export function weightBindings(weight: Value, slice = 0): Record<number, BufferReference> {
  if (weight.role !== 'weight') return { 4: value(weight) };
  const part = (name: TensorPart): BufferReference => ({ type: 'weight', id: weight.id, part: name, slice });
  if (!isNf4(weight.kind)) return { 4: part('data') };
  const scales: Record<number, BufferReference> = weight.kind === 'nf4' ? { 5: part('absmax_q'), 6: part('nested') } : { 5: part('absmax') };
  return { 4: part('packed'), ...scales, 7: { type: 'quantizationTables' } };
}

export function weightKind(weight: Value): TensorKind {
  return weight.role === 'weight' ? weight.kind! : 'f32';
}

/** Below this many invocations a long sum is split over k, so that the adapter has work. */
const ENOUGH_INVOCATIONS = 8192;

/** Slices of k: a power of two, each at least 64 long, until there is enough to do. Depends on the shape alone, so results repeat. */
function slicesOfK(m: number, n: number, k: number): number {
  const invocations = Math.ceil(m / 8) * Math.ceil(n / 4);
  let slices = 1;
  while (slices < 64 && invocations * slices < ENOUGH_INVOCATIONS && k / (slices * 2) >= 64) slices *= 2;
  return slices;
}

/** @param scratchIndex index of the node's scratch that this product may use */
export function matrixProduct(product: MatrixProduct, settings: KernelSettings, scratchIndex = 0): Dispatch[] {
  return overSlices(product, settings).flatMap((part) => (settings.matmul === 'tiled' ? tiledProduct(part, settings, scratchIndex) : directProduct(part, settings, scratchIndex)));
}

/** One product a slice of B where B is a weight that is split by rows: its rows are columns of C (forward) or terms of the sum (input gradient). */
function overSlices(product: MatrixProduct, settings: KernelSettings): MatrixProduct[] {
  const { a, b, c } = product;
  if (b.value.role !== 'weight') return [product];
  const slices = weightSlices(b.value, settings.maxBindingBytes);
  if (slices.length === 1) return [product];
  if (b.offset) throw new Error(`${b.value.name} is split: a product may not begin inside it`);
  return slices.map(({ first, rows }, part) =>
    b.columnStride > b.rowStride
      ? { ...product, n: rows, b: { ...b, part }, c: { ...c, offset: (c.offset ?? 0) + first } }
      : { ...product, k: rows, a: { ...a, offset: (a.offset ?? 0) + first * a.columnStride }, b: { ...b, part }, accumulate: part > 0 || product.accumulate },
  );
}

function shared({ m, n, k, a, b, c, alpha = 1, accumulate = false }: MatrixProduct) {
  return {
    M: m,
    N: n,
    K: k,
    C_OFFSET: c.offset ?? 0,
    C_ROW: c.rowStride,
    ALPHA: { f32: alpha },
    ACCUMULATE: accumulate,
    A_OFFSET: a.offset ?? 0,
    A_ROW: a.rowStride,
    A_COLUMN: a.columnStride,
    B_OFFSET: b.offset ?? 0,
    B_ROW: b.rowStride,
    B_COLUMN: b.columnStride,
    B_KIND: weightKind(b.value),
  };
}

/** Tiles staged in workgroup memory; a long sum is split over k into scratch, then added up in order. */
function tiledProduct(product: MatrixProduct, settings: KernelSettings, scratchIndex: number): Dispatch[] {
  const { m, n, k, a, b, c } = product;
  const split = slicesOfK(m, n, k);
  const destination = c.slice ?? value(c.value);
  const constants = { ...shared(product), SPLIT: split, K_SLICE: Math.ceil(k / split), A_ALONG_K: a.columnStride === 1, B_ALONG_K: b.rowStride === 1 };
  const scratch: BufferReference = { type: 'scratch', index: scratchIndex, bytes: split * m * n * 4 };
  const dispatches: Dispatch[] = [
    {
      shader: 'matmul_tiled',
      constants,
      bindings: { 0: split > 1 ? scratch : destination, 1: a.slice ?? value(a.value), ...weightBindings(b.value, b.part) },
      workgroups: [Math.ceil(n / 64), Math.ceil(m / 64), split],
    },
  ];
  if (split > 1) {
    const { M, N, C_OFFSET, C_ROW, ALPHA, ACCUMULATE, SPLIT } = constants;
    dispatches.push({
      shader: 'matmul_reduce',
      constants: { M, N, C_OFFSET, C_ROW, ALPHA, ACCUMULATE, SPLIT },
      bindings: { 0: destination, 1: scratch },
      workgroups: flatGrid(m * n, 64, settings),
    });
  }
  return dispatches;
}

/** Rows above which an NF4 operand is written out as f32 first: then each code is looked up once, not once a block of 8 rows. */
const DEQUANTIZE_ROWS = 8;
/** Multiplications below which the extra dispatch costs more than the lookups it saves. */
const DEQUANTIZE_PRODUCTS = 2 ** 18;
/** Most bytes of an operand written out: the smallest binding that WebGPU promises. */
const DEQUANTIZE_BYTES = 128 * 1024 * 1024;

/** Registers only, for adapters where barriers cost more than they save; by vec4 where the layout allows. */
function directProduct(product: MatrixProduct, settings: KernelSettings, scratchIndex: number): Dispatch[] {
  const { m, n, a, b, c } = product;
  const constants = shared(product);
  const bindings = { 0: c.slice ?? value(c.value), 1: a.slice ?? value(a.value), ...weightBindings(b.value, b.part) };
  if (!readsByFour(product)) return [{ shader: 'matmul_direct', constants, bindings, workgroups: [Math.ceil(n / 32), Math.ceil(m / 64), 1] }];
  const workgroups = flatGrid((n / 4) * Math.ceil(m / 8), 64, settings);
  const count = elements(b.value);
  if (!isNf4(constants.B_KIND) || m <= DEQUANTIZE_ROWS || m * count < DEQUANTIZE_PRODUCTS || count * 4 > DEQUANTIZE_BYTES)
    return [{ shader: 'matmul_direct4', constants, bindings, workgroups }];
  const plain: BufferReference = { type: 'scratch', index: scratchIndex, bytes: count * 4 };
  return [
    {
      shader: 'dequantize_nf4',
      constants: { COUNT: count, B_KIND: constants.B_KIND },
      bindings: { 0: plain, ...weightBindings(b.value, b.part) },
      workgroups: flatGrid(Math.ceil(count / 64), 64, settings),
    },
    { shader: 'matmul_direct4', constants: { ...constants, B_KIND: 'f32' }, bindings: { 0: bindings[0], 1: bindings[1], 4: plain }, workgroups },
  ];
}

/** Whether matmul_direct4's conditions hold. */
function readsByFour({ m, n, k, a, b }: MatrixProduct): boolean {
  const along = [a.columnStride === 1 ? a.rowStride : a.columnStride, b.rowStride === 1 ? b.columnStride : b.rowStride];
  const aFits = a.columnStride === 1 || (a.rowStride === 1 && m % 4 === 0);
  const bFits = b.rowStride === 1 || b.columnStride === 1;
  return aFits && bFits && [n, k, a.offset ?? 0, b.offset ?? 0, ...along].every((size) => size % 4 === 0);
}
