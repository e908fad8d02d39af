/**
 * Weights as ggml's Q4_K without an importance matrix: ggml-quants.c, quantize_row_q4_K_ref, in float32 in
 * its order of operations, so that the blocks are its blocks to the bit.
 */
import { float16Bits } from './halfFloats.ts';
import { halfToFloat } from './floatFormats.ts';
import { clamp, nearest, QK, wholeBlocks } from './kQuantBlocks.ts';

const BLOCK_BYTES = 144;
const f = Math.fround;

/** Groups of 32 weights, of which eight make a block. */
const GROUP = 32;
const MOST_CODE = 15;
const codes = new Uint8Array(GROUP);
const groupWeights = new Float32Array(GROUP);

/**
 * Scale and minimum of one group: make_qkx2_quants(32, 15, …, −1, 0.1, 20, false).
 * @param kept the codes of the best scale, from its index `to`
 */
function scaleAndMinimum(
  x: Float32Array,
  from: number,
  kept: Uint8Array,
  to: number,
): [scale: number, minimum: number] {
  let squares = 0;
  for (let i = 0; i < GROUP; i++) squares = f(squares + f(x[from + i]! * x[from + i]!));
  const mean = f(Math.sqrt(f(squares / GROUP)));
  let least = x[from]!;
  let most = least;
  let sumW = 0;
  let sumX = 0;
  for (let i = 0; i < GROUP; i++) {
    const value = x[from + i]!;
    const w = f(mean + Math.abs(value));
    groupWeights[i] = w;
    if (value < least) least = value;
    if (value > most) most = value;
    sumW = f(sumW + w);
    sumX = f(sumX + f(w * value));
  }
  if (least > 0) least = 0;
  if (most === least) {
    kept.fill(0, to, to + GROUP);
    return [0, -least];
  }
  let inverse = f(MOST_CODE / f(most - least));
  let scale = f(1 / inverse);
  for (let i = 0; i < GROUP; i++)
    codes[i] = clamp(nearest(f(inverse * f(x[from + i]! - least))), 0, MOST_CODE);
  kept.set(codes, to);
  let best = errorOf(x, from, scale, least);
  for (let step = 0; step <= 20; step++) {
    // The minimum that was found last is where the next step's codes begin.
    inverse = f(f(f(-1 + f(f(0.1) * step)) + MOST_CODE) / f(most - least));
    let sumL = 0;
    let sumL2 = 0;
    let sumXL = 0;
    for (let i = 0; i < GROUP; i++) {
      const code = clamp(nearest(f(inverse * f(x[from + i]! - least))), 0, MOST_CODE);
      codes[i] = code;
      const weighted = f(groupWeights[i]! * code);
      sumL = f(sumL + weighted);
      sumL2 = f(sumL2 + f(weighted * code));
      sumXL = f(sumXL + f(weighted * x[from + i]!));
    }
    const determinant = f(f(sumW * sumL2) - f(sumL * sumL));
    if (determinant <= 0) continue;
    let thisScale = f(f(f(sumW * sumXL) - f(sumX * sumL)) / determinant);
    let thisMinimum = f(f(f(sumL2 * sumX) - f(sumL * sumXL)) / determinant);
    if (thisMinimum > 0) {
      thisMinimum = 0;
      thisScale = f(sumXL / sumL2);
    }
    const error = errorOf(x, from, thisScale, thisMinimum);
    if (error < best) {
      best = error;
      scale = thisScale;
      least = thisMinimum;
      kept.set(codes, to);
    }
  }
  return [scale, -least];
}

/** Weighted squares of what `codes` miss of the group by this scale and minimum. */
function errorOf(x: Float32Array, from: number, scale: number, minimum: number): number {
  let error = 0;
  for (let i = 0; i < GROUP; i++) {
    const off = f(f(f(scale * codes[i]!) + minimum) - x[from + i]!);
    error = f(error + f(groupWeights[i]! * f(off * off)));
  }
  return error;
}

/** @param values whole blocks of 256 */
export function quantizeQ4_K(values: Float32Array): Uint8Array {
  const blocks = wholeBlocks(values);
  const out = new Uint8Array(blocks * BLOCK_BYTES);
  const view = new DataView(out.buffer);
  const scales = new Float32Array(8);
  const minima = new Float32Array(8);
  const block = new Uint8Array(QK);
  for (let b = 0; b < blocks; b++) {
    let maxScale = 0;
    let maxMinimum = 0;
    for (let j = 0; j < 8; j++) {
      const [scale, minimum] = scaleAndMinimum(values, b * QK + j * GROUP, block, j * GROUP);
      scales[j] = scale;
      minima[j] = minimum;
      maxScale = Math.max(maxScale, scale);
      maxMinimum = Math.max(maxMinimum, minimum);
    }
    const at = b * BLOCK_BYTES;
    const d = float16Bits(f(maxScale / 63));
    const dmin = float16Bits(f(maxMinimum / 63));
    view.setUint16(at, d, true);
    view.setUint16(at + 2, dmin, true);
    const inverseScale = maxScale > 0 ? f(63 / maxScale) : 0;
    const inverseMinimum = maxMinimum > 0 ? f(63 / maxMinimum) : 0;
    for (let j = 0; j < 8; j++) {
      const scale = Math.min(63, nearest(f(inverseScale * scales[j]!)) & 255);
      const minimum = Math.min(63, nearest(f(inverseMinimum * minima[j]!)) & 255);
      putScaleAndMinimum(out, at + 4, j, scale, minimum);
      const step = f(halfToFloat(d) * scale);
      const offset = f(halfToFloat(dmin) * minimum);
      // Where a scale comes to 0 the codes of the search stay, which count for nothing.
      if (step === 0) continue;
      for (let i = 0; i < GROUP; i++) {
        const code = nearest(f(f(values[b * QK + j * GROUP + i]! + offset) / step));
        block[j * GROUP + i] = clamp(code, 0, MOST_CODE);
      }
    }
    for (let j = 0; j < 4; j++)
      for (let i = 0; i < GROUP; i++)
        out[at + 16 + j * GROUP + i] = block[j * 64 + i]! | (block[j * 64 + GROUP + i]! << 4);
  }
  return out;
}

/** Eight scales and minima of 6 bits each in 12 bytes, as get_scale_min_k4 reads them. */
function putScaleAndMinimum(out: Uint8Array, at: number, j: number, scale: number, minimum: number): void {
  if (j < 4) {
    out[at + j] = scale;
    out[at + j + 4] = minimum;
    return;
  }
  out[at + j + 4] = (scale & 15) | ((minimum & 15) << 4);
  out[at + j - 4]! |= (scale >> 4) << 6;
  out[at + j]! |= (minimum >> 4) << 6;
}
