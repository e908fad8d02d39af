import { describe, expect, it } from 'vitest';
import { dequantize, dynamicMap, NF4_CODE, Nf4Quantizer } from '../../src/quant/nf4.ts';
import { toFloat32 } from '../../src/formats/safetensors.ts';
import { uniform } from '../../src/verify/caseBuilder.ts';

/**
 * The definition, word for word: nearest code point of x / absmax, the lower one where two are equally near.
 */
function slowCodes(values: Float32Array): number[] {
  const codes: number[] = [];
  for (let from = 0; from < values.length; from += 64) {
    const block = values.subarray(from, from + 64);
    const absmax = block.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
    for (const value of block) {
      const x = absmax > 0 ? Math.fround(value * Math.fround(1 / absmax)) : 0;
      let best = 0;
      NF4_CODE.forEach((point, code) => Math.abs(point - x) < Math.abs(NF4_CODE[best] - x) && (best = code));
      codes.push(best);
    }
  }
  return codes;
}

function quantize(values: Float32Array, pieces: number[]) {
  const quantizer = new Nf4Quantizer(values.length);
  const packed: number[] = [];
  let at = 0;
  for (const piece of pieces) packed.push(...quantizer.push(values.subarray(at, (at += piece))));
  const rest = quantizer.finish();
  return {
    packed: Uint8Array.from([...packed, ...rest.packed]),
    scales: rest.scales,
    absmax: quantizer.absmax,
  };
}

/** PyTorch's way to the same (bucketize): how many of the middles, in float32, are below x. */
function codesByMiddles(values: Float32Array): number[] {
  return [...values].map((value, i) => {
    const block = values.subarray(i - (i % 64), i - (i % 64) + 64);
    const x = Math.fround(
      value * Math.fround(1 / block.reduce((largest, other) => Math.max(largest, Math.abs(other)), 0)),
    );
    return NF4_CODE.filter((point, code) => code > 0 && x > Math.fround(point + NF4_CODE[code - 1]) / 2)
      .length;
  });
}

/** The nearest 16-bit number below in magnitude. */
function halfBits(value: number, dtype: 'BF16' | 'F16'): number {
  const word = new Uint32Array(Float32Array.of(value).buffer)[0];
  if (dtype === 'BF16') return word >>> 16;
  const sign = (word >>> 16) & 0x8000;
  const exponent = ((word >>> 23) & 255) - 112;
  const fraction = (word >>> 13) & 1023;
  return exponent > 0 ? sign | (exponent << 10) | fraction : sign | Math.floor(Math.abs(value) * 2 ** 24);
}

const unpack = (packed: Uint8Array) => [...packed].flatMap((byte) => [byte >> 4, byte & 15]);

describe('NF4', () => {
  it('packs the nearest code of each value, even element in the high nibble', () => {
    const values = uniform(64 * 300, 3);
    expect(unpack(quantize(values, [values.length]).packed)).toEqual(slowCodes(values));
  });

  it('gives the same bytes in any pieces', () => {
    const values = uniform(64 * 7 + 22, 4);
    const whole = quantize(values, [values.length]);
    const pieces = quantize(values, [1, 63, 64, 5, 130, 7, values.length - 270]);
    expect(pieces.packed).toEqual(whole.packed);
    expect(pieces.scales).toEqual(whole.scales);
    expect(whole.packed.length).toBe(Math.ceil(values.length / 2));
  });

  it('restores code points exactly, zero blocks as zero', () => {
    const values = new Float32Array(64 * 4);
    NF4_CODE.forEach((point, i) => (values[i] = 2 * point));
    const { packed, scales, absmax } = quantize(values, [values.length]);
    expect([...absmax]).toEqual([2, 0, 0, 0]);
    const restored = dequantize(packed, scales, values.length);
    const scale = restored[15];
    // Double quantisation changes the scale, by less than a step of its map, and nothing else.
    expect(Math.abs(scale - 2)).toBeLessThan(0.02);
    NF4_CODE.forEach((point, i) => expect(restored[i]).toBeCloseTo(point * scale, 6));
    expect(restored.subarray(64).every((value) => Math.abs(value) < 1e-6)).toBe(true);
  });

  it('has the dynamic map of bitsandbytes: 256 ascending values between -0.993 and 1, zero among them', () => {
    const map = dynamicMap();
    expect(map.length).toBe(256);
    expect(map.every((value, i) => i === 0 || value > map[i - 1])).toBe(true);
    expect(map[0]).toBeCloseTo(-0.99297, 4);
    expect(map[255]).toBe(1);
    expect(map).toContain(0);
  });

  it.each(['BF16', 'F16', 'F32'] as const)(
    'takes %s bits to the code that float32 arithmetic has: scales of every size, values on both sides of every middle',
    (dtype) => {
      for (const scale of [
        1,
        3.1e-3,
        977,
        2 ** -14,
        2 ** 14,
        ...(dtype === 'F16' ? [2 ** -18] : [1.7e38, 2e-38, 3e-39, 1e-36, 2 ** -100, 2 ** 120]),
      ]) {
        const values = new Float32Array(64 * 40);
        uniform(values.length, 8).forEach((value, i) => (values[i] = value * scale * 0.99));
        for (let block = 0; block < 40; block++) {
          const absmax = scale * (1 - 0.012 * block);
          values[block * 64] = absmax;
          NF4_CODE.forEach((point, code) => {
            const middle = (Math.fround(point + (NF4_CODE[code + 1] ?? 1)) / 2) * absmax;
            values.set([middle, middle * (1 + 2 ** -23), middle * (1 - 2 ** -23)], block * 64 + 1 + 3 * code);
          });
        }
        const bits = dtype === 'F32' ? null : Uint16Array.from(values, (value) => halfBits(value, dtype));
        const exact = bits ? toFloat32(dtype, new Uint8Array(bits.buffer)) : values;
        const quantizer = new Nf4Quantizer(values.length);
        expect(unpack(quantizer.push(bits ?? values, dtype)), `${dtype} × ${scale}`).toEqual(
          codesByMiddles(exact),
        );
        expect(quantizer.sawNonFinite).toBe(false);
      }
    },
  );

  it('knows a weight that is no number, in a whole block and in the last one', () => {
    for (const at of [5, 64 * 2 + 3]) {
      const bits = new Uint16Array(64 * 2 + 9).fill(0x3c00);
      bits[at] = 0x7fc0;
      const quantizer = new Nf4Quantizer(bits.length);
      quantizer.push(bits, 'BF16');
      expect(quantizer.sawNonFinite).toBe(true);
    }
  });

  it('refuses another number of elements than announced', () => {
    const quantizer = new Nf4Quantizer(640);
    quantizer.push(new Float32Array(64));
    expect(() => quantizer.finish()).toThrow(/640 elements were announced/);
  });
});
