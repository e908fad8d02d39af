/** The rotary settings of config.json, in the form of transformers 4 and 5 (modeling_rope_utils.py). */
import type { ConfigReader } from './config.ts';

export interface RopeSettings {
  rope_theta: number;
  /** Part of each head, from its start, that is rotated. */
  partial_rotary_factor: number;
  scaling: RopeScaling;
  /** Pairs that are rotated are neighbours, (2i, 2i + 1) instead of (i, i + half). */
  interleaved?: boolean;
  /** The angle is −position · frequency. */
  reversed?: boolean;
  /**
   * Each position's rotated row is multiplied by 1 + beta · ln(1 + ⌊position / original⌋): Llama 4's scaling
   * of queries, which are then rotated by tables of their own.
   */
  positionScale?: { beta: number; original: number };
}

export type RopeScaling =
  | { rope_type: 'default' }
  | { rope_type: 'linear'; factor: number }
  /** The base is stretched to theta · alpha^(d / (d − 2)) (HunYuan). */
  | { rope_type: 'ntk_alpha'; alpha: number }
  /**
   * Frequencies of the whole head, of which the last part is zero: `partial_rotary_factor` of the pairs
   * rotate.
   */
  | { rope_type: 'proportional'; factor: number; proportion: number }
  | {
      rope_type: 'llama3';
      factor: number;
      low_freq_factor: number;
      high_freq_factor: number;
      original_max_position_embeddings: number;
    }
  | {
      rope_type: 'yarn';
      factor: number;
      attention_factor: number;
      beta_fast: number;
      beta_slow: number;
      truncate: boolean;
      original_max_position_embeddings: number;
    }
  /**
   * `long_factor` where a sequence is longer than the original maximum, else `short_factor`: one number a
   * frequency.
   */
  | {
      rope_type: 'longrope';
      short_factor: readonly number[];
      long_factor: readonly number[];
      attention_factor: number;
      original_max_position_embeddings: number;
    };

/** In what a family's rotary settings differ from the common ones. */
export interface RopeDefaults {
  rope_theta?: number;
  /** Only part of a head may be rotated. For other families that is refused. */
  partial?: boolean;
  partial_rotary_factor?: number;
  /** Of the key of that name; without one max_position_embeddings stands in. */
  original_max_position_embeddings?: number;
  /** rope_type 'proportional' is allowed. For other families it is refused. */
  proportional?: boolean;
  /** Its 'dynamic' may have a fixed `alpha` (HunYuan). */
  alpha?: boolean;
  /** Other names that its configs give to types. */
  rope_types?: Readonly<Record<string, string>>;
}

/** The config's other keys that the settings depend on. */
interface Heads {
  head_dim: number;
  max_position_embeddings: number;
}

type Json = Readonly<Record<string, unknown>>;

/** Reads transformers 5's `rope_parameters` or transformers 4's `rope_theta` and `rope_scaling`. */
export function readRope(config: ConfigReader, heads: Heads, defaults: RopeDefaults = {}): RopeSettings {
  return ropeOf(config, givenRope(config.json) ?? {}, heads, defaults);
}

/**
 * Settings a kind of layer: transformers 5 nests a dictionary for each under `rope_parameters`; before that
 * `rope_theta` held for both and `rope_scaling` for the full layers only.
 * @param theta where the config gives none
 */
export function nestedRopes(
  config: ConfigReader,
  heads: Heads,
  { theta }: { theta: number },
): { sliding: RopeSettings; full: RopeSettings } {
  const { json } = config;
  const nested = (json.rope_parameters ?? {}) as Record<string, Json | null | undefined>;
  const base = { rope_theta: json.rope_theta ?? theta };
  const settings = (kind: string, more: object | null = null) =>
    ropeOf(config, { ...base, ...nested[kind], ...more }, heads);
  return {
    sliding: settings('sliding_attention'),
    full: settings('full_attention', json.rope_scaling ?? null),
  };
}

/**
 * The rotary settings of a config: where it has both `rope_scaling` and `rope_parameters`, the first counts,
 * as in convert_rope_params_to_dict.
 */
export function givenRope({ rope_scaling, rope_parameters }: Json): Json | null {
  const isGiven = typeof rope_scaling === 'object' && Object.keys(rope_scaling ?? {}).length > 0;
  return (isGiven ? rope_scaling : (rope_parameters ?? null)) as Json | null;
}

