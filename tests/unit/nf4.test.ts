import { describe, expect, it } from 'vitest';
import { dequantize, dynamicMap, NF4_CODE, Nf4Quantizer } from '../../src/quant/nf4.ts';
import { uniform } from '../../src/plan/opCases.ts';

/** The definition, word for word: nearest code point of x / absmax, the lower one where two are equally near. */
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
  return { packed: Uint8Array.from([...packed, ...rest.packed]), scales: rest.scales, absmax: quantizer.absmax };
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

  it('refuses another number of elements than announced', () => {
    const quantizer = new Nf4Quantizer(640);
    quantizer.push(new Float32Array(64));
    expect(() => quantizer.finish()).toThrow(/640 elements were announced/);
  });
});
