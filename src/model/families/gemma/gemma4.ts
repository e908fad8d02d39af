/**
 * Gemma 4, the dense text model (modeling_gemma4.py): Gemma 3 with plain norms (times w), scores that are not
 * scaled, values normalised without a weight, full layers with wider heads of which a part rotates; the last
 * layers read the keys and values of the last layer of their kind before them. Each layer gets an embedding
 * of the token of its own, and ends in a scalar.
 */
import { add } from '../../../ops/elementwise/add.ts';
import { gated } from '../../../ops/elementwise/gated.ts';
import { scale } from '../../../ops/elementwise/scale.ts';
import { scaleByWeight } from '../../../ops/elementwise/scaleByWeight.ts';
import type { Value } from '../../../graph/value.ts';
import type { Architecture } from '../../architecture.ts';
import type { ModelBuilder } from '../../builder.ts';
import { ConfigReader, type TensorRequirement } from '../../config.ts';
import { gatedMlp, outputProjection } from '../../decoderBlocks.ts';
import { readDecoder, type DecoderConfig } from '../../decoderConfig.ts';
import { decoderTensors, linear, mlpTensors, norm } from '../../decoderTensors.ts';
import { ropeOf, type RopeSettings } from '../../ropeConfig.ts';
import { readLayers, type LayerKind, type LayerShape } from './gemma4Layers.ts';

export interface Gemma4Config extends DecoderConfig {
  attention_bias: boolean;
  /** Full layers take their values from the key projection. */
  attention_k_eq_v: boolean;
  layers: LayerShape[];
  /** Keys that each layer's queries see; 0: all. */
  windows: number[];
  /** Width of each layer's own embedding; 0: there is none. */
  hidden_size_per_layer_input: number;
  vocab_size_per_layer_input: number;
  localRope: RopeSettings;
  globalRope: RopeSettings;
}

/** What the configuration class takes where config.json has no rope settings. */
const DEFAULT_ROPES = {
  sliding_attention: { rope_type: 'default', rope_theta: 10000 },
  full_attention: { rope_type: 'proportional', partial_rotary_factor: 0.25, rope_theta: 1e6 },
};

export const gemma4: Architecture<Gemma4Config> = {
  modelType: 'gemma4_text',

  parse(json) {
    const read = new ConfigReader(json, 'gemma4_text');
    read.choice('hidden_activation', ['gelu_pytorch_tanh'], 'gelu_pytorch_tanh');
    if (json.use_bidirectional_attention === 'all')
      read.fail('"use_bidirectional_attention" is "all"; only causal attention is supported');
    if (read.boolean('enable_moe_block', false))
      read.fail('"enable_moe_block" is true: a mixture of experts is not supported');
    const decoder = readDecoder(read, {
      num_key_value_heads: 4,
      head_dim: 256,
      max_position_embeddings: 131072,
      rms_norm_eps: 1e-6,
      tie_word_embeddings: true,
    });
    const layers = readLayers(read, decoder);
    const window = read.integer('sliding_window', 512);
    const ple = read.number('hidden_size_per_layer_input', 256);
    if (!Number.isInteger(ple) || ple < 0) read.fail(`"hidden_size_per_layer_input" is ${ple}`);
    const ropes = (json.rope_parameters ?? DEFAULT_ROPES) as Record<LayerKind, Record<string, unknown>>;
    const rope = (kind: LayerKind) =>
      ropeOf(
        read,
        ropes[kind] ?? DEFAULT_ROPES[kind],
        { ...decoder, head_dim: layers.find((layer) => layer.kind === kind)?.headDim ?? decoder.head_dim },
        { proportional: true },
      );
    return {
      ...decoder,
      attention_bias: read.boolean('attention_bias', false),
      attention_k_eq_v: read.boolean('attention_k_eq_v', false),
      final_logit_softcapping: read.numberOrNull('final_logit_softcapping', null) ?? 0,
      layers,
      windows: layers.map(({ kind }) => (kind === 'full_attention' ? 0 : window)),
      hidden_size_per_layer_input: ple,
      vocab_size_per_layer_input: read.integer('vocab_size_per_layer_input', 262144),
      localRope: rope('sliding_attention'),
      globalRope: rope('full_attention'),
    };
  },

  tensors(c) {
    const ple = c.hidden_size_per_layer_input;
    const all = c.num_hidden_layers * ple;
    const outside: TensorRequirement[] =
      ple === 0
        ? []
        : [
            {
              name: 'model.embed_tokens_per_layer.weight',
              shape: [c.vocab_size_per_layer_input, all],
              quantise: false,
              byRows: true,
            },
            {
              name: 'model.per_layer_model_projection.weight',
              shape: [all, c.hidden_size],
              quantise: false,
              linear: true,
            },
            norm('model.per_layer_projection_norm', ple),
          ];
    const layers = decoderTensors(c, (p, i) => [
      norm(`${p}.input_layernorm`, c.hidden_size),
      ...attentionTensors(p, c, c.layers[i]),
      norm(`${p}.post_attention_layernorm`, c.hidden_size),
      norm(`${p}.pre_feedforward_layernorm`, c.hidden_size),
      ...mlpTensors(p, { ...c, intermediate_size: c.layers[i].intermediate }),
      norm(`${p}.post_feedforward_layernorm`, c.hidden_size),
      { name: `${p}.layer_scalar`, shape: [1], quantise: false },
      ...(ple === 0
        ? []
        : [
            ...linear(`${p}.per_layer_input_gate`, ple, c.hidden_size),
            ...linear(`${p}.per_layer_projection`, c.hidden_size, ple),
            norm(`${p}.post_per_layer_input_norm`, c.hidden_size),
          ]),
    ]);
    return [...layers, ...outside];
  },

  forward(m, c) {
    const settings = { eps: c.rms_norm_eps };
    const embedded = m.embed('model.embed_tokens.weight', Math.sqrt(c.hidden_size), true);
    const perLayer = c.hidden_size_per_layer_input > 0 ? perLayerInputs(m, c, embedded) : [];
    /** Rotated keys and normalised values of the layers that others read. */
    const shared = new Map<number, [Value, Value]>();
    let x = embedded;
    for (let i = 0; i < c.num_hidden_layers; i++) {
      const p = `model.layers.${i}`;
      const normed = (value: Value, name: string) => m.rmsNorm(value, `${p}.${name}.weight`, settings);
      x = m.layer(() => {
        const mixed = attention(m, c, normed(x, 'input_layernorm'), p, i, shared);
        let y = add(m.graph, x, normed(mixed, 'post_attention_layernorm'));
        const down = gatedMlp(m, p, normed(y, 'pre_feedforward_layernorm'), 'gelu_tanh');
        y = add(m.graph, y, normed(down, 'post_feedforward_layernorm'));
        if (perLayer.length > 0) {
          const [gate] = m.project(y, [`${p}.per_layer_input_gate`]);
          const input = gated(m.graph, gate, perLayer[i], 'gelu_tanh');
          const [projected] = m.project(input, [`${p}.per_layer_projection`]);
          y = add(m.graph, y, normed(projected, 'post_per_layer_input_norm'));
        }
        return scaleByWeight(m.graph, y, m.weight(`${p}.layer_scalar`));
      });
    }
    return m.rmsNorm(x, 'model.norm.weight', settings);
  },
};

