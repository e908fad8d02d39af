/** The tensors that the decoder-only families share, under the checkpoint's names. */
import type { TensorRequirement } from './config.ts';
import type { DecoderConfig } from './decoderConfig.ts';

export function norm(name: string, width: number): TensorRequirement {
  return { name: `${name}.weight`, shape: [width], quantise: false };
}

export function linear(name: string, out: number, width: number, bias = false): TensorRequirement[] {
  const weight = { name: `${name}.weight`, shape: [out, width], quantise: true };
  return bias ? [weight, { name: `${name}.bias`, shape: [out], quantise: false }] : [weight];
}

/** q_proj, k_proj, v_proj and o_proj. @param bias of the first three @param outputBias of the last */
export function attentionTensors(
  p: string,
  c: DecoderConfig,
  bias: boolean,
  outputBias = bias,
): TensorRequirement[] {
  return attentionProjections(p, c, { bias, outputBias });
}

/** The four projections of attention, the last under another name where `output` says one. */
export function attentionProjections(
  p: string,
  c: DecoderConfig,
  { bias, outputBias = bias, output = 'o_proj' }: { bias: boolean; outputBias?: boolean; output?: string },
): TensorRequirement[] {
  const heads = c.num_attention_heads * c.head_dim;
  const keys = c.num_key_value_heads * c.head_dim;
  return [
    ...linear(`${p}.self_attn.q_proj`, heads, c.hidden_size, bias),
    ...linear(`${p}.self_attn.k_proj`, keys, c.hidden_size, bias),
    ...linear(`${p}.self_attn.v_proj`, keys, c.hidden_size, bias),
    ...linear(`${p}.self_attn.${output}`, c.hidden_size, heads, outputBias),
  ];
}

/** gate_proj, up_proj and down_proj. */
export function mlpTensors(p: string, c: DecoderConfig, bias = false): TensorRequirement[] {
  return [
    ...linear(`${p}.mlp.gate_proj`, c.intermediate_size, c.hidden_size, bias),
    ...linear(`${p}.mlp.up_proj`, c.intermediate_size, c.hidden_size, bias),
    ...linear(`${p}.mlp.down_proj`, c.hidden_size, c.intermediate_size, bias),
  ];
}

/**
 * Embedding, every layer's tensors, last norm, and the head where it is its own.
 * @param layer tensors under the prefix p
 */
export function decoderTensors(
  c: DecoderConfig,
  layer: (p: string, i: number) => TensorRequirement[],
): TensorRequirement[] {
  const table = (name: string) => ({
    name: `${name}.weight`,
    shape: [c.vocab_size, c.hidden_size],
    quantise: false,
  });
  return [
    table('model.embed_tokens'),
    ...Array.from({ length: c.num_hidden_layers }, (_, i) => layer(`model.layers.${i}`, i)).flat(),
    norm('model.norm', c.hidden_size),
    ...(c.tie_word_embeddings ? [] : [table('lm_head')]),
  ];
}
