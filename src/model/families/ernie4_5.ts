/**
 * ERNIE 4.5, dense (modeling_ernie4_5.py): Llama whose rotary pairs are neighbours, with one switch for all
 * biases.
 */
import type { Architecture } from '../architecture.ts';
import { ConfigReader } from '../config.ts';
import {
  decoderStack,
  gatedMlp,
  headSettings,
  outputProjection,
  preNormBlock,
  queryKeyValue,
} from '../decoderBlocks.ts';
import { readDecoder, type DecoderConfig } from '../decoderConfig.ts';
import { attentionTensors, decoderTensors, mlpTensors, norm } from '../decoderTensors.ts';
import { readRope, type RopeSettings } from '../ropeConfig.ts';

export interface Ernie45Config extends DecoderConfig {
  use_bias: boolean;
  rope: RopeSettings;
}

export const ernie4_5: Architecture<Ernie45Config> = {
  modelType: 'ernie4_5',

  parse(json) {
    const read = new ConfigReader(json, 'ernie4_5');
    read.choice('hidden_act', ['silu'], 'silu');
    const decoder = readDecoder(read, {
      num_key_value_heads: 2,
      head_dim: 128,
      max_position_embeddings: 131072,
      rms_norm_eps: 1e-5,
      tie_word_embeddings: true,
    });
    return {
      ...decoder,
      use_bias: read.boolean('use_bias', false),
      rope: { ...readRope(read, decoder, { rope_theta: 500000 }), interleaved: true },
    };
  },

  tensors: (c) =>
    decoderTensors(c, (p) => [
      norm(`${p}.input_layernorm`, c.hidden_size),
      ...attentionTensors(p, c, c.use_bias),
      norm(`${p}.post_attention_layernorm`, c.hidden_size),
      ...mlpTensors(p, c, c.use_bias),
    ]),

  forward(m, c) {
    const settings = { eps: c.rms_norm_eps };
    return decoderStack(m, c, settings, (x, p, i) =>
      preNormBlock(m, x, p, settings, {
        attention(h) {
          const [q, k, v] = queryKeyValue(m, p, h);
          const [queries, keys] = m.rope([q, k], c.rope, c.head_dim);
          return outputProjection(m, p, m.attend(i, queries, keys, v, headSettings(c)));
        },
        mlp: (h) => gatedMlp(m, p, h, 'silu'),
      }),
    );
  },
};
