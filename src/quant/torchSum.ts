/** The sum of float32 values with the rounding that PyTorch has. */

/** Lanes of the vector unit, and vectors summed side by side, in PyTorch's order below. */
const LANES = 8;
const ROWS = 4;
const LEVELS = 4;

/**
 * Sum in float32 in the order of PyTorch's CPU kernel (aten/src/ATen/native/cpu/SumKernel.cpp, AVX2, one
 * thread): the mean of the absmax values enters every scale, so its last bit matters.
 */
export function torchSum(values: Float32Array): number {
  const f = Math.fround;
  if (values.length < LANES) return serialSum(values);
  const vectors = Math.floor(values.length / LANES);
  const rows = Math.floor(vectors / ROWS);
  const width = LANES * ROWS;
  const power = Math.max(4, Math.floor(Math.ceil(Math.log2(Math.max(rows, 1))) / LEVELS));
  const step = 2 ** power;
  const sums = Array.from({ length: LEVELS }, () => new Float32Array(width));
  let row = 0;
  while (row + step <= rows) {
    for (let j = 0; j < step; j++, row++)
      for (let k = 0; k < width; k++) sums[0][k] += values[row * width + k];
    for (let level = 1; level < LEVELS; level++) {
      for (let k = 0; k < width; k++) sums[level][k] += sums[level - 1][k];
      sums[level - 1].fill(0);
      if (Math.floor(row / step ** level) % step !== 0) break;
    }
  }
  for (; row < rows; row++) for (let k = 0; k < width; k++) sums[0][k] += values[row * width + k];
  for (let level = 1; level < LEVELS; level++) for (let k = 0; k < width; k++) sums[0][k] += sums[level][k];
  const lanes = sums[0].slice(0, LANES);
  for (let vector = rows * ROWS; vector < vectors; vector++)
    for (let k = 0; k < LANES; k++) lanes[k] += values[vector * LANES + k];
  for (let r = 1; r < ROWS; r++) for (let k = 0; k < LANES; k++) lanes[k] += sums[0][r * LANES + k];
  let total = 0;
  for (let i = vectors * LANES; i < values.length; i++) total = f(total + values[i]);
  for (const lane of lanes) total = f(total + lane);
  return total;
}

/**
 * The same kernel's sum of fewer values than a vector has: four sums side by side, the rest added to the
 * first of them.
 */
function serialSum(values: Float32Array): number {
  const f = Math.fround;
  const sums = new Float32Array(ROWS);
  const whole = values.length - (values.length % ROWS);
  for (let i = 0; i < values.length; i++) sums[i < whole ? i % ROWS : 0] += values[i];
  return sums.reduce((total, sum) => f(total + sum), 0);
}
