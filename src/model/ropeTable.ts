/** Rotary frequencies and their cos/sin tables, rounded to float32 where transformers rounds (modeling_rope_utils.py). */
import type { ConfigReader } from './config.ts';

export interface RopeSettings {
  rope_theta: number;
  rope_type: 'default' | 'linear' | 'llama3';
  factor: number;
  low_freq_factor: number;
  high_freq_factor: number;
  original_max_position_embeddings: number;
}

/** Reads transformers 5's `rope_parameters` or transformers 4's `rope_theta` and `rope_scaling`. */
export function readRope(config: ConfigReader): RopeSettings {
  const { json } = config;
  const nested = (json.rope_parameters ?? json.rope_scaling ?? {}) as Record<string, unknown>;
  const type = (nested.rope_type ?? nested.type ?? 'default') as string;
  if (type !== 'default' && type !== 'linear' && type !== 'llama3') config.fail(`rope type ${JSON.stringify(type)} is not supported (default, linear and llama3 are)`);
  const number = (key: string, fallback?: number): number => {
    const value = nested[key] ?? json[key] ?? fallback;
    if (typeof value !== 'number' || !(value > 0)) config.fail(`the rope setting "${key}" must be a positive number, found ${JSON.stringify(value ?? null)}`);
    return value;
  };
  return {
    rope_theta: number('rope_theta', 10000),
    rope_type: type,
    factor: type === 'default' ? 1 : number('factor'),
    low_freq_factor: type === 'llama3' ? number('low_freq_factor') : 1,
    high_freq_factor: type === 'llama3' ? number('high_freq_factor') : 1,
    original_max_position_embeddings: type === 'llama3' ? number('original_max_position_embeddings') : 1,
  };
}

/** Inverse frequencies [dim/2], float32. llama3: long waves are slowed by `factor`, middle ones blended. */
export function inverseFrequencies(rope: RopeSettings, dim: number): Float32Array {
  const f = Math.fround;
  const result = new Float32Array(dim / 2);
  for (let i = 0; i < dim / 2; i++) {
    const plain = f(1 / f(Math.pow(rope.rope_theta, f((2 * i) / dim))));
    switch (rope.rope_type) {
      case 'default':
        result[i] = plain;
        break;
      case 'linear':
        result[i] = f(plain / rope.factor);
        break;
      case 'llama3': {
        const wavelength = f((2 * Math.PI) / plain);
        const original = rope.original_max_position_embeddings;
        const slow = f(plain / rope.factor);
        if (wavelength > original / rope.low_freq_factor) result[i] = slow;
        else if (wavelength < original / rope.high_freq_factor) result[i] = plain;
        else {
          const smooth = f(f(f(original / wavelength) - rope.low_freq_factor) / f(rope.high_freq_factor - rope.low_freq_factor));
          result[i] = f(f(f(f(1 - smooth) * plain) / rope.factor) + f(smooth * plain));
        }
      }
    }
  }
  return result;
}

/** cos and sin of position · frequency, [positions, dim/2] float32 each; the angle is rounded to float32 first, as in PyTorch. */
export function ropeTables(rope: RopeSettings, dim: number, positions: number): { cos: Float32Array; sin: Float32Array } {
  const frequencies = inverseFrequencies(rope, dim);
  const half = dim / 2;
  const cos = new Float32Array(positions * half);
  const sin = new Float32Array(positions * half);
  for (let p = 0; p < positions; p++) {
    for (let i = 0; i < half; i++) {
      const angle = Math.fround(p * frequencies[i]);
      cos[p * half + i] = Math.cos(angle);
      sin[p * half + i] = Math.sin(angle);
    }
  }
  return { cos, sin };
}
