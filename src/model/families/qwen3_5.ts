/**
 * Qwen3.5, the dense text model (modeling_qwen3_5.py): three of four layers mix tokens by a gated delta net
 * (arXiv:2412.06464), the others by attention whose queries come with an output gate and rotate in a part of
 * each head. Norms multiply by 1 + w, but for the one behind the delta rule.
 */
import { deltaGates } from '../../ops/deltaRule/deltaGates.ts';
import type { DeltaHeads } from '../../ops/deltaRule/deltaOperands.ts';
import { activate } from '../../ops/elementwise/activate.ts';
import { addBias } from '../../ops/elementwise/addBias.ts';
import { gated } from '../../ops/elementwise/gated.ts';
import type { Value } from '../../graph/value.ts';
import type { Architecture } from '../architecture.ts';
import type { ModelBuilder } from '../builder.ts';
import { ConfigReader, type TensorRequirement } from '../config.ts';
import {
  decoderStack,
  gatedMlp,
  headSettings,
  outputProjection,
  preNormBlock,
  queryKeyValue,
} from '../decoderBlocks.ts';
import { layerKinds, readDecoder, type DecoderConfig } from '../decoderConfig.ts';
import { decoderTensors, linear, mlpTensors, norm } from '../decoderTensors.ts';
import { gatedDelta, shortConvolution } from '../recurrentMixers.ts';
import { readRope, type RopeSettings } from '../ropeConfig.ts';

type LayerKind = 'linear_attention' | 'full_attention';

export interface Qwen3_5Config extends DecoderConfig {
  attention_bias: boolean;
  layer_types: LayerKind[];
  /** Keys that each layer's queries see; 0: all, or a layer without queries. */
  windows: number[];
  /** Of the delta nets. */
  heads: DeltaHeads;
  /** Taps of the convolution before the delta rule. */
  linear_conv_kernel_dim: number;
  rope: RopeSettings;
}

/** Added to the sum of squares of q and k before the root (l2norm in modeling_qwen3_5.py). */
const L2_EPS = 1e-6;

export const qwen3_5: Architecture<Qwen3_5Config> = {
  modelType: 'qwen3_5_text',

  parse(json) {
    const read = new ConfigReader(json, 'qwen3_5_text');
    read.choice('hidden_act', ['silu'], 'silu');
    const decoder = readDecoder(read, {
      num_key_value_heads: 4,
      head_dim: 256,
      max_position_embeddings: 32768,
      rms_norm_eps: 1e-6,
      tie_word_embeddings: false,
    });
    const heads = {
      keyHeads: read.integer('linear_num_key_heads', 16),
      valueHeads: read.integer('linear_num_value_heads', 32),
      keyDim: read.integer('linear_key_head_dim', 128),
      valueDim: read.integer('linear_value_head_dim', 128),
    };
    if (heads.valueHeads % heads.keyHeads !== 0)
      read.fail(
        `linear_num_value_heads ${heads.valueHeads} is not a multiple of linear_num_key_heads ${heads.keyHeads}`,
      );
    const interval = read.integer('full_attention_interval', 4);
    return {
      ...decoder,
      attention_bias: read.boolean('attention_bias', false),
      layer_types: layerKinds<LayerKind>(
        read,
        decoder.num_hidden_layers,
        ['linear_attention', 'full_attention'],
        (i) => ((i + 1) % interval === 0 ? 'full_attention' : 'linear_attention'),
      ),
      windows: Array.from({ length: decoder.num_hidden_layers }, () => 0),
      heads,
      linear_conv_kernel_dim: read.integer('linear_conv_kernel_dim', 4),
      rope: readRope(read, decoder, { partial_rotary_factor: 0.25, partial: true }),
    };
  },

  tensors: (c) =>
    decoderTensors(c, (p, i) => [
      norm(`${p}.input_layernorm`, c.hidden_size),
      ...(c.layer_types[i] === 'full_attention' ? attentionTensors(p, c) : deltaNetTensors(p, c)),
      norm(`${p}.post_attention_layernorm`, c.hidden_size),
      ...mlpTensors(p, c),
    ]),

  forward(m, c) {
    const settings = { eps: c.rms_norm_eps, unitOffset: 1 } as const;
    return decoderStack(m, c, settings, (x, p, i) =>
      preNormBlock(m, x, p, settings, {
        attention: (h) =>
          c.layer_types[i] === 'full_attention' ? attention(m, c, h, p, i) : deltaNet(m, c, h, p, i),
        mlp: (h) => gatedMlp(m, p, h, 'silu'),
      }),
    );
  },
};

