/**
 * Rotary frequencies and their table of cosines and sines, rounded to float32 where transformers rounds
 * (modeling_rope_utils.py).
 */
import { rotatedDim, type RopeScaling, type RopeSettings } from './ropeConfig.ts';

const f = Math.fround;

/**
 * @param long whether the sequence is longer than longrope's original maximum
 * @returns inverse frequencies [dim/2], float32
 */
export function inverseFrequencies(
  { rope_theta, scaling }: RopeSettings,
  dim: number,
  long = false,
): Float32Array {
  const powers = Float32Array.from({ length: dim / 2 }, (_, i) => Math.pow(rope_theta, f((2 * i) / dim)));
  switch (scaling.rope_type) {
    case 'default':
      return powers.map((power) => 1 / power);
    case 'linear':
      return powers.map((power) => f(1 / power) / scaling.factor);
    case 'ntk_alpha': {
      const base = rope_theta * Math.pow(scaling.alpha, dim / (dim - 2));
      return powers.map((_, i) => 1 / f(Math.pow(base, f((2 * i) / dim))));
    }
    case 'proportional': {
      const rotating = Math.floor((scaling.proportion * dim) / 2);
      return powers.map((power, i) => (i < rotating ? f(1 / power) / scaling.factor : 0));
    }
    case 'llama3':
      return powers.map((power) => llama3Frequency(f(1 / power), scaling));
    case 'yarn':
      return yarnFrequencies(powers, rope_theta, dim, scaling);
    case 'longrope': {
      const factors = long ? scaling.long_factor : scaling.short_factor;
      return powers.map((power, i) => 1 / f(f(factors[i]) * power));
    }
  }
}

/**
 * Llama 3: low frequencies are divided by `factor`, high ones are unchanged, those between are interpolated.
 */
function llama3Frequency(
  plain: number,
  {
    factor,
    low_freq_factor,
    high_freq_factor,
    original_max_position_embeddings: original,
  }: RopeScaling & { rope_type: 'llama3' },
): number {
  const wavelength = f((2 * Math.PI) / plain);
  if (wavelength > original / low_freq_factor) return f(plain / factor);
  if (wavelength < original / high_freq_factor) return plain;
  const smooth = f(f(f(original / wavelength) - low_freq_factor) / f(high_freq_factor - low_freq_factor));
  return f(f(f(f(1 - smooth) * plain) / factor) + f(smooth * plain));
}

/**
 * YaRN (arXiv:2309.00071): frequencies with more than beta_fast rotations in the original length are
 * unchanged, those with fewer than beta_slow are divided by `factor`, and those between are interpolated.
 */
function yarnFrequencies(
  powers: Float32Array,
  theta: number,
  dim: number,
  scaling: RopeScaling & { rope_type: 'yarn' },
): Float32Array {
  const { factor, beta_fast, beta_slow, truncate, original_max_position_embeddings: original } = scaling;
  const index = (rotations: number) =>
    (dim * Math.log(original / (rotations * 2 * Math.PI))) / (2 * Math.log(theta));
  const low = Math.max(truncate ? Math.floor(index(beta_fast)) : index(beta_fast), 0);
  let high = Math.min(truncate ? Math.ceil(index(beta_slow)) : index(beta_slow), dim - 1);
  if (low === high) high += 0.001;
  return powers.map((power, i) => {
    const unscaled = f(1 - Math.min(1, Math.max(0, f(f(i - low) / f(high - low)))));
    return f(f(1 / f(factor * power)) * f(1 - unscaled)) + f(f(1 / power) * unscaled);
  });
}

/**
 * cos and sin of position · frequency for positions 0, 1, …; the angle is rounded to float32 first, as in
 * PyTorch.
 * @param dim elements of a head
 * @param long appends the rows of longer sequences (longrope): 2 · positions rows
 * @returns [rows, rotated] float32: a row's cosines, then its sines
 */
export function ropeTable(rope: RopeSettings, dim: number, positions: number, long = false): Float32Array {
  const rotated = rotatedDim(rope, dim);
  const half = rotated / 2;
  const scale = 'attention_factor' in rope.scaling ? rope.scaling.attention_factor : 1;
  const rows = positions * (long ? 2 : 1);
  const table = new Float32Array(rows * rotated);
  const frequencies = [
    inverseFrequencies(rope, rotated),
    long ? inverseFrequencies(rope, rotated, true) : null,
  ];
  for (let row = 0; row < rows; row++) {
    const inverse = frequencies[row < positions ? 0 : 1]!;
    const rowScale = scale * positionScale(rope, row % positions);
    const sign = rope.reversed ? -1 : 1;
    for (let i = 0; i < half; i++) {
      const angle = f((row % positions) * inverse[i]);
      table[row * rotated + i] = f(Math.cos(angle)) * rowScale;
      table[row * rotated + half + i] = f(Math.sin(angle)) * rowScale * sign;
    }
  }
  return table;
}

function positionScale({ positionScale: settings }: RopeSettings, position: number): number {
  return settings ? 1 + settings.beta * Math.log(1 + Math.floor(position / settings.original)) : 1;
}
