/**
 * The block formats of GGUF tensors as ggml defines them (ggml-common.h, ggml-quants.c): a block holds
 * `elements` weights of one row in `bytes` bytes, with float16 scales. Decoded in float32 in ggml's own order
 * of operations, so the values are its values to the bit.
 */
import { floatsOf, halfToFloat } from './floatFormats.ts';

export interface GgufBlockFormat {
  name: string;
  /** Weights a block. */
  elements: number;
  /** Bytes a block. */
  bytes: number;
  /** Decodes the block at byte `at` into `values` from index `to`. */
  decode(data: DataView, at: number, values: Float32Array, to: number): void;
}

const f = Math.fround;
const half = (data: DataView, at: number) => halfToFloat(data.getUint16(at, true));

/** Two 4-bit numbers a byte: the low ones are the block's first half. */
function nibble(data: DataView, at: number, i: number): number {
  const byte = data.getUint8(at + (i & 15));
  return i < 16 ? byte & 15 : byte >> 4;
}

/**
 * A format of 32 weights, each from its number i: `d` is the block's scale, `m` its minimum where it has one.
 */
function block32(
  name: string,
  bytes: number,
  weight: (data: DataView, at: number, i: number, d: number) => number,
): GgufBlockFormat {
  return {
    name,
    elements: 32,
    bytes,
    decode(data, at, values, to) {
      const d = half(data, at);
      for (let i = 0; i < 32; i++) values[to + i] = weight(data, at, i, d);
    },
  };
}

/** The fifth bit of weight i, in a word of 32 bits. */
const fifth = (data: DataView, at: number, i: number) => ((data.getUint32(at, true) >>> i) & 1) << 4;

/** The 16 values of IQ4_NL (ggml-common.h, kvalues_iq4nl). */
const IQ4_NL_VALUES = [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113];

/** Weights of a K-quant's block. */
const QK = 256;

/** Scale and minimum of group j of eight, 6 bits each in 12 bytes (get_scale_min_k4). */
function scaleAndMinimum(data: DataView, at: number, j: number): [scale: number, minimum: number] {
  const byte = (i: number) => data.getUint8(at + i);
  if (j < 4) return [byte(j) & 63, byte(j + 4) & 63];
  return [(byte(j + 4) & 15) | ((byte(j - 4) >> 6) << 4), (byte(j + 4) >> 4) | ((byte(j) >> 6) << 4)];
}

/**
 * Q4_K and Q5_K: eight groups of 32 with a scale and a minimum each; Q5_K has the fifth bits in 32 bytes at
 * `high`.
 */
function decodeK45(
  data: DataView,
  at: number,
  values: Float32Array,
  to: number,
  { low, high }: { low: number; high: number | null },
): void {
  const d = half(data, at);
  const dmin = half(data, at + 2);
  for (let group = 0; group < 8; group++) {
    const [scale, minimum] = scaleAndMinimum(data, at + 4, group);
    const step = f(d * scale);
    const offset = f(dmin * minimum);
    for (let i = 0; i < 32; i++) {
      const byte = data.getUint8(at + low + 32 * (group >> 1) + i);
      let q = group & 1 ? byte >> 4 : byte & 15;
      if (high !== null) q |= ((data.getUint8(at + high + i) >> group) & 1) << 4;
      values[to + 32 * group + i] = f(step * q) - offset;
    }
  }
}

const q2K: GgufBlockFormat = {
  name: 'Q2_K',
  elements: QK,
  bytes: 84,
  decode(data, at, values, to) {
    const d = half(data, at + 80);
    const dmin = half(data, at + 82);
    for (let group = 0; group < 16; group++) {
      const packed = data.getUint8(at + group);
      const step = f(d * (packed & 15));
      const offset = f(dmin * (packed >> 4));
      // Groups 0 to 7 share the first 32 bytes, two groups to each pair of bits.
      const first = at + 16 + 32 * (group >> 3) + 16 * (group & 1);
      const shift = 2 * ((group >> 1) & 3);
      for (let i = 0; i < 16; i++)
        values[to + 16 * group + i] = f(step * ((data.getUint8(first + i) >> shift) & 3)) - offset;
    }
  },
};

const q3K: GgufBlockFormat = {
  name: 'Q3_K',
  elements: QK,
  bytes: 110,
  decode(data, at, values, to) {
    const d = half(data, at + 108);
    for (let group = 0; group < 16; group++) {
      const low = data.getUint8(at + 96 + (group & 7)) >> (group < 8 ? 0 : 4);
      const high = data.getUint8(at + 104 + (group & 3)) >> (2 * (group >> 2));
      const step = f(d * (((low & 15) | ((high & 3) << 4)) - 32));
      const within = 16 * (group & 1);
      const first = at + 32 + 32 * (group >> 3) + within;
      const shift = 2 * ((group >> 1) & 3);
      for (let i = 0; i < 16; i++) {
        const mask = (data.getUint8(at + within + i) >> (group >> 1)) & 1;
        // A mask bit of one means that four is not subtracted.
        const q = ((data.getUint8(first + i) >> shift) & 3) - (mask ? 0 : 4);
        values[to + 16 * group + i] = step * q;
      }
    }
  },
};

