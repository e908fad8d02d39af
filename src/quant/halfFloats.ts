/** float32 rounded to 16 bits, nearest with ties to even, as PyTorch and IEEE 754 round. */

const float = new Float32Array(1);
const word = new Uint32Array(float.buffer);

/** Bit patterns of bfloat16. NaN stays NaN. */
export function toBfloat16(values: Float32Array): Uint16Array {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const halves = new Uint16Array(values.length);
  for (let i = 0; i < words.length; i++) {
    const bits = words[i];
    halves[i] =
      (bits & 0x7fffffff) > 0x7f800000 ? (bits >>> 16) | 0x40 : (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
  }
  return halves;
}

/** Bit patterns of binary16. What is too large becomes infinite, as in PyTorch. */
export function toFloat16(values: Float32Array): Uint16Array {
  const halves = new Uint16Array(values.length);
  for (let i = 0; i < values.length; i++) halves[i] = float16Bits(values[i]);
  return halves;
}

/** @returns the bit pattern of the binary16 nearest to `value` */
export function float16Bits(value: number): number {
  float[0] = value;
  const bits = word[0];
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  // 65520 is half way between the largest binary16 and the next power of two: it and all above are infinite.
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  if (magnitude < 0x38800000) {
    // Subnormal or zero: the value in units of 2^-24, rounded to the nearest even integer.
    const units = Math.abs(float[0]) * 2 ** 24;
    const floor = Math.floor(units);
    const rest = units - floor;
    return sign | (floor + Number(rest > 0.5 || (rest === 0.5 && floor % 2 === 1)));
  }
  const rounded = magnitude + 0xfff + ((magnitude >>> 13) & 1);
  return sign | ((rounded - 0x38000000) >>> 13);
}
