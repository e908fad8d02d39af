/**
 * LFM2 and LFM3 (arXiv:2511.23404, modeling_lfm2.py, modeling_lfm3.py): most layers mix tokens by a short
 * causal convolution between two gates, y = out(C · conv(B · x)) with B, C and x from one projection; the
 * others by attention with q and k normalised a head. LFM3 adds norms after both sublayers, an output gate a
 * head, windows, and a rotary base a kind of layer.
 */
import { add } from '../../ops/elementwise/add.ts';
import { gated } from '../../ops/elementwise/gated.ts';
import { headGate } from '../../ops/elementwise/headGate.ts';
import type { Value } from '../../graph/value.ts';
import type { Architecture } from '../architecture.ts';
import type { ModelBuilder } from '../builder.ts';
import { ConfigReader, type ModelConfigJson, type TensorRequirement } from '../config.ts';
import { headSettings, queryKeyValue } from '../decoderBlocks.ts';
import { layerKinds, readDecoder, type DecoderConfig } from '../decoderConfig.ts';
import { attentionProjections, linear, norm } from '../decoderTensors.ts';
import { shortConvolution } from '../recurrentMixers.ts';
import { readRope, ropeOf, type RopeSettings } from '../ropeConfig.ts';

type LayerKind = 'conv' | 'full_attention' | 'sliding_attention';

export interface LfmConfig extends DecoderConfig {
  layer_types: LayerKind[];
  /** Taps of the convolution. */
  conv_L_cache: number;
  conv_bias: boolean;
  attention_bias: boolean;
  /** Keys that each layer's queries see; 0: all, or a layer without queries. */
  windows: number[];
  use_sandwich_norm: boolean;
  use_attention_gate: boolean;
  /** Of the layers within a window. */
  localRope: RopeSettings;
  /** Of the layers that see all. */
  globalRope: RopeSettings;
}

/** Last parts of the tensors' names, in which the two differ. */
interface Names {
  qNorm: string;
  kNorm: string;
  output: string;
}

const LFM2_NAMES: Names = { qNorm: 'q_layernorm', kNorm: 'k_layernorm', output: 'out_proj' };
const LFM3_NAMES: Names = { qNorm: 'q_norm', kNorm: 'k_norm', output: 'o_proj' };

function attentionLayer(m: ModelBuilder, c: LfmConfig, names: Names, h: Value, p: string, i: number): Value {
  const settings = { eps: c.rms_norm_eps };
  const [q, k, v, ...gate] = c.use_attention_gate
    ? m.project(
        h,
        ['q_proj', 'k_proj', 'v_proj', 'g_proj'].map((name) => `${p}.self_attn.${name}`),
      )
    : queryKeyValue(m, p, h);
  const normed = [
    m.rmsNorm(q, `${p}.self_attn.${names.qNorm}.weight`, settings),
    m.rmsNorm(k, `${p}.self_attn.${names.kNorm}.weight`, settings),
  ];
  const window = c.windows[i];
  const [queries, keys] = m.rope(normed, window > 0 ? c.localRope : c.globalRope, c.head_dim);
  const mixed = m.attend(i, queries, keys, v, headSettings(c, { window }));
  const output = gate.length > 0 ? headGate(m.graph, mixed, gate[0]) : mixed;
  return m.project(output, [`${p}.self_attn.${names.output}`])[0];
}

function convolutionLayer(m: ModelBuilder, c: LfmConfig, h: Value, p: string, i: number): Value {
  const widths = [c.hidden_size, c.hidden_size, c.hidden_size];
  const [before, after, x] = m.split(m.project(h, [`${p}.conv.in_proj`])[0], widths);
  const mixed = shortConvolution(m, i, gated(m.graph, before, x, 'identity'), `${p}.conv.conv`);
  return m.project(gated(m.graph, after, mixed, 'identity'), [`${p}.conv.out_proj`])[0];
}

