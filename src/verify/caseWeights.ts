/** Weights of the cases: their values as kernels read them, and their bytes, for every kind. */
import type { TensorKind } from '../formats/tensors.ts';
import { mix32, randomKey } from '../lib/counterRandom.ts';
import { decodeBlocks, GGUF_BLOCKS, type GgufBlockFormat } from '../quant/ggufBlocks.ts';
import { dequantize, Nf4Quantizer } from '../quant/nf4.ts';

export interface CaseWeight {
  shape: readonly number[];
  /** What the kernels read, as float32. */
  values: Float32Array;
  /** The bytes of its parts on the GPU. */
  parts: Record<string, Uint8Array>;
}

/** Stores `values` as a kind. @returns the values after rounding, and the bytes on the GPU */
export function stored(values: Float32Array, kind: TensorKind): Pick<CaseWeight, 'values' | 'parts'> {
  switch (kind) {
    case 'f32':
      return { values, parts: { data: new Uint8Array(values.buffer) } };
    case 'bf16': {
      const bits = Uint16Array.from(new Uint32Array(values.buffer), (word) => word >>> 16);
      return {
        values: new Float32Array(Uint32Array.from(bits, (half) => half << 16).buffer),
        parts: { data: new Uint8Array(bits.buffer) },
      };
    }
    case 'f16': {
      // Multiples of 1/64 in [-1, 1): 0 or sign, biased exponent and a fraction that binary16 holds exactly.
      const coarse = values.map((value) => Math.trunc(value * 64) / 64);
      return { values: coarse, parts: { data: new Uint8Array(Uint16Array.from(coarse, halfBits).buffer) } };
    }
    default: {
      const format = GGUF_BLOCKS.get(kind)!;
      const blocks = randomBlocks(format, values.length / format.elements);
      return { values: decodeBlocks(format, blocks), parts: { data: blocks } };
    }
    case 'nf4':
    case 'nf4_f32': {
      const quantizer = new Nf4Quantizer(values.length);
      const whole = quantizer.push(values);
      const { packed: tail, scales } = quantizer.finish();
      const packed = Uint8Array.from([...whole, ...tail]);
      const { absmax } = quantizer;
      if (kind === 'nf4_f32')
        return {
          values: dequantize(packed, absmax, values.length),
          parts: { packed, absmax: new Uint8Array(absmax.buffer) },
        };
      return {
        values: dequantize(packed, scales, values.length),
        parts: {
          packed,
          absmax_q: scales.absmax_q,
          nested: new Uint8Array(new Float32Array([scales.nested_offset, ...scales.nested_absmax]).buffer),
        },
      };
    }
  }
}

/** Where the float16 numbers of a block lie. */
const HALVES: Readonly<Record<string, readonly number[]>> = {
  Q2_K: [80, 82],
  Q3_K: [108],
  Q6_K: [208],
  Q4_1: [0, 2],
  Q5_1: [0, 2],
  Q4_K: [0, 2],
  Q5_K: [0, 2],
};

/** Blocks in which every bit may be set, but the exponents of scales: from subnormal to 2^-8. */
function randomBlocks(format: GgufBlockFormat, count: number): Uint8Array {
  const key = mix32(format.bytes);
  const bytes = Uint8Array.from({ length: count * format.bytes }, (_, i) => randomKey(key, i) & 255);
  for (let block = 0; block < count; block++)
    for (const half of HALVES[format.name] ?? [0])
      bytes[block * format.bytes + half + 1] =
        (bytes[block * format.bytes + half + 1] & 0x83) | ((block % 8) << 2);
  return bytes;
}

/** Binary16 bits of a multiple of 1/64 below 1 in magnitude. */
function halfBits(value: number): number {
  if (value === 0) return 0;
  const exponent = Math.floor(Math.log2(Math.abs(value)));
  const fraction = Math.round((Math.abs(value) / 2 ** exponent - 1) * 1024);
  return (value < 0 ? 0x8000 : 0) | ((exponent + 15) << 10) | fraction;
}
