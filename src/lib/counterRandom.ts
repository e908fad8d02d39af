/**
 * Counter-based random numbers, the twin of shaders/lib/random.wgsl: the same keys give the same bits on CPU
 * and GPU.
 */

/** lowbias32, a bijective mixer of 32 bits (C. Wellons, "Prospecting for Hash Functions"). */
export function mix32(key: number): number {
  let x = key >>> 0;
  x ^= x >>> 16;
  x = Math.imul(x, 0x7feb352d);
  x ^= x >>> 15;
  x = Math.imul(x, 0x846ca68b);
  x ^= x >>> 16;
  return x >>> 0;
}

/** Folds one more u32 key into a state. */
export function randomKey(state: number, key: number): number {
  return mix32((state ^ mix32((key + 0x9e3779b9) >>> 0)) >>> 0);
}

/** Uniform in [0, 1) with 24 bits, exact in float32. */
export function randomUnit(state: number): number {
  return (mix32(state) >>> 8) / 16777216;
}

/** The state of a token's random numbers at a place in the model, whose keys to come are columns. */
export function tokenKey(
  { seed, step, site }: { seed: number; step: number; site: number },
  document: number,
  position: number,
): number {
  const stepKey = randomKey(randomKey(mix32(seed), step), site);
  return randomKey(randomKey(stepKey, document), position);
}

/**
 * The factors by which dropout multiplies an input [T, width]: 0 or 1 / (1 - probability).
 * @param documentIndex, positions of each of the T tokens
 */
export function dropoutMask(
  key: { seed: number; step: number; site: number; probability: number },
  documentIndex: ArrayLike<number>,
  positions: ArrayLike<number>,
  width: number,
): Float32Array {
  const mask = new Float32Array(positions.length * width);
  const kept = Math.fround(1 / Math.fround(1 - Math.fround(key.probability)));
  for (let t = 0; t < positions.length; t++) {
    const state = tokenKey(key, documentIndex[t], positions[t]);
    for (let i = 0; i < width; i++) {
      if (randomUnit(randomKey(state, i)) >= Math.fround(key.probability)) mask[t * width + i] = kept;
    }
  }
  return mask;
}
