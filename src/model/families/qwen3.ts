/**
 * Qwen3 (arXiv:2505.09388), dense: q, k and v have no bias, each head of q and k is normalised before
 * rotation, and head_dim is independent of hidden / heads.
 */
import type { Architecture } from '../architecture.ts';
import {
  decoderStack,
  gatedMlp,
  headSettings,
  outputProjection,
  preNormBlock,
  queryKeyValue,
} from '../decoderBlocks.ts';
import { ConfigReader } from '../config.ts';
import { readDecoder, readUpperWindows, type DecoderConfig } from '../decoderConfig.ts';
import { attentionTensors, decoderTensors, mlpTensors, norm } from '../decoderTensors.ts';
import { readRope, type RopeSettings } from '../ropeConfig.ts';

export interface Qwen3Config extends DecoderConfig {
  attention_bias: boolean;
  /** Keys that each layer's queries see; 0: all. */
  windows: number[];
  rope: RopeSettings;
}

export const qwen3: Architecture<Qwen3Config> = {
  modelType: 'qwen3',

  parse(json) {
    const read = new ConfigReader(json, 'qwen3');
    read.choice('hidden_act', ['silu'], 'silu');
    const decoder = readDecoder(read, {
      num_key_value_heads: 32,
      head_dim: 128,
      max_position_embeddings: 32768,
      rms_norm_eps: 1e-6,
      tie_word_embeddings: false,
    });
    return {
      ...decoder,
      attention_bias: read.boolean('attention_bias', false),
      windows: readUpperWindows(read, decoder.num_hidden_layers),
      rope: readRope(read, decoder),
    };
  },

  tensors: (c) =>
    decoderTensors(c, (p) => [
      norm(`${p}.input_layernorm`, c.hidden_size),
      ...attentionTensors(p, c, c.attention_bias),
      norm(`${p}.self_attn.q_norm`, c.head_dim),
      norm(`${p}.self_attn.k_norm`, c.head_dim),
      norm(`${p}.post_attention_layernorm`, c.hidden_size),
      ...mlpTensors(p, c),
    ]),

  forward(m, c) {
    const settings = { eps: c.rms_norm_eps };
    return decoderStack(m, c, settings, (x, p, i) =>
      preNormBlock(m, x, p, settings, {
        attention(h) {
          const [q, k, v] = queryKeyValue(m, p, h);
          const normed = [
            m.rmsNorm(q, `${p}.self_attn.q_norm.weight`, settings),
            m.rmsNorm(k, `${p}.self_attn.k_norm.weight`, settings),
          ];
          const [queries, keys] = m.rope(normed, c.rope, c.head_dim);
          return outputProjection(
            m,
            p,
            m.attend(i, queries, keys, v, headSettings(c, { window: c.windows[i] })),
          );
        },
        mlp: (h) => gatedMlp(m, p, h, 'silu'),
      }),
    );
  },
};
