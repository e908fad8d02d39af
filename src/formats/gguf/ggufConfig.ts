/**
 * The config.json of a GGUF's model, from its metadata, as llama.cpp understands the keys (llama-model.cpp,
 * load_hparams).
 */
import type { GgufFacts } from './ggufFacts.ts';
import type { GgufFamily } from './ggufFamilies.ts';
import type { GgufMetadata } from './ggufMetadata.ts';
import { gemma4Keys, ministral3Keys, qwen3_5Keys } from './layeredFamilies.ts';

type Config = Record<string, unknown>;

/** @throws UserError naming the metadata key that is missing or not supported */
export function ggufConfig(m: GgufMetadata, family: GgufFamily, facts: GgufFacts): Config {
  const own = (key: string) => m.own(key);
  const heads = m.number(own('attention.head_count'));
  const hidden = m.number(own('embedding_length'));
  const byLayer = family.modelType === 'gemma4_text';
  const keyHeads = byLayer ? { most: heads, each: null } : keyHeadsOf(m, heads);
  const headDim = m.number(own('attention.key_length'), Math.floor(hidden / heads));
  const valueDim = m.number(own('attention.value_length'), headDim);
  if (valueDim !== headDim)
    m.fail(
      `values of ${valueDim} elements beside keys of ${headDim} are not supported. Choose another model.`,
    );
  const rotated = m.number(own('rope.dimension_count'), headDim);
  const theta = m.number(own('rope.freq_base'), 10000);
  const config: Config = {
    model_type: family.modelType,
    vocab_size: facts.vocabulary,
    hidden_size: hidden,
    intermediate_size: byLayer ? null : m.number(own('feed_forward_length')),
    num_hidden_layers: m.number(own('block_count')),
    num_attention_heads: heads,
    num_key_value_heads: keyHeads.most,
    head_dim: headDim,
    max_position_embeddings: m.number(own('context_length')),
    rms_norm_eps: m.number(own('attention.layer_norm_rms_epsilon')),
    tie_word_embeddings: !facts.has('output.weight'),
    rope_theta: theta,
    rope_scaling: ropeScaling(m, facts, { theta, headDim }),
    ...(rotated === headDim ? {} : { partial_rotary_factor: rotated / headDim }),
    ...(m.number(own('expert_count'), 0) > 0 ? { num_local_experts: m.number(own('expert_count')) } : {}),
    bos_token_id: m.numberOrNull('tokenizer.ggml.bos_token_id'),
    eos_token_id: m.numberOrNull('tokenizer.ggml.eos_token_id'),
    pad_token_id: m.numberOrNull('tokenizer.ggml.padding_token_id'),
  };
  return { ...config, ...familyKeys(m, family, facts, { config, keyHeads: keyHeads.each }) };
}

/** One number, or one a layer, 0 for layers without attention. */
function keyHeadsOf(m: GgufMetadata, heads: number): { most: number; each: number[] | null } {
  const key = m.own('attention.head_count_kv');
  if (!Array.isArray(m.values.get(key))) return { most: m.number(key, heads), each: null };
  const each = m.numbers(key);
  const [most, ...others] = new Set(each.filter((count) => count > 0));
  if (most === undefined || others.length > 0)
    return m.fail(`${key} differs from layer to layer, which is not supported. Choose another model.`);
  return { most, each };
}

/** What each family's config has of its own. */
function familyKeys(
  m: GgufMetadata,
  { modelType }: GgufFamily,
  facts: GgufFacts,
  { config, keyHeads }: { config: Config; keyHeads: number[] | null },
): Config {
  const own = (key: string, fallback?: number) => m.number(m.own(key), fallback);
  const window = m.numberOrNull(m.own('attention.sliding_window'));
  const layers = config.num_hidden_layers as number;
  const biases = {
    attention_bias: facts.has('blk.0.attn_q.bias'),
    mlp_bias: facts.has('blk.0.ffn_gate.bias'),
  };
  switch (modelType) {
    case 'qwen2':
    case 'qwen3':
      return { attention_bias: biases.attention_bias, use_sliding_window: false };
    case 'granite':
      return {
        ...biases,
        embedding_multiplier: own('embedding_scale', 1),
        attention_multiplier: own('attention.scale', 1 / Math.sqrt(config.head_dim as number)),
        residual_multiplier: own('residual_scale', 1),
        logits_scaling: own('logit_scale', 1),
      };
    case 'gemma2':
    case 'gemma3_text': {
      // The largest of each family scales scores by width / heads instead (llama-model.cpp: LLM_TYPE_27B).
      const largest = layers === (modelType === 'gemma2' ? 46 : 62);
      const width = (config.hidden_size as number) / (config.num_attention_heads as number);
      const shared = { query_pre_attn_scalar: largest ? width : config.head_dim, sliding_window: window };
      return modelType === 'gemma2'
        ? {
            ...shared,
            sliding_window: window ?? 4096,
            attn_logit_softcapping: own('attn_logit_softcapping', 50),
            final_logit_softcapping: own('final_logit_softcapping', 30),
          }
        : {
            ...shared,
            rope_local_base_freq: own('rope.freq_base_swa', 10000),
            // Where the file does not say, every sixth layer sees all; without a window all do.
            ...(window === null ? { layer_types: Array(layers).fill('full_attention') } : {}),
          };
    }
    case 'phi3':
      return {
        sliding_window: window,
        original_max_position_embeddings: own(
          'rope.scaling.original_context_length',
          config.max_position_embeddings as number,
        ),
      };
    case 'olmo2':
      // OLMo 3 has the same architecture in llama.cpp, with windows in three of four layers.
      return { ...biases, ...(window === null ? {} : { model_type: 'olmo3', sliding_window: window }) };
    case 'exaone4':
      return { sliding_window: window, ...(window === null ? { sliding_window_pattern: null } : {}) };
    case 'ernie4_5':
      return { use_bias: biases.attention_bias };
    case 'ministral3':
      return ministral3Keys(m, config);
    case 'qwen3_5_text':
      return qwen3_5Keys(m, facts, config);
    case 'gemma4_text':
      return gemma4Keys(m, facts, config);
    case 'lfm2':
      return {
        norm_eps: config.rms_norm_eps,
        block_auto_adjust_ff_dim: false,
        conv_L_cache: own('shortconv.l_cache'),
        conv_bias: facts.has('blk.0.shortconv.conv.bias'),
        layer_types: (keyHeads ?? Array<number>(layers).fill(1)).map((count) =>
          count > 0 ? 'full_attention' : 'conv',
        ),
      };
    default:
      return biases;
  }
}

