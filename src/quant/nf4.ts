/**
 * NF4 with double quantisation (QLoRA, arXiv:2305.14314), to the bit as bitsandbytes and PyTorch compute it: blocks of 64 along the flattened
 * weight, absmax in float32, nearest of 16 code points with ties to the lower; the absmax values less their mean are themselves quantised
 * in blocks of 256 to the signed dynamic 8-bit map.
 */

/** The 16 code points. */
export const NF4_CODE = new Float32Array([
  -1.0, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635, -0.18477343022823334, -0.09105003625154495, 0.0, 0.07958029955625534,
  0.16093020141124725, 0.24611230194568634, 0.33791524171829224, 0.44070982933044434, 0.5626170039176941, 0.7229568362236023, 1.0,
]);

export const BLOCK = 64;
export const NESTED_BLOCK = 256;

/** The signed dynamic map of bitsandbytes (create_dynamic_map): 256 sorted values. */
export function dynamicMap(): Float32Array {
  return DYNAMIC_MAP;
}

const DYNAMIC_MAP = makeDynamicMap();
const NF4_MIDDLES = middles(NF4_CODE);
const MAP_MIDDLES = middles(DYNAMIC_MAP);

export interface QuantizedScales {
  /** One byte a block of 64: index into the dynamic map. */
  absmax_q: Uint8Array;
  /** One float32 a 256 blocks. */
  nested_absmax: Float32Array;
  /** Mean of the absmax values. */
  nested_offset: number;
}

/** Quantises one tensor that comes in consecutive pieces. Keeps 4 bytes a block of 64, nothing else. */
export class Nf4Quantizer {
  /** float32 absmax a block, before double quantisation. */
  readonly absmax: Float32Array;
  private readonly pending = new Float32Array(BLOCK);
  private pendingCount = 0;
  private block = 0;

  /** @param elements of the whole tensor */
  constructor(private readonly elements: number) {
    this.absmax = new Float32Array(Math.ceil(elements / BLOCK));
  }

  /**
   * @param values the next elements; whole blocks of them are quantised at once
   * @returns packed codes, two a byte, the even element in the high nibble; a last block that is not full waits for `finish`
   */
  push(values: Float32Array): Uint8Array {
    let from = 0;
    const out = new Uint8Array(Math.floor((this.pendingCount + values.length) / BLOCK) * (BLOCK / 2));
    let written = 0;
    if (this.pendingCount > 0) {
      from = Math.min(BLOCK - this.pendingCount, values.length);
      this.pending.set(values.subarray(0, from), this.pendingCount);
      this.pendingCount += from;
      if (this.pendingCount < BLOCK) return out;
      this.quantizeBlock(this.pending, 0, out, 0);
      written = BLOCK / 2;
      this.pendingCount = 0;
    }
    for (; from + BLOCK <= values.length; from += BLOCK, written += BLOCK / 2) this.quantizeBlock(values, from, out, written);
    this.pending.set(values.subarray(from));
    this.pendingCount = values.length - from;
    return out;
  }

  /** @returns the codes of a last block that is not full (padded with zeros, cut to the tensor), and the scales */
  finish(): { packed: Uint8Array; scales: QuantizedScales } {
    let packed = new Uint8Array(0);
    if (this.pendingCount > 0) {
      const block = new Uint8Array(BLOCK / 2);
      this.pending.fill(0, this.pendingCount);
      this.quantizeBlock(this.pending, 0, block, 0);
      packed = block.slice(0, Math.ceil(this.pendingCount / 2));
    }
    if (this.block !== this.absmax.length) throw new Error(`NF4: ${this.elements} elements were announced, about ${this.block * BLOCK} came`);
    return { packed, scales: quantizeScales(this.absmax) };
  }

  private quantizeBlock(values: Float32Array, from: number, out: Uint8Array, at: number): void {
    let absmax = 0;
    for (let i = from; i < from + BLOCK; i++) {
      const magnitude = Math.abs(values[i]);
      if (magnitude > absmax) absmax = magnitude;
    }
    this.absmax[this.block++] = absmax;
    const inverse = absmax > 0 ? Math.fround(1 / absmax) : 0;
    for (let i = 0; i < BLOCK; i += 2) {
      out[at + (i >> 1)] = (nearestCode(Math.fround(values[from + i] * inverse)) << 4) | nearestCode(Math.fround(values[from + i + 1] * inverse));
    }
  }
}

/** Number of middles below x: ties go to the lower code. A binary search written out. */
function nearestCode(x: number): number {
  const m = NF4_MIDDLES;
  let code = x > m[7] ? 8 : 0;
  if (x > m[code + 3]) code += 4;
  if (x > m[code + 1]) code += 2;
  if (x > m[code]) code += 1;
  return code;
}