function attention(m: ModelBuilder, c: Qwen3_5Config, h: Value, p: string, i: number): Value {
  const settings = { eps: c.rms_norm_eps, unitOffset: 1 } as const;
  const [both, k, v] = queryKeyValue(m, p, h);
  const [q, gate] = m.split(both, [c.head_dim, c.head_dim], c.num_attention_heads);
  const normed = [
    m.rmsNorm(q, `${p}.self_attn.q_norm.weight`, settings),
    m.rmsNorm(k, `${p}.self_attn.k_norm.weight`, settings),
  ];
  const [queries, keys] = m.rope(normed, c.rope, c.head_dim);
  const mixed = m.attend(i, queries, keys, v, headSettings(c));
  return outputProjection(m, p, gated(m.graph, gate, mixed, 'sigmoid'));
}

function deltaNet(m: ModelBuilder, c: Qwen3_5Config, h: Value, p: string, i: number): Value {
  const { keyHeads, valueHeads, keyDim, valueDim } = c.heads;
  const part = (name: string) => `${p}.linear_attn.${name}`;
  const [qkv, z, b, a] = m.project(h, ['in_proj_qkv', 'in_proj_z', 'in_proj_b', 'in_proj_a'].map(part));
  const mixed = activate(m.graph, shortConvolution(m, i, qkv, part('conv1d')), 'silu');
  const [q, k, v] = m.split(mixed, [keyHeads * keyDim, keyHeads * keyDim, valueHeads * valueDim]);
  // x / √(Σ x² + ε) as an RMSNorm: 1/√d · x / √(mean x² + ε/d). The queries are scaled by a further 1/√d.
  const l2 = { eps: L2_EPS / keyDim };
  const [shifted] = addBias(m.graph, [a], [m.weight(part('dt_bias'))]);
  const o = gatedDelta(
    m,
    i,
    {
      q: m.plainNorm(q, keyDim, l2, 1 / keyDim),
      k: m.plainNorm(k, keyDim, l2, 1 / Math.sqrt(keyDim)),
      v,
      gates: deltaGates(m.graph, shifted, b, m.weight(part('A_log'))),
    },
    c.heads,
  );
  const normed = m.rmsNorm(o, part('norm.weight'), { eps: c.rms_norm_eps });
  return m.project(gated(m.graph, z, normed, 'silu'), [part('out_proj')])[0];
}

function attentionTensors(p: string, c: Qwen3_5Config): TensorRequirement[] {
  const heads = c.num_attention_heads * c.head_dim;
  const keys = c.num_key_value_heads * c.head_dim;
  const bias = c.attention_bias;
  return [
    ...linear(`${p}.self_attn.q_proj`, 2 * heads, c.hidden_size, bias),
    ...linear(`${p}.self_attn.k_proj`, keys, c.hidden_size, bias),
    ...linear(`${p}.self_attn.v_proj`, keys, c.hidden_size, bias),
    ...linear(`${p}.self_attn.o_proj`, c.hidden_size, heads, bias),
    norm(`${p}.self_attn.q_norm`, c.head_dim),
    norm(`${p}.self_attn.k_norm`, c.head_dim),
  ];
}

function deltaNetTensors(p: string, c: Qwen3_5Config): TensorRequirement[] {
  const { keyHeads, valueHeads, keyDim, valueDim } = c.heads;
  const mixed = 2 * keyHeads * keyDim + valueHeads * valueDim;
  const part = (name: string) => `${p}.linear_attn.${name}`;
  return [
    ...linear(part('in_proj_qkv'), mixed, c.hidden_size),
    ...linear(part('in_proj_z'), valueHeads * valueDim, c.hidden_size),
    ...linear(part('in_proj_b'), valueHeads, c.hidden_size),
    ...linear(part('in_proj_a'), valueHeads, c.hidden_size),
    { name: part('conv1d.weight'), shape: [mixed, 1, c.linear_conv_kernel_dim], quantise: false },
    { name: part('A_log'), shape: [valueHeads], quantise: false },
    { name: part('dt_bias'), shape: [valueHeads], quantise: false },
    norm(part('norm'), valueDim),
    ...linear(part('out_proj'), c.hidden_size, valueHeads * valueDim),
  ];
}
