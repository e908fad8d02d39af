/**
 * What llama.cpp's architectures are called on the Hub: the model type, the tensors' names, and what
 * llama.cpp's converter changed in the weights (convert_hf_to_gguf.py), which is undone.
 */

export interface GgufFamily {
  modelType: string;
  /** Names within a layer: GGUF's stem to the Hub's. */
  layer: Readonly<Record<string, string>>;
  /** The norm after the last layer: GGUF's stem and the Hub's name. */
  lastNorm: readonly [stem: string, name: string];
  /** Whether the converter reordered q's and k's rows, from halves of a head to neighbours. */
  permuted?: boolean;
  /** Whether norms are stored as 1 + w, but for one behind a delta rule. */
  normsPlusOne?: boolean;
  /** Names within a layer whose endings differ too. */
  wholeNames?: Readonly<Record<string, string>>;
  /** Names outside the layers that other families do not have. */
  outside?: Readonly<Record<string, string>>;
}

const ATTENTION = {
  attn_q: 'self_attn.q_proj',
  attn_k: 'self_attn.k_proj',
  attn_v: 'self_attn.v_proj',
  attn_output: 'self_attn.o_proj',
};
const MLP = { ffn_gate: 'mlp.gate_proj', ffn_up: 'mlp.up_proj', ffn_down: 'mlp.down_proj' };
const PRE_NORMS = { attn_norm: 'input_layernorm', ffn_norm: 'post_attention_layernorm' };
const POST_NORMS = {
  post_attention_norm: 'post_attention_layernorm',
  post_ffw_norm: 'post_feedforward_layernorm',
};
const SANDWICH_NORMS = { ...POST_NORMS, attn_norm: 'input_layernorm', ffn_norm: 'pre_feedforward_layernorm' };
const HEAD_NORMS = { attn_q_norm: 'self_attn.q_norm', attn_k_norm: 'self_attn.k_norm' };

const LAST_NORM = ['output_norm', 'model.norm'] as const;
const LLAMA = { ...ATTENTION, ...MLP, ...PRE_NORMS };