function lfm(
  modelType: string,
  names: Names,
  parse: (json: ModelConfigJson) => LfmConfig,
): Architecture<LfmConfig> {
  return {
    modelType,
    parse,
    tensors(c) {
      const layer = (p: string, kind: LayerKind): TensorRequirement[] => [
        norm(`${p}.operator_norm`, c.hidden_size),
        ...(kind === 'conv' ? convolutionTensors(p, c) : attentionTensors(p, c, names)),
        ...(c.use_sandwich_norm ? [norm(`${p}.post_operator_norm`, c.hidden_size)] : []),
        norm(`${p}.ffn_norm`, c.hidden_size),
        ...linear(`${p}.feed_forward.w1`, c.intermediate_size, c.hidden_size),
        ...linear(`${p}.feed_forward.w3`, c.intermediate_size, c.hidden_size),
        ...linear(`${p}.feed_forward.w2`, c.hidden_size, c.intermediate_size),
        ...(c.use_sandwich_norm ? [norm(`${p}.post_ffn_norm`, c.hidden_size)] : []),
      ];
      const table = (name: string) => ({ name, shape: [c.vocab_size, c.hidden_size], quantise: false });
      return [
        table('model.embed_tokens.weight'),
        ...c.layer_types.flatMap((kind, i) => layer(`model.layers.${i}`, kind)),
        norm('model.embedding_norm', c.hidden_size),
        ...(c.tie_word_embeddings ? [] : [table('lm_head.weight')]),
      ];
    },

    forward(m, c) {
      const settings = { eps: c.rms_norm_eps };
      const after = (y: Value, name: string) =>
        c.use_sandwich_norm ? m.rmsNorm(y, `${name}.weight`, settings) : y;
      let x = m.embed('model.embed_tokens.weight');
      for (let i = 0; i < c.num_hidden_layers; i++) {
        const p = `model.layers.${i}`;
        x = m.layer(() => {
          const h = m.rmsNorm(x, `${p}.operator_norm.weight`, settings);
          const mixed =
            c.layer_types[i] === 'conv'
              ? convolutionLayer(m, c, h, p, i)
              : attentionLayer(m, c, names, h, p, i);
          const middle = add(m.graph, x, after(mixed, `${p}.post_operator_norm`));
          const inner = m.rmsNorm(middle, `${p}.ffn_norm.weight`, settings);
          const [gate, up] = m.project(inner, [`${p}.feed_forward.w1`, `${p}.feed_forward.w3`]);
          const [down] = m.project(gated(m.graph, gate, up, 'silu'), [`${p}.feed_forward.w2`]);
          return add(m.graph, middle, after(down, `${p}.post_ffn_norm`));
        });
      }
      return m.rmsNorm(x, 'model.embedding_norm.weight', settings);
    },
  };
}

function convolutionTensors(p: string, c: LfmConfig): TensorRequirement[] {
  const taps = { name: `${p}.conv.conv.weight`, shape: [c.hidden_size, 1, c.conv_L_cache], quantise: false };
  const bias = { name: `${p}.conv.conv.bias`, shape: [c.hidden_size], quantise: false };
  return [
    taps,
    ...(c.conv_bias ? [bias] : []),
    ...linear(`${p}.conv.in_proj`, 3 * c.hidden_size, c.hidden_size, c.conv_bias),
    ...linear(`${p}.conv.out_proj`, c.hidden_size, c.hidden_size, c.conv_bias),
  ];
}

function attentionTensors(p: string, c: LfmConfig, names: Names): TensorRequirement[] {
  const gate = linear(`${p}.self_attn.g_proj`, c.num_attention_heads, c.hidden_size);
  return [
    ...attentionProjections(p, c, { bias: c.attention_bias, output: names.output }),
    // The module is g_proj, by which PEFT names its adapter; the checkpoint says gate_proj.
    ...(c.use_attention_gate
      ? gate.map((tensor) => ({ ...tensor, storedAs: tensor.name.replace('.g_proj.', '.gate_proj.') }))
      : []),
    norm(`${p}.self_attn.${names.qNorm}`, c.head_dim),
    norm(`${p}.self_attn.${names.kNorm}`, c.head_dim),
  ];
}

