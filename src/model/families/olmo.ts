/**
 * OLMo 2 and OLMo 3 (arXiv:2501.00656, modeling_olmo3.py): Llama with norms after the sublayers only, and q
 * and k normalised over their whole width, all heads at once. OLMo 3 adds windows in three of four layers,
 * and its full layers may have rotary settings of their own.
 */
import type { Architecture } from '../architecture.ts';
import { ConfigReader, type ModelConfigJson } from '../config.ts';
import {
  decoderStack,
  gatedMlp,
  headSettings,
  outputProjection,
  postNormBlock,
  queryKeyValue,
} from '../decoderBlocks.ts';
import { layerWindows, readDecoder, type DecoderConfig } from '../decoderConfig.ts';
import { attentionTensors, decoderTensors, mlpTensors, norm } from '../decoderTensors.ts';
import { nestedRopes, readRope, type RopeSettings } from '../ropeConfig.ts';

export interface OlmoConfig extends DecoderConfig {
  attention_bias: boolean;
  /** Keys that each layer's queries see; 0: all. */
  windows: number[];
  /** Of the layers within a window. */
  localRope: RopeSettings;
  /** Of the layers that see all. */
  globalRope: RopeSettings;
}

function readOlmo(read: ConfigReader): DecoderConfig & { attention_bias: boolean } {
  read.choice('hidden_act', ['silu'], 'silu');
  const decoder = readDecoder(read, {
    max_position_embeddings: 2048,
    rms_norm_eps: 1e-5,
    tie_word_embeddings: false,
  });
  return { ...decoder, attention_bias: read.boolean('attention_bias', false) };
}

function olmo(modelType: string, parse: (json: ModelConfigJson) => OlmoConfig): Architecture<OlmoConfig> {
  return {
    modelType,
    parse,
    tensors: (c) =>
      decoderTensors(c, (p) => [
        ...attentionTensors(p, c, c.attention_bias),
        norm(`${p}.self_attn.q_norm`, c.num_attention_heads * c.head_dim),
        norm(`${p}.self_attn.k_norm`, c.num_key_value_heads * c.head_dim),
        norm(`${p}.post_attention_layernorm`, c.hidden_size),
        ...mlpTensors(p, c),
        norm(`${p}.post_feedforward_layernorm`, c.hidden_size),
      ]),

    forward(m, c) {
      const settings = { eps: c.rms_norm_eps };
      return decoderStack(m, c, settings, (x, p, i) =>
        postNormBlock(m, x, p, settings, {
          attention(h) {
            const [q, k, v] = queryKeyValue(m, p, h);
            const normed = [
              m.rmsNorm(q, `${p}.self_attn.q_norm.weight`, settings),
              m.rmsNorm(k, `${p}.self_attn.k_norm.weight`, settings),
            ];
            const rope = c.windows[i] > 0 ? c.localRope : c.globalRope;
            const [queries, keys] = m.rope(normed, rope, c.head_dim);
            const heads = headSettings(c, { window: c.windows[i] });
            return outputProjection(m, p, m.attend(i, queries, keys, v, heads));
          },
          mlp: (h) => gatedMlp(m, p, h, 'silu'),
        }),
      );
    },
  };
}

export const olmo2 = olmo('olmo2', (json) => {
  const read = new ConfigReader(json, 'olmo2');
  const decoder = readOlmo(read);
  const rope = readRope(read, decoder);
  return {
    ...decoder,
    windows: Array.from({ length: decoder.num_hidden_layers }, () => 0),
    localRope: rope,
    globalRope: rope,
  };
});

export const olmo3 = olmo('olmo3', (json) => {
  const read = new ConfigReader(json, 'olmo3');
  const decoder = readOlmo(read);
  const layers = decoder.num_hidden_layers;
  const window = read.integerOrNull('sliding_window', 4096);
  const ropes = nestedRopes(read, decoder, { theta: 500000 });
  return {
    ...decoder,
    windows: layerWindows(read, layers, window, (i) => (i + 1) % 4 !== 0),
    localRope: ropes.sliding,
    globalRope: ropes.full,
  };
});
