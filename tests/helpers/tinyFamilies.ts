/** A tiny config of every family, with what the family has of its own turned on: windows shorter than the documents, biases, caps, layers of each kind. */
const SIZES = {
  hidden_size: 24,
  intermediate_size: 40,
  num_hidden_layers: 3,
  num_attention_heads: 3,
  num_key_value_heads: 1,
  vocab_size: 262,
  max_position_embeddings: 256,
  rms_norm_eps: 1e-5,
  rope_theta: 10000,
};

export const TINY_FAMILIES: Record<string, Record<string, unknown>> = {
  llama: { ...SIZES, model_type: 'llama', num_hidden_layers: 2, attention_bias: true, mlp_bias: true },
  mistral: { ...SIZES, model_type: 'mistral', num_hidden_layers: 2, sliding_window: 5 },
  qwen2: { ...SIZES, model_type: 'qwen2', use_sliding_window: true, sliding_window: 4, max_window_layers: 1, num_key_value_heads: 3, tie_word_embeddings: true },
  qwen3: { ...SIZES, model_type: 'qwen3', num_hidden_layers: 2, head_dim: 10, use_sliding_window: true, sliding_window: 6, max_window_layers: 1 },
  smollm3: { ...SIZES, model_type: 'smollm3', no_rope_layer_interval: 2, use_sliding_window: true, sliding_window: 7 },
  phi3: { ...SIZES, model_type: 'phi3', num_hidden_layers: 2, sliding_window: 5, partial_rotary_factor: 0.75 },
  gemma2: { ...SIZES, model_type: 'gemma2', head_dim: 6, sliding_window: 5, query_pre_attn_scalar: 9, attn_logit_softcapping: 2, final_logit_softcapping: 4 },
  gemma3_text: {
    ...SIZES,
    model_type: 'gemma3_text',
    head_dim: 8,
    sliding_window: 5,
    sliding_window_pattern: 2,
    query_pre_attn_scalar: 8,
    rope_scaling: { rope_type: 'linear', factor: 8 },
  },
};