/** `norm_eps` in place of `rms_norm_eps`, and LFM2's older names. */
function withPlainNames(json: ModelConfigJson): ModelConfigJson {
  return {
    ...json,
    rms_norm_eps: json.norm_eps,
    tie_word_embeddings: json.tie_embedding ?? json.tie_word_embeddings,
    intermediate_size: json.block_ff_dim ?? json.intermediate_size,
  };
}

/** LFM2's width of the MLP: two thirds of what the config says, times a factor, rounded up to a multiple. */
function adjustedWidth(read: ConfigReader, intermediate_size: number): number {
  if (!read.boolean('block_auto_adjust_ff_dim', true)) return intermediate_size;
  const two_thirds = Math.trunc((2 * intermediate_size) / 3);
  const factor = read.numberOrNull('block_ffn_dim_multiplier', 1);
  if (factor === null) return two_thirds;
  const multiple = read.integer('block_multiple_of', 256);
  return multiple * Math.ceil(Math.trunc(factor * two_thirds) / multiple);
}

export const lfm2 = lfm('lfm2', LFM2_NAMES, (json) => {
  const read = new ConfigReader(withPlainNames(json), 'lfm2');
  const decoder = readDecoder(read, {
    num_key_value_heads: 8,
    max_position_embeddings: 128000,
    rms_norm_eps: 1e-5,
    tie_word_embeddings: true,
  });
  const attends = json.full_attn_idxs as number[] | null | undefined;
  if (attends != null && !Array.isArray(attends)) read.fail('"full_attn_idxs" must be a list of layers');
  const rope = readRope(read, decoder, { rope_theta: 1e6 });
  return {
    ...decoder,
    intermediate_size: adjustedWidth(read, decoder.intermediate_size),
    layer_types: layerKinds(read, decoder.num_hidden_layers, ['conv', 'full_attention'], (i) =>
      attends == null || attends.includes(i) ? 'full_attention' : 'conv',
    ),
    conv_L_cache: read.integer('conv_L_cache', 3),
    conv_bias: read.boolean('conv_bias', false),
    attention_bias: false,
    windows: Array.from({ length: decoder.num_hidden_layers }, () => 0),
    use_sandwich_norm: false,
    use_attention_gate: false,
    localRope: rope,
    globalRope: rope,
  };
});

/** What LFM3's configuration class takes where config.json has no rope settings. */
const LFM3_ROPES = {
  sliding_attention: { rope_type: 'default', rope_theta: 10000 },
  full_attention: { rope_type: 'proportional', rope_theta: 1e6, partial_rotary_factor: 0.5 },
};

export const lfm3 = lfm('lfm3', LFM3_NAMES, (json) => {
  const read = new ConfigReader(withPlainNames(json), 'lfm3');
  const decoder = readDecoder(read, {
    num_key_value_heads: 4,
    head_dim: 128,
    max_position_embeddings: 128000,
    rms_norm_eps: 1e-5,
    tie_word_embeddings: true,
  });
  const layer_types = layerKinds(
    read,
    decoder.num_hidden_layers,
    ['conv', 'full_attention', 'sliding_attention'],
    (i) => (i % 4 === 2 ? 'full_attention' : i % 4 === 0 && i > 0 ? 'sliding_attention' : 'conv'),
  );
  const given = (json.rope_parameters ?? LFM3_ROPES) as Record<string, Record<string, unknown> | undefined>;
  const rope = (kind: LayerKind) =>
    ropeOf(read, given[kind] ?? given, decoder, { rope_theta: 1e6, proportional: true });
  const sliding_window = read.integerOrNull('sliding_window', 256);
  if (sliding_window === null && layer_types.includes('sliding_attention'))
    read.fail('layers are of sliding attention, but the config gives no "sliding_window"');
  return {
    ...decoder,
    layer_types,
    conv_L_cache: read.integer('conv_L_cache', 7),
    conv_bias: read.boolean('conv_bias', false),
    attention_bias: read.boolean('attention_bias', false),
    windows: layer_types.map((kind) => (kind === 'sliding_attention' ? sliding_window! : 0)),
    use_sandwich_norm: read.boolean('use_sandwich_norm', true),
    use_attention_gate: read.boolean('use_attention_gate', true),
    localRope: rope('sliding_attention'),
    globalRope: rope('full_attention'),
  };
});
