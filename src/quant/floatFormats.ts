/** Floating-point formats of checkpoints, read as float32. */

export const FLOAT_BYTES = { F64: 8, F32: 4, F16: 2, BF16: 2, F8_E4M3: 1, F8_E5M2: 1 } as const;
export type FloatFormat = keyof typeof FLOAT_BYTES;

/**
 * Little-endian elements as float32: exact, but for F64, which is rounded. F32 bytes that are aligned are not
 * copied.
 */
export function floatsOf(format: FloatFormat, bytes: Uint8Array): Float32Array {
  const width = FLOAT_BYTES[format];
  const { buffer, byteOffset } = bytes.byteOffset % width === 0 ? bytes : bytes.slice();
  const count = bytes.byteLength / width;
  switch (format) {
    case 'F32':
      return new Float32Array(buffer, byteOffset, count);
    case 'F64':
      return Float32Array.from(new Float64Array(buffer, byteOffset, count));
    case 'BF16': {
      const values = new Float32Array(count);
      const words = new Uint32Array(values.buffer);
      const halves = new Uint16Array(buffer, byteOffset, count);
      for (let i = 0; i < count; i++) words[i] = halves[i] << 16;
      return values;
    }
    case 'F16': {
      const halves = new Uint16Array(buffer, byteOffset, count);
      const values = new Float32Array(count);
      for (let i = 0; i < count; i++) values[i] = halfToFloat(halves[i]);
      return values;
    }
    case 'F8_E4M3':
    case 'F8_E5M2': {
      const table = format === 'F8_E4M3' ? E4M3 : E5M2;
      return Float32Array.from(bytes, (byte) => table[byte]);
    }
  }
}

/** IEEE 754 binary16 to a number. */
export function halfToFloat(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 31;
  const fraction = half & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/**
 * FP8 of arXiv:2209.05433. E4M3 (e4m3fn) has no infinity and NaN at all ones; E5M2 is a float16 cut short.
 */
const E4M3 = Float32Array.from({ length: 256 }, (_, byte) => {
  const sign = byte & 0x80 ? -1 : 1;
  const exponent = (byte >> 3) & 15;
  const fraction = byte & 7;
  if ((byte & 0x7f) === 0x7f) return NaN;
  return sign * (exponent === 0 ? fraction * 2 ** -9 : (1 + fraction / 8) * 2 ** (exponent - 7));
});
const E5M2 = Float32Array.from({ length: 256 }, (_, byte) => halfToFloat(byte << 8));
