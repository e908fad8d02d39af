/**
 * What the config.json of families with layers of different kinds has of its own, from a GGUF's metadata
 * (llama.cpp: conversion/mistral3.py, qwen.py and gemma.py; src/models/*.cpp), and where their converters
 * changed the order of heads.
 */
import type { HeadOrder } from '../sourceCheckpoint.ts';
import type { GgufFacts } from './ggufFacts.ts';
import type { GgufMetadata } from './ggufMetadata.ts';

type Config = Record<string, unknown>;

/** YaRN, and queries scaled by position; a Mistral 3 has neither. */
export function ministral3Keys(m: GgufMetadata, config: Config): Config {
  const beta = m.numberOrNull(m.own('attention.temperature_scale'));
  if (beta === null) return { model_type: 'mistral', sliding_window: null };
  const scale = m.number(m.own('rope.scaling.yarn_log_multiplier'), 1);
  return {
    sliding_window: null,
    rope_scaling: null,
    rope_parameters: {
      ...(config.rope_scaling as Config | null),
      rope_type: 'yarn',
      rope_theta: config.rope_theta,
      mscale: scale,
      mscale_all_dim: scale,
      llama_4_scaling_beta: beta,
    },
  };
}

/** Sizes of the gated delta nets, and which layers are such. A block for further tokens is left out. */
export function qwen3_5Keys(m: GgufMetadata, facts: GgufFacts, config: Config): Config {
  const own = (key: string) => m.number(m.own(key));
  const layers = (config.num_hidden_layers as number) - m.number(m.own('nextn_predict_layers'), 0);
  const valueHeads = own('ssm.time_step_rank');
  return {
    num_hidden_layers: layers,
    attention_bias: Array.from({ length: layers }, (_, i) => i).some((i) =>
      facts.has(`blk.${i}.attn_q.bias`),
    ),
    layer_types: Array.from({ length: layers }, (_, i) =>
      facts.has(`blk.${i}.attn_q.weight`) ? 'full_attention' : 'linear_attention',
    ),
    linear_conv_kernel_dim: own('ssm.conv_kernel'),
    linear_key_head_dim: own('ssm.state_size'),
    linear_num_key_heads: own('ssm.group_count'),
    linear_num_value_heads: valueHeads,
    linear_value_head_dim: own('ssm.inner_size') / valueHeads,
    partial_rotary_factor: own('rope.dimension_count') / (config.head_dim as number),
  };
}

/** Kinds, widths and ropes of layers, embeddings a layer, and the layers that share keys. */
export function gemma4Keys(m: GgufMetadata, facts: GgufFacts, config: Config): Config {
  const layers = config.num_hidden_layers as number;
  const local = m.booleans(m.own('attention.sliding_window_pattern'));
  const kinds = Array.from({ length: layers }, (_, i) => (local[i] ? 'sliding_attention' : 'full_attention'));
  const shared = m.number(m.own('attention.shared_kv_layers'), 0);
  const keyHeads = m.numberOrEach(m.own('attention.head_count_kv'), layers);
  const widths = m.numberOrEach(m.own('feed_forward_length'), layers);
  const full = kinds.indexOf('full_attention');
  const divisors = facts.ropeDivisors;
  const ple = m.number(m.own('embedding_length_per_layer_input'), 0);
  const keysAreValues = full >= 0 && !facts.has(`blk.${full}.attn_v.weight`);
  return {
    head_dim: m.number(m.own('attention.key_length_swa'), config.head_dim as number),
    global_head_dim: config.head_dim,
    num_key_value_heads: keyHeads[Math.max(0, kinds.indexOf('sliding_attention'))],
    num_global_key_value_heads: keysAreValues ? keyHeads[Math.max(0, full)] : null,
    attention_k_eq_v: keysAreValues,
    enable_moe_block: m.number(m.own('expert_count'), 0) > 0,
    layer_types: kinds,
    sliding_window: m.number(m.own('attention.sliding_window')),
    num_kv_shared_layers: shared,
    use_double_wide_mlp: shared > 0 && widths.at(-1)! > widths[0]!,
    intermediate_size: widths[0],
    hidden_size_per_layer_input: ple,
    vocab_size_per_layer_input: facts.vocabulary,
    final_logit_softcapping: m.numberOrNull(m.own('final_logit_softcapping')),
    rope_scaling: null,
    rope_parameters: {
      full_attention: {
        rope_type: 'proportional',
        rope_theta: config.rope_theta,
        // Frequencies that do not rotate are divided by 1e30.
        partial_rotary_factor: divisors
          ? divisors.filter((divisor) => divisor === 1).length / divisors.length
          : 1,
      },
      sliding_attention: {
        rope_type: 'default',
        rope_theta: m.number(m.own('rope.freq_base_swa'), 10000),
      },
    },
  };
}

/** Where a gated delta net has several value heads a key head; undefined for a tensor without value heads. */
export function valueHeadOrder(name: string, config: Config): HeadOrder | undefined {
  const module = /\.linear_attn\.([A-Za-z_0-9]+)/.exec(name)?.[1];
  const keyHeads = config.linear_num_key_heads as number;
  const perKey = (config.linear_num_value_heads as number) / keyHeads;
  if (module === undefined || perKey === 1) return undefined;
  const size = config.linear_value_head_dim as number;
  const keys = 2 * keyHeads * (config.linear_key_head_dim as number);
  const heads = { keyHeads, perKey };
  switch (module) {
    case 'in_proj_qkv':
    case 'conv1d':
      return { ...heads, axis: 'rows', first: keys, size };
    case 'in_proj_z':
      return { ...heads, axis: 'rows', first: 0, size };
    case 'in_proj_a':
    case 'in_proj_b':
    case 'A_log':
    case 'dt_bias':
      return { ...heads, axis: 'rows', first: 0, size: 1 };
    case 'out_proj':
      return { ...heads, axis: 'columns', first: 0, size };
    default:
      return undefined;
  }
}
