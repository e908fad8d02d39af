/** Weights as ggml's Q6_K without an importance matrix: quantize_row_q6_K_ref, to the bit. */
import { float16Bits } from './halfFloats.ts';
import { halfToFloat } from './floatFormats.ts';
import { clamp, nearest, QK, wholeBlocks } from './kQuantBlocks.ts';

const BLOCK_BYTES = 210;
/** Below this all of a group counts as zero. */
const LEAST = 1e-15;
const f = Math.fround;

/**
 * Scale of 16 weights with codes of −32 to 31: make_qx_quants(16, 32, …, 1, NULL).
 * @param kept the codes of the best scale plus 32, from its index `to`
 */
function symmetricScale(x: Float32Array, from: number, kept: Uint8Array, to: number): number {
  let largest = 0;
  let extreme = 0;
  for (let i = from; i < from + 16; i++)
    if (Math.abs(x[i]!) > largest) {
      largest = Math.abs(x[i]!);
      extreme = x[i]!;
    }
  if (largest < LEAST) {
    kept.fill(0, to, to + 16);
    return 0;
  }
  const keep = (inverse: number) => {
    for (let i = 0; i < 16; i++) kept[to + i] = 32 + clamp(nearest(f(inverse * x[from + i]!)), -32, 31);
  };
  let scale = 0;
  let best = 0;
  // The plain inverse first, then those about it.
  for (const step of [0, -9, -8, -7, -6, -5, -4, -3, -2, -1, 1, 2, 3, 4, 5, 6, 7, 8, 9]) {
    const inverse = f(-f(32 + f(f(0.1) * step)) / extreme);
    let sumLX = 0;
    let sumL2 = 0;
    for (let i = from; i < from + 16; i++) {
      const value = x[i]!;
      const code = clamp(nearest(f(inverse * value)), -32, 31);
      const w = f(value * value);
      sumLX = f(sumLX + f(f(w * value) * code));
      sumL2 = f(sumL2 + f(f(w * code) * code));
    }
    if (step === 0) {
      keep(inverse);
      scale = sumL2 > 0 ? f(sumLX / sumL2) : 0;
      best = f(scale * sumLX);
    } else if (sumL2 > 0 && f(sumLX * sumLX) > f(best * sumL2)) {
      keep(inverse);
      scale = f(sumLX / sumL2);
      best = f(scale * sumLX);
    }
  }
  return scale;
}

/** @param values whole blocks of 256 */
export function quantizeQ6_K(values: Float32Array): Uint8Array {
  const blocks = wholeBlocks(values);
  const out = new Uint8Array(blocks * BLOCK_BYTES);
  const view = new DataView(out.buffer);
  const scales = new Float32Array(16);
  const block = new Uint8Array(QK);
  for (let b = 0; b < blocks; b++) {
    let maxScale = 0;
    for (let j = 0; j < 16; j++) {
      scales[j] = symmetricScale(values, b * QK + j * 16, block, j * 16);
      if (Math.abs(scales[j]!) > Math.abs(maxScale)) maxScale = scales[j]!;
    }
    if (Math.abs(maxScale) < LEAST) continue;
    const at = b * BLOCK_BYTES;
    const inverse = f(-128 / maxScale);
    const d = float16Bits(f(1 / inverse));
    view.setUint16(at + 208, d, true);
    for (let j = 0; j < 16; j++) {
      const scale = Math.min(127, nearest(f(inverse * scales[j]!)));
      view.setInt8(at + 192 + j, scale);
      const step = f(halfToFloat(d) * scale);
      if (step === 0) continue;
      for (let i = 0; i < 16; i++) {
        const value = values[b * QK + j * 16 + i]!;
        block[j * 16 + i] = 32 + clamp(nearest(f(value / step)), -32, 31);
      }
    }
    for (let half = 0; half < 2; half++)
      for (let i = 0; i < 32; i++) {
        const [q1, q2, q3, q4] = [0, 32, 64, 96].map((first) => block[half * 128 + first + i]!);
        out[at + half * 64 + i] = (q1! & 15) | ((q3! & 15) << 4);
        out[at + half * 64 + 32 + i] = (q2! & 15) | ((q4! & 15) << 4);
        out[at + 128 + half * 32 + i] =
          (q1! >> 4) | ((q2! >> 4) << 2) | ((q3! >> 4) << 4) | ((q4! >> 4) << 6);
      }
  }
  return out;
}