/** Each layer's [T, ple]: the token's own embedding and a projection of the model's, averaged. */
function perLayerInputs(m: ModelBuilder, c: Gemma4Config, embedded: Value): Value[] {
  const ple = c.hidden_size_per_layer_input;
  const [projection] = m.project(embedded, ['model.per_layer_model_projection']);
  const scaled = scale(m.graph, projection, 1 / Math.sqrt(c.hidden_size));
  const settings = { eps: c.rms_norm_eps };
  const normed = m.rmsNorm(scaled, 'model.per_layer_projection_norm.weight', settings);
  const own = m.embedFromStorage('model.embed_tokens_per_layer.weight', Math.sqrt(ple));
  const sum = scale(m.graph, add(m.graph, normed, own), Math.SQRT1_2);
  return m.split(sum, Array<number>(c.num_hidden_layers).fill(ple));
}

function attention(
  m: ModelBuilder,
  c: Gemma4Config,
  h: Value,
  p: string,
  i: number,
  shared: Map<number, [Value, Value]>,
): Value {
  const { kind, headDim, keyHeads, sharedFrom } = c.layers[i];
  const rope = kind === 'full_attention' ? c.globalRope : c.localRope;
  const settings = { eps: c.rms_norm_eps };
  const norm = (x: Value, name: string) => m.rmsNorm(x, `${p}.self_attn.${name}.weight`, settings);
  const heads = { heads: c.num_attention_heads, keyHeads, headDim, scale: 1, window: c.windows[i] };
  const module = (name: string) => `${p}.self_attn.${name}`;
  if (sharedFrom !== null) {
    const [q] = m.project(h, [module('q_proj')]);
    const [queries] = m.rope([norm(q, 'q_norm')], rope, headDim);
    const [keys, values] = shared.get(sharedFrom)!;
    return outputProjection(m, p, m.attendShared(sharedFrom, queries, keys, values, heads));
  }
  const keysAreValues = c.attention_k_eq_v && kind === 'full_attention';
  const [q, k, v = k] = m.project(h, ['q_proj', 'k_proj', ...(keysAreValues ? [] : ['v_proj'])].map(module));
  const [queries, keys] = m.rope([norm(q, 'q_norm'), norm(k, 'k_norm')], rope, headDim);
  const values = m.plainNorm(v, headDim, settings);
  shared.set(i, [keys, values]);
  return outputProjection(m, p, m.attend(i, queries, keys, values, heads));
}

function attentionTensors(p: string, c: Gemma4Config, layer: LayerShape): TensorRequirement[] {
  const { kind, headDim, keyHeads, sharedFrom } = layer;
  const bias = c.attention_bias;
  const keys = keyHeads * headDim;
  const own =
    sharedFrom !== null
      ? []
      : [
          ...linear(`${p}.self_attn.k_proj`, keys, c.hidden_size, bias),
          ...(c.attention_k_eq_v && kind === 'full_attention'
            ? []
            : linear(`${p}.self_attn.v_proj`, keys, c.hidden_size, bias)),
          norm(`${p}.self_attn.k_norm`, headDim),
        ];
  return [
    ...linear(`${p}.self_attn.q_proj`, c.num_attention_heads * headDim, c.hidden_size, bias),
    ...own,
    ...linear(`${p}.self_attn.o_proj`, c.hidden_size, c.num_attention_heads * headDim, bias),
    norm(`${p}.self_attn.q_norm`, headDim),
  ];
}