/** transformers' `rope_scaling`, null where frequencies are plain. */
function ropeScaling(
  m: GgufMetadata,
  { ropeDivisors, longRope }: GgufFacts,
  rope: { theta: number; headDim: number },
): Config | null {
  const context = m.number(m.own('context_length'));
  const original = m.number(m.own('rope.scaling.original_context_length'), context);
  if (longRope) {
    const attention = m.numberOrNull(m.own('rope.scaling.attn_factor'));
    return {
      rope_type: 'longrope',
      long_factor: longRope.long,
      short_factor: longRope.short,
      original_max_position_embeddings: original,
      ...(attention === null ? {} : { attention_factor: attention }),
    };
  }
  const kind = m.text(m.own('rope.scaling.type'), 'none');
  const linear = m.numberOrNull(m.own('rope.scale_linear'));
  const factor = m.number(m.own('rope.scaling.factor'), linear ?? 1);
  if (ropeDivisors) {
    if (kind !== 'none' && factor !== 1)
      m.fail(`${m.own('rope.scaling.type')} "${kind}" beside rope_freqs.weight is not supported.`);
    return divided(ropeDivisors, rope);
  }
  if (factor === 1 && kind !== 'yarn') return null;
  switch (kind) {
    case 'none':
    case 'linear':
      return kind === 'linear' || linear !== null ? { rope_type: 'linear', factor } : null;
    case 'yarn':
      return {
        rope_type: 'yarn',
        factor,
        original_max_position_embeddings: original,
        beta_fast: m.number(m.own('rope.scaling.yarn_beta_fast'), 32),
        beta_slow: m.number(m.own('rope.scaling.yarn_beta_slow'), 1),
      };
    default:
      return m.fail(`${m.own('rope.scaling.type')} "${kind}" is not supported. Choose another model.`);
  }
}

/**
 * Divisors of the frequencies as settings: Llama 3's where its formula gives them, else they themselves, as
 * LongRoPE's factors for any length.
 */
function divided(divisors: readonly number[], rope: { theta: number; headDim: number }): Config | null {
  if (divisors.every((divisor) => divisor === 1)) return null;
  const factor = divisors.reduce((most, divisor) => Math.max(most, divisor), 1);
  for (let original = 16; original <= 131072; original *= 2) {
    const settings = { factor, low_freq_factor: 1, high_freq_factor: 4, original };
    const expected = divisors.map((_, i) => llama3Divisor(i, rope, settings));
    if (divisors.every((divisor, i) => Math.abs(divisor / expected[i]! - 1) < 1e-5))
      return {
        rope_type: 'llama3',
        factor,
        low_freq_factor: 1,
        high_freq_factor: 4,
        original_max_position_embeddings: original,
      };
  }
  return { rope_type: 'longrope', long_factor: divisors, short_factor: divisors, attention_factor: 1 };
}

/** What Llama 3's scaling divides frequency i by (convert_hf_to_gguf.py, generate_extra_tensors). */
function llama3Divisor(
  i: number,
  { theta, headDim }: { theta: number; headDim: number },
  settings: { factor: number; low_freq_factor: number; high_freq_factor: number; original: number },
): number {
  const { factor, low_freq_factor: low, high_freq_factor: high, original } = settings;
  const wavelength = 2 * Math.PI * theta ** ((2 * i) / headDim);
  if (wavelength < original / high) return 1;
  if (wavelength > original / low) return factor;
  const smooth = (original / wavelength - low) / (high - low);
  return 1 / ((1 - smooth) / factor + smooth);
}