/** The architectures that are read, by `general.architecture`. */
export const GGUF_FAMILIES: ReadonlyMap<string, GgufFamily> = new Map<string, GgufFamily>([
  ['llama', { modelType: 'llama', layer: LLAMA, lastNorm: LAST_NORM, permuted: true }],
  ['qwen2', { modelType: 'qwen2', layer: LLAMA, lastNorm: LAST_NORM }],
  ['qwen3', { modelType: 'qwen3', layer: { ...LLAMA, ...HEAD_NORMS }, lastNorm: LAST_NORM }],
  ['smollm3', { modelType: 'smollm3', layer: LLAMA, lastNorm: LAST_NORM, permuted: true }],
  ['granite', { modelType: 'granite', layer: LLAMA, lastNorm: LAST_NORM, permuted: true }],
  [
    'gemma2',
    {
      modelType: 'gemma2',
      layer: { ...ATTENTION, ...MLP, ...SANDWICH_NORMS },
      lastNorm: LAST_NORM,
      normsPlusOne: true,
    },
  ],
  [
    'gemma3',
    {
      modelType: 'gemma3_text',
      layer: { ...ATTENTION, ...MLP, ...SANDWICH_NORMS, ...HEAD_NORMS },
      lastNorm: LAST_NORM,
      normsPlusOne: true,
    },
  ],
  [
    'phi3',
    {
      modelType: 'phi3',
      layer: {
        attn_qkv: 'self_attn.qkv_proj',
        attn_output: 'self_attn.o_proj',
        ffn_up: 'mlp.gate_up_proj',
        ffn_down: 'mlp.down_proj',
        ...PRE_NORMS,
      },
      lastNorm: LAST_NORM,
    },
  ],
  [
    'olmo2',
    {
      modelType: 'olmo2',
      layer: { ...ATTENTION, ...MLP, ...POST_NORMS, ...HEAD_NORMS },
      lastNorm: LAST_NORM,
    },
  ],
  [
    'exaone4',
    {
      modelType: 'exaone4',
      layer: { ...ATTENTION, ...MLP, ...POST_NORMS, ...HEAD_NORMS },
      lastNorm: LAST_NORM,
    },
  ],
  ['ernie4_5', { modelType: 'ernie4_5', layer: LLAMA, lastNorm: LAST_NORM }],
  [
    'hunyuan-dense',
    {
      modelType: 'hunyuan_v1_dense',
      layer: {
        ...LLAMA,
        attn_q_norm: 'self_attn.query_layernorm',
        attn_k_norm: 'self_attn.key_layernorm',
      },
      lastNorm: LAST_NORM,
    },
  ],
  [
    'lfm2',
    {
      modelType: 'lfm2',
      layer: {
        ...ATTENTION,
        attn_output: 'self_attn.out_proj',
        attn_q_norm: 'self_attn.q_layernorm',
        attn_k_norm: 'self_attn.k_layernorm',
        attn_norm: 'operator_norm',
        ffn_norm: 'ffn_norm',
        ffn_gate: 'feed_forward.w1',
        ffn_up: 'feed_forward.w3',
        ffn_down: 'feed_forward.w2',
        'shortconv.conv': 'conv.conv',
        'shortconv.in_proj': 'conv.in_proj',
        'shortconv.out_proj': 'conv.out_proj',
      },
      lastNorm: ['token_embd_norm', 'model.embedding_norm'],
    },
  ],
  // Mistral 3 has the same architecture in llama.cpp, without a scale by position.
  ['mistral3', { modelType: 'ministral3', layer: LLAMA, lastNorm: LAST_NORM, permuted: true }],
  [
    'qwen35',
    {
      modelType: 'qwen3_5_text',
      layer: {
        ...ATTENTION,
        ...MLP,
        ...HEAD_NORMS,
        attn_norm: 'input_layernorm',
        post_attention_norm: 'post_attention_layernorm',
        attn_qkv: 'linear_attn.in_proj_qkv',
        attn_gate: 'linear_attn.in_proj_z',
        ssm_alpha: 'linear_attn.in_proj_a',
        ssm_beta: 'linear_attn.in_proj_b',
        ssm_conv1d: 'linear_attn.conv1d',
        ssm_norm: 'linear_attn.norm',
        ssm_out: 'linear_attn.out_proj',
      },
      lastNorm: LAST_NORM,
      normsPlusOne: true,
      wholeNames: { ssm_a: 'linear_attn.A_log', 'ssm_dt.bias': 'linear_attn.dt_bias' },
    },
  ],
  [
    'gemma4',
    {
      modelType: 'gemma4_text',
      layer: {
        ...ATTENTION,
        ...MLP,
        ...SANDWICH_NORMS,
        ...HEAD_NORMS,
        inp_gate: 'per_layer_input_gate',
        proj: 'per_layer_projection',
        post_norm: 'post_per_layer_input_norm',
      },
      lastNorm: LAST_NORM,
      wholeNames: { 'layer_output_scale.weight': 'layer_scalar' },
      outside: {
        per_layer_token_embd: 'model.embed_tokens_per_layer',
        per_layer_model_proj: 'model.per_layer_model_projection',
        per_layer_proj_norm: 'model.per_layer_projection_norm',
      },
    },
  ],
]);

/** The Hub's name of a tensor; null for one that the Hub's checkpoints do not have. */
export function hubName(family: GgufFamily, name: string): string | null {
  const [, block, rest = ''] = /^blk\.(\d+)\.(.*)$/.exec(name) ?? [];
  const whole = family.wholeNames?.[rest];
  if (whole !== undefined) return `model.layers.${block}.${whole}`;
  const [, stem, part] = /^(.*)\.(weight|bias)$/.exec(name) ?? [];
  if (!stem) return null;
  if (stem === 'token_embd') return `model.embed_tokens.${part}`;
  if (stem === 'output') return `lm_head.${part}`;
  const outside = family.outside?.[stem];
  if (outside !== undefined) return `${outside}.${part}`;
  if (stem === family.lastNorm[0]) return `${family.lastNorm[1]}.${part}`;
  const [, layer, inner] = /^blk\.(\d+)\.(.*)$/.exec(stem) ?? [];
  if (inner === undefined || !Object.hasOwn(family.layer, inner)) return null;
  return `model.layers.${layer}.${family.layer[inner]}.${part}`;
}
