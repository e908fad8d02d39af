/**
 * NF4 with double quantisation (QLoRA, arXiv:2305.14314), bit-identical to bitsandbytes and PyTorch. The
 * flattened weight is cut into blocks of 64 with a float32 absmax each, and each weight gets the nearest of
 * 16 code points, the lower one at a tie. The absmax values less their mean are quantised again, in blocks of
 * 256, to the signed dynamic 8-bit map.
 */

import { BLOCK, middles, NF4_CODE, quantizeBlocks, type BlockDtype } from './nf4Code.ts';
import { floatsOf } from './floatFormats.ts';
import { torchSum } from './torchSum.ts';

export { NF4_CODE, BLOCK };
export const NESTED_BLOCK = 256;

/** The signed dynamic map of bitsandbytes (create_dynamic_map): 256 sorted values. */
export function dynamicMap(): Float32Array {
  return DYNAMIC_MAP;
}

/** What kernels that read NF4 are given: the 256 values of the dynamic map, then the 16 code points. */
export function quantizationTables(): Float32Array<ArrayBuffer> {
  return new Float32Array([...DYNAMIC_MAP, ...NF4_CODE]);
}

/** Bytes of `quantizationTables`. */
export const QUANTIZATION_TABLE_BYTES = (256 + 16) * 4;

const DYNAMIC_MAP = makeDynamicMap();
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
  /** Whether a weight was NaN or infinite: the codes are then void. */
  sawNonFinite = false;
  private readonly pending = new Float32Array(BLOCK);
  private pendingCount = 0;
  private block = 0;

  /** @param elements of the whole tensor */
  constructor(private readonly elements: number) {
    this.absmax = new Float32Array(Math.ceil(elements / BLOCK));
  }

  /**
   * @param piece the next elements, as float32 or as the bits that a checkpoint has; whole blocks of them are
   * quantised at once
   * @returns packed codes, two a byte, the even element in the high nibble; a last block that is not full
   * waits for `finish`
   */
  push(piece: Float32Array | Uint16Array, dtype: BlockDtype = 'F32'): Uint8Array {
    const fill = this.pendingCount > 0 ? Math.min(BLOCK - this.pendingCount, piece.length) : 0;
    this.keep(piece.subarray(0, fill), dtype);
    const fromPending = this.pendingCount === BLOCK ? 1 : 0;
    const whole = this.pendingCount > 0 && !fromPending ? 0 : Math.floor((piece.length - fill) / BLOCK);
    const out = new Uint8Array(((fromPending + whole) * BLOCK) / 2);
    if (fromPending) this.quantize(this.pending, 'F32', 1, out, 0);
    if (fromPending) this.pendingCount = 0;
    this.quantize(piece.subarray(fill), dtype, whole, out, (fromPending * BLOCK) / 2);
    this.keep(piece.subarray(fill + whole * BLOCK), dtype);
    return out;
  }

  /** Like `push`, with `quantize` (a GPU) doing the whole blocks in place of this thread. */
  async pushBy(
    quantize: (...parameters: Parameters<typeof quantizeBlocks>) => Promise<void>,
    piece: Float32Array | Uint16Array,
    dtype: BlockDtype,
  ): Promise<Uint8Array> {
    if (this.pendingCount > 0) return this.push(piece, dtype);
    const whole = Math.floor(piece.length / BLOCK);
    const out = new Uint8Array((whole * BLOCK) / 2);
    await quantize(dtype, piece, whole, this.absmax, this.block, out, 0);
    this.advance(whole);
    this.keep(piece.subarray(whole * BLOCK), dtype);
    return out;
  }

  /**
   * @returns the codes of a last block that is not full (padded with zeros, cut to the tensor), and the
   * scales
   */
  finish(): { packed: Uint8Array; scales: QuantizedScales } {
    let packed = new Uint8Array(0);
    if (this.pendingCount > 0) {
      const block = new Uint8Array(BLOCK / 2);
      this.pending.fill(0, this.pendingCount);
      this.quantize(this.pending, 'F32', 1, block, 0);
      packed = block.slice(0, Math.ceil(this.pendingCount / 2));
    }
    if (this.block !== this.absmax.length)
      throw new Error(`NF4: ${this.elements} elements were announced, about ${this.block * BLOCK} came`);
    return { packed, scales: quantizeScales(this.absmax) };
  }

  private quantize(
    elements: Float32Array | Uint16Array,
    dtype: BlockDtype,
    count: number,
    out: Uint8Array,
    at: number,
  ): void {
    quantizeBlocks(dtype, elements, count, this.absmax, this.block, out, at);
    this.advance(count);
  }

  private advance(count: number): void {
    for (let b = this.block; b < this.block + count; b++)
      if (!(this.absmax[b] < Infinity)) this.sawNonFinite = true;
    this.block += count;
  }

  /** Adds elements to the block that is not full yet. */
  private keep(piece: Float32Array | Uint16Array, dtype: BlockDtype): void {
    const values = floatsOf(dtype, new Uint8Array(piece.buffer, piece.byteOffset, piece.byteLength));
    for (const value of values) if (value - value !== 0) this.sawNonFinite = true;
    this.pending.set(values, this.pendingCount);
    this.pendingCount += values.length;
  }
}

/** @param absmax float32 a block of 64 */
export function quantizeScales(absmax: Float32Array): QuantizedScales {
  const nested_offset = Math.fround(torchSum(absmax) / absmax.length);
  const nested_absmax = new Float32Array(Math.ceil(absmax.length / NESTED_BLOCK));
  const absmax_q = new Uint8Array(absmax.length);
  for (let block = 0; block < nested_absmax.length; block++) {
    const end = Math.min((block + 1) * NESTED_BLOCK, absmax.length);
    let largest = 0;
    for (let i = block * NESTED_BLOCK; i < end; i++)
      largest = Math.max(largest, Math.abs(Math.fround(absmax[i] - nested_offset)));
    nested_absmax[block] = largest;
    const inverse = largest > 0 ? Math.fround(1 / largest) : 0;
    for (let i = block * NESTED_BLOCK; i < end; i++)
      absmax_q[i] = countBelow(MAP_MIDDLES, Math.fround(Math.fround(absmax[i] - nested_offset) * inverse));
  }
  return { absmax_q, nested_absmax, nested_offset };
}

/** float32 scale of each block of 64 after double quantisation. */
export function dequantizeScales({ absmax_q, nested_absmax, nested_offset }: QuantizedScales): Float32Array {
  return Float32Array.from(
    absmax_q,
    (q, i) => Math.fround(DYNAMIC_MAP[q] * nested_absmax[Math.floor(i / NESTED_BLOCK)]) + nested_offset,
  );
}

/**
 * The weights as the kernels see them, float32 [elements].
 * @param scales double-quantised, or a float32 each block of 64
 * @param values receives them; a new array where there is none
 */
export function dequantize(
  packed: Uint8Array,
  scales: QuantizedScales | Float32Array,
  elements: number,
  values = new Float32Array(elements),
): Float32Array {
  const scale = scales instanceof Float32Array ? scales : dequantizeScales(scales);
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

/**
 * torch.linspace(0.1, 1, count) in float32: counted from the start in the first half and from the end in the
 * second.
 */
function linspace(count: number): Float32Array {
  const step = Math.fround(Math.fround(1 - Math.fround(0.1)) / (count - 1));
  return Float32Array.from({ length: count }, (_, i) =>
    i < count / 2 ? Math.fround(0.1) + step * i : 1 - step * (count - 1 - i),
  );
}
