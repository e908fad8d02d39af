/** The config keys that the decoder-only families share. */
import type { CommonConfig, ConfigReader } from './config.ts';

export interface DecoderConfig extends CommonConfig {
  intermediate_size: number;
  num_attention_heads: number;
  num_key_value_heads: number;
  head_dim: number;
  rms_norm_eps: number;
}

/** Values of keys that a family's configs may omit, as in its configuration class in transformers. */
export interface DecoderDefaults {
  /** Absent: as many as num_attention_heads. */
  num_key_value_heads?: number;
  /** Absent: hidden_size / num_attention_heads. */
  head_dim?: number;
  max_position_embeddings: number;
  rms_norm_eps: number;
  tie_word_embeddings: boolean;
}

/** @throws UserError naming the key that is missing or does not fit */
export function readDecoder(read: ConfigReader, defaults: DecoderDefaults): DecoderConfig {
  const hidden_size = read.integer('hidden_size');
  const num_attention_heads = read.integer('num_attention_heads');
  const num_key_value_heads =
    read.integerOrNull('num_key_value_heads', defaults.num_key_value_heads ?? null) ?? num_attention_heads;
  if (num_attention_heads % num_key_value_heads !== 0)
    read.fail(
      `num_attention_heads ${num_attention_heads} is not a multiple of num_key_value_heads ${num_key_value_heads}`,
    );
  const head_dim =
    read.integerOrNull('head_dim', defaults.head_dim ?? null) ??
    Math.floor(hidden_size / num_attention_heads);
  if (head_dim < 2 || head_dim % 2 !== 0)
    read.fail(`heads of ${head_dim} elements are not even, which rotary embedding needs`);
  const rms_norm_eps = read.number('rms_norm_eps', defaults.rms_norm_eps);
  if (rms_norm_eps < 0) read.fail(`"rms_norm_eps" is ${rms_norm_eps}, it must not be negative`);
  return {
    model_type: read.modelType,
    vocab_size: read.integer('vocab_size'),
    hidden_size,
    intermediate_size: read.integer('intermediate_size'),
    num_hidden_layers: read.integer('num_hidden_layers'),
    num_attention_heads,
    num_key_value_heads,
    head_dim,
    max_position_embeddings: read.integer('max_position_embeddings', defaults.max_position_embeddings),
    rms_norm_eps,
    tie_word_embeddings: read.boolean('tie_word_embeddings', defaults.tie_word_embeddings),
    final_logit_softcapping: 0,
  };
}

/**
 * The number of keys that each layer's queries see; 0 means all. A layer is 'sliding_attention' or
 * 'full_attention' according to `layer_types`, or, where the config has none, to the family's older pattern.
 * @param window of the sliding layers; null where the config has none
 * @param slides whether layer i slides where there is no `layer_types`
 */
export function layerWindows(
  read: ConfigReader,
  layers: number,
  window: number | null,
  slides: (layer: number) => boolean,
): number[] {
  const kinds = layerKinds(read, layers, ['sliding_attention', 'full_attention'], (i) =>
    slides(i) ? 'sliding_attention' : 'full_attention',
  );
  return kinds.map((kind, i) =>
    kind === 'full_attention'
      ? 0
      : (window ?? read.fail(`layer ${i} is of sliding attention, but the config gives no "sliding_window"`)),
  );
}

/** Each layer's kind by `layer_types`, which must be one of `kinds`, else by the family's older pattern. */
export function layerKinds<K extends string>(
  read: ConfigReader,
  layers: number,
  kinds: readonly K[],
  otherwise: (layer: number) => K,
): K[] {
  const types = read.json.layer_types;
  if (types == null) return Array.from({ length: layers }, (_, i) => otherwise(i));
  if (!Array.isArray(types) || types.length < layers)
    return read.fail(`"layer_types" must be a list of ${layers} names`);
  return types.slice(0, layers).map((type: K) => {
    if (!kinds.includes(type))
      read.fail(`"layer_types" names ${JSON.stringify(type)}; supported: ${kinds.join(', ')}`);
    return type;
  });
}

/**
 * Windows as Qwen has them: only where `use_sliding_window` is true, in the layers from `max_window_layers`
 * up.
 */
export function readUpperWindows(read: ConfigReader, layers: number): number[] {
  const window = read.boolean('use_sliding_window', false)
    ? read.integerOrNull('sliding_window', 4096)
    : null;
  const first = read.number('max_window_layers', 28);
  return layerWindows(read, layers, window, (i) => window !== null && i >= first);
}