/** @param absmax float32 a block of 64 */
export function quantizeScales(absmax: Float32Array): QuantizedScales {
  const nested_offset = Math.fround(torchSum(absmax) / absmax.length);
  const nested_absmax = new Float32Array(Math.ceil(absmax.length / NESTED_BLOCK));
  const absmax_q = new Uint8Array(absmax.length);
  for (let block = 0; block < nested_absmax.length; block++) {
    const end = Math.min((block + 1) * NESTED_BLOCK, absmax.length);
    let largest = 0;
    for (let i = block * NESTED_BLOCK; i < end; i++) largest = Math.max(largest, Math.abs(Math.fround(absmax[i] - nested_offset)));
    nested_absmax[block] = largest;
    const inverse = largest > 0 ? Math.fround(1 / largest) : 0;
    for (let i = block * NESTED_BLOCK; i < end; i++) absmax_q[i] = countBelow(MAP_MIDDLES, Math.fround(Math.fround(absmax[i] - nested_offset) * inverse));
  }
  return { absmax_q, nested_absmax, nested_offset };
}

/** float32 scale of each block of 64 after double quantisation. */
export function dequantizeScales({ absmax_q, nested_absmax, nested_offset }: QuantizedScales): Float32Array {
  return Float32Array.from(absmax_q, (q, i) => Math.fround(DYNAMIC_MAP[q] * nested_absmax[Math.floor(i / NESTED_BLOCK)]) + nested_offset);
}

/** The weights as the kernels see them, float32 [elements]. @param scales double-quantised, or a float32 each block of 64 */
export function dequantize(packed: Uint8Array, scales: QuantizedScales | Float32Array, elements: number): Float32Array {
  const scale = scales instanceof Float32Array ? scales : dequantizeScales(scales);
  const values = new Float32Array(elements);
  for (let i = 0; i < elements; i++) {
    const byte = packed[i >> 1];
    values[i] = NF4_CODE[i & 1 ? byte & 15 : byte >> 4] * scale[Math.floor(i / BLOCK)];
  }
  return values;
}

/** How many of the sorted values are below x. */
function countBelow(sorted: Float32Array, x: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] < x) low = middle + 1;
    else high = middle;
  }
  return low;
}

function middles(sorted: Float32Array): Float32Array {
  return Float32Array.from({ length: sorted.length - 1 }, (_, i) => Math.fround(sorted[i] + sorted[i + 1]) / 2);
}

function makeDynamicMap(): Float32Array {
  const values = [0, 1];
  for (let i = 0; i < 7; i++) {
    const steps = 2 ** i;
    const edge = linspace(steps + 1);
    for (let j = 0; j < steps; j++) {
      const mean = Math.fround(Math.fround(edge[j] + edge[j + 1]) / 2);
      const value = Math.fround(mean * Math.fround(10 ** (i - 6)));
      values.push(value, -value);
    }
  }
  return Float32Array.from(values).sort();
}

/** torch.linspace(0.1, 1, count) in float32: counted from the start in the first half and from the end in the second. */
function linspace(count: number): Float32Array {
  const step = Math.fround(Math.fround(1 - Math.fround(0.1)) / (count - 1));
  return Float32Array.from({ length: count }, (_, i) => (i < count / 2 ? Math.fround(0.1) + step * i : 1 - step * (count - 1 - i)));
}

/** Lanes of the vector unit, and vectors summed side by side, in PyTorch's order below. */
const LANES = 8;
const ROWS = 4;
const LEVELS = 4;

/**
 * Sum in float32 in the order of PyTorch's CPU kernel (aten/src/ATen/native/cpu/SumKernel.cpp, AVX2, one thread): the mean of the absmax
 * values enters every scale, so its last bit matters.
 */
export function torchSum(values: Float32Array): number {
  const f = Math.fround;
  const vectors = Math.floor(values.length / LANES);
  const rows = Math.floor(vectors / ROWS);
  const width = LANES * ROWS;
  const power = Math.max(4, Math.floor(Math.ceil(Math.log2(Math.max(rows, 1))) / LEVELS));
  const step = 2 ** power;
  const sums = Array.from({ length: LEVELS }, () => new Float32Array(width));
  let row = 0;
  while (row + step <= rows) {
    for (let j = 0; j < step; j++, row++) for (let k = 0; k < width; k++) sums[0][k] += values[row * width + k];
    for (let level = 1; level < LEVELS; level++) {
      for (let k = 0; k < width; k++) sums[level][k] += sums[level - 1][k];
      sums[level - 1].fill(0);
      if (Math.floor(row / step ** level) % step !== 0) break;
    }
  }
  for (; row < rows; row++) for (let k = 0; k < width; k++) sums[0][k] += values[row * width + k];
  for (let level = 1; level < LEVELS; level++) for (let k = 0; k < width; k++) sums[0][k] += sums[level][k];
  const lanes = sums[0].slice(0, LANES);
  for (let vector = rows * ROWS; vector < vectors; vector++) for (let k = 0; k < LANES; k++) lanes[k] += values[vector * LANES + k];
  for (let r = 1; r < ROWS; r++) for (let k = 0; k < LANES; k++) lanes[k] += sums[0][r * LANES + k];
  let total = 0;
  for (let i = vectors * LANES; i < values.length; i++) total = f(total + values[i]);
  for (const lane of lanes) total = f(total + lane);
  return total;
}