const q6K: GgufBlockFormat = {
  name: 'Q6_K',
  elements: QK,
  bytes: 210,
  decode(data, at, values, to) {
    const d = half(data, at + 208);
    for (let i = 0; i < QK; i++) {
      const part = i >> 7;
      const row = (i >> 5) & 3;
      const column = i & 31;
      const byte = data.getUint8(at + 64 * part + 32 * (row & 1) + column);
      const low = row < 2 ? byte & 15 : byte >> 4;
      const high = (data.getUint8(at + 128 + 32 * part + column) >> (2 * row)) & 3;
      const step = f(d * data.getInt8(at + 192 + (i >> 4)));
      values[to + i] = step * ((low | (high << 4)) - 32);
    }
  },
};

/** A plain float format as blocks of one. */
function plain(name: 'F32' | 'F16' | 'BF16', bytes: number): GgufBlockFormat {
  return {
    name,
    elements: 1,
    bytes,
    decode(data, at, values, to) {
      values[to] = floatsOf(name, new Uint8Array(data.buffer, data.byteOffset + at, bytes))[0];
    },
  };
}

/** The formats that are read, by ggml_type. */
export const GGUF_FORMATS: ReadonlyMap<number, GgufBlockFormat> = new Map([
  [0, plain('F32', 4)],
  [1, plain('F16', 2)],
  [2, block32('Q4_0', 18, (data, at, i, d) => d * (nibble(data, at + 2, i) - 8))],
  [3, block32('Q4_1', 20, (data, at, i, d) => f(d * nibble(data, at + 4, i)) + half(data, at + 2))],
  [6, block32('Q5_0', 22, (data, at, i, d) => d * ((nibble(data, at + 6, i) | fifth(data, at + 2, i)) - 16))],
  [
    7,
    block32('Q5_1', 24, (data, at, i, d) => {
      return f(d * (nibble(data, at + 8, i) | fifth(data, at + 4, i))) + half(data, at + 2);
    }),
  ],
  [8, block32('Q8_0', 34, (data, at, i, d) => d * data.getInt8(at + 2 + i))],
  [10, q2K],
  [11, q3K],
  [
    12,
    {
      name: 'Q4_K',
      elements: QK,
      bytes: 144,
      decode: (data, at, values, to) => decodeK45(data, at, values, to, { low: 16, high: null }),
    },
  ],
  [
    13,
    {
      name: 'Q5_K',
      elements: QK,
      bytes: 176,
      decode: (data, at, values, to) => decodeK45(data, at, values, to, { low: 48, high: 16 }),
    },
  ],
  [14, q6K],
  [20, block32('IQ4_NL', 18, (data, at, i, d) => d * IQ4_NL_VALUES[nibble(data, at + 2, i)])],
  [30, plain('BF16', 2)],
]);

/** The block types that hold several weights, and may be kept as they are. */
export type GgufBlockType =
  'Q4_0' | 'Q4_1' | 'Q5_0' | 'Q5_1' | 'Q8_0' | 'Q2_K' | 'Q3_K' | 'Q4_K' | 'Q5_K' | 'Q6_K' | 'IQ4_NL';

/** Their formats by name. */
export const GGUF_BLOCKS: ReadonlyMap<string, GgufBlockFormat> = new Map(
  [...GGUF_FORMATS.values()].filter(({ elements }) => elements > 1).map((format) => [format.name, format]),
);

/** Names of the other types, for a refusal. */
export const UNREAD_GGUF_TYPES: ReadonlyMap<number, string> = new Map([
  [9, 'Q8_1'],
  [15, 'Q8_K'],
  [16, 'IQ2_XXS'],
  [17, 'IQ2_XS'],
  [18, 'IQ3_XXS'],
  [19, 'IQ1_S'],
  [21, 'IQ3_S'],
  [22, 'IQ2_S'],
  [23, 'IQ4_XS'],
  [24, 'I8'],
  [25, 'I16'],
  [26, 'I32'],
  [27, 'I64'],
  [28, 'F64'],
  [29, 'IQ1_M'],
  [34, 'TQ1_0'],
  [35, 'TQ2_0'],
  [39, 'MXFP4'],
  [40, 'NVFP4'],
]);

/** Weights of whole blocks as float32, in the file's order. @param bytes a whole number of blocks */
export function decodeBlocks(format: GgufBlockFormat, bytes: Uint8Array): Float32Array {
  if (format.elements === 1) return floatsOf(format.name as 'F32' | 'F16' | 'BF16', bytes);
  const blocks = bytes.byteLength / format.bytes;
  if (!Number.isInteger(blocks))
    throw new Error(`${bytes.byteLength} bytes are no whole number of ${format.name} blocks`);
  const data = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const values = new Float32Array(blocks * format.elements);
  for (let b = 0; b < blocks; b++) format.decode(data, b * format.bytes, values, b * format.elements);
  return values;
}
