/** Parts of a forward pass that several families share. */
import { add } from '../ops/elementwise/add.ts';
import type { AttentionSettings } from '../ops/attention/attentionVariants.ts';
import { gated } from '../ops/elementwise/gated.ts';
import type { Activation } from '../ops/elementwise/activation.ts';
import type { Value } from '../graph/value.ts';
import type { RmsNormSettings } from '../ops/norm/rmsNorm.ts';
import type { ModelBuilder } from './builder.ts';
import type { DecoderConfig } from './decoderConfig.ts';

/**
 * Layer i, from the residual stream x [T, hidden] to the residual stream; its tensors are under the prefix p.
 */
export type Layer = (x: Value, p: string, i: number) => Value;

/**
 * Embedding, layers, last norm.
 * @param settings of the last norm
 * @param embed makes the first hidden states, where they are not the plain rows of the table
 * @returns [T, hidden]
 */
export function decoderStack(
  m: ModelBuilder,
  c: DecoderConfig,
  settings: RmsNormSettings,
  layer: Layer,
  embed = () => m.embed('model.embed_tokens.weight'),
): Value {
  let x = embed();
  for (let i = 0; i < c.num_hidden_layers; i++) x = m.layer(() => layer(x, `model.layers.${i}`, i));
  return m.rmsNorm(x, 'model.norm.weight', settings);
}

/**
 * The two branches of a layer, each from its normalised input [T, hidden] to what is added to the residual
 * stream.
 */
export interface Branches {
  attention(h: Value): Value;
  mlp(h: Value): Value;
}

/** x + attention(norm x), then + mlp(norm of that): the block of most families. */
export function preNormBlock(
  m: ModelBuilder,
  x: Value,
  p: string,
  settings: RmsNormSettings,
  { attention, mlp }: Branches,
): Value {
  const middle = add(m.graph, x, attention(m.rmsNorm(x, `${p}.input_layernorm.weight`, settings)));
  return add(m.graph, middle, mlp(m.rmsNorm(middle, `${p}.post_attention_layernorm.weight`, settings)));
}

/**
 * x + norm(attention(x)), then + norm(mlp of that): norms after the sublayers only, as OLMo 2 and EXAONE 4
 * have them.
 */
export function postNormBlock(
  m: ModelBuilder,
  x: Value,
  p: string,
  settings: RmsNormSettings,
  { attention, mlp }: Branches,
): Value {
  const middle = add(m.graph, x, m.rmsNorm(attention(x), `${p}.post_attention_layernorm.weight`, settings));
  return add(m.graph, middle, m.rmsNorm(mlp(middle), `${p}.post_feedforward_layernorm.weight`, settings));
}

/** @returns q [T, heads · d], k and v [T, keyHeads · d] */
export function queryKeyValue(m: ModelBuilder, p: string, h: Value): Value[] {
  return m.project(h, [`${p}.self_attn.q_proj`, `${p}.self_attn.k_proj`, `${p}.self_attn.v_proj`]);
}

export function outputProjection(m: ModelBuilder, p: string, mixed: Value): Value {
  return m.project(mixed, [`${p}.self_attn.o_proj`])[0];
}

/** down(activation(gate h) · up h). */
export function gatedMlp(m: ModelBuilder, p: string, h: Value, activation: Activation): Value {
  const [gate, up] = m.project(h, [`${p}.mlp.gate_proj`, `${p}.mlp.up_proj`]);
  return m.project(gated(m.graph, gate, up, activation), [`${p}.mlp.down_proj`])[0];
}

/** Of causal attention over the config's heads; the scale is 1/√d unless said. */
export function headSettings(c: DecoderConfig, more: Partial<AttentionSettings> = {}): AttentionSettings {
  return {
    heads: c.num_attention_heads,
    keyHeads: c.num_key_value_heads,
    headDim: c.head_dim,
    scale: 1 / Math.sqrt(c.head_dim),
    ...more,
  };
}