/** @param nested the one dictionary that holds the settings; what it lacks is looked up beside it */
export function ropeOf(
  config: ConfigReader,
  nested: Json,
  { head_dim, max_position_embeddings }: Heads,
  defaults: RopeDefaults = {},
): RopeSettings {
  const { json } = config;
  const positive = (key: string, value: unknown): number => {
    if (typeof value !== 'number' || !(value > 0))
      config.fail(
        `the rope setting "${key}" must be a positive number, found ${JSON.stringify(value ?? null)}`,
      );
    if (!Number.isFinite(Math.fround(value)) || Math.fround(value) === 0)
      config.fail(`the rope setting "${key}" is ${value}, which float32 cannot hold`);
    return value;
  };
  const number = (key: string, fallback?: number) => positive(key, nested[key] ?? json[key] ?? fallback);
  const type = readType(nested, defaults);
  const proportion = number('partial_rotary_factor', defaults.partial_rotary_factor ?? 1);
  const partial_rotary_factor = type === 'proportional' ? 1 : proportion;
  const rotated = Math.trunc(head_dim * partial_rotary_factor);
  if (partial_rotary_factor !== 1 && !defaults.partial)
    config.fail(
      `"partial_rotary_factor" is ${partial_rotary_factor}; this model type is supported with whole heads rotated`,
    );
  if (rotated % 2 !== 0 || rotated < 2 || rotated > head_dim)
    config.fail(
      `${rotated} of the ${head_dim} elements of a head would be rotated, which must be an even number of them`,
    );

  const original = () =>
    positive(
      'original_max_position_embeddings',
      json.original_max_position_embeddings ??
        defaults.original_max_position_embeddings ??
        nested.original_max_position_embeddings ??
        max_position_embeddings,
    );
  const factors = (key: string): number[] => {
    const list = nested[key];
    if (!Array.isArray(list) || list.length !== rotated / 2)
      config.fail(`the rope setting "${key}" must be a list of ${rotated / 2} numbers`);
    return list.map((value) => positive(key, value));
  };
  const unknown = (type: string) =>
    config.fail(
      `rope type ${JSON.stringify(type)} is not supported (default, linear, dynamic, llama3, yarn and longrope are)`,
    );
  const scaling = (type: string): RopeScaling => {
    switch (type) {
      case 'default':
        return { rope_type: type };
      case 'linear':
        return { rope_type: type, factor: number('factor') };
      case 'proportional':
        if (!defaults.proportional) return unknown(type);
        return { rope_type: type, factor: number('factor', 1), proportion };
      case 'dynamic':
        if (defaults.alpha && nested.alpha != null) return { rope_type: 'ntk_alpha', alpha: number('alpha') };
        // The base grows only for sequences beyond max_position_embeddings, which no row may be.
        number('factor');
        return { rope_type: 'default' };
      case 'llama3':
        return {
          rope_type: type,
          factor: number('factor'),
          low_freq_factor: number('low_freq_factor'),
          high_freq_factor: number('high_freq_factor'),
          original_max_position_embeddings: original(),
        };
      case 'yarn': {
        const factor = number('factor');
        return {
          rope_type: type,
          factor,
          attention_factor:
            nested.attention_factor == null ? yarnAttention(factor, nested) : number('attention_factor'),
          beta_fast: number('beta_fast', 32),
          beta_slow: number('beta_slow', 1),
          truncate: nested.truncate !== false,
          original_max_position_embeddings: original(),
        };
      }
      case 'longrope': {
        const before = original();
        const factor = number('factor', max_position_embeddings / before);
        return {
          rope_type: type,
          short_factor: factors('short_factor'),
          long_factor: factors('long_factor'),
          attention_factor: number(
            'attention_factor',
            factor <= 1 ? 1 : Math.sqrt(1 + Math.log(factor) / Math.log(before)),
          ),
          original_max_position_embeddings: before,
        };
      }
      default:
        return unknown(type);
    }
  };
  return {
    rope_theta: number('rope_theta', defaults.rope_theta ?? 10000),
    partial_rotary_factor,
    scaling: scaling(type),
  };
}

/** The type's name, in the form of transformers 5 or 4, with the family's own names translated. */
function readType(nested: Json, { rope_types }: RopeDefaults): string {
  const type = (nested.rope_type ?? nested.type ?? 'default') as string;
  return rope_types?.[type] ?? type;
}

/** YaRN's temperature (arXiv:2309.00071, section 3.4). */
function yarnAttention(factor: number, { mscale, mscale_all_dim }: Json): number {
  const scale = (m: number) => (factor <= 1 ? 1 : 0.1 * m * Math.log(factor) + 1);
  return typeof mscale === 'number' && typeof mscale_all_dim === 'number' && mscale && mscale_all_dim
    ? scale(mscale) / scale(mscale_all_dim)
    : scale(1);
}

/** Elements of a head that are rotated. */
export function rotatedDim(rope: RopeSettings, headDim: number): number {
  return Math.trunc(headDim * rope.partial_rotary_factor);
}
