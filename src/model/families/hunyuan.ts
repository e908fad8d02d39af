/**
 * HunYuan, dense (modeling_hunyuan_v1_dense.py): Llama whose q and k are normalised a head after rotation;
 * its rotary base is stretched by a fixed `alpha`, which its configs call "dynamic".
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

export interface HunYuanConfig extends DecoderConfig {
  attention_bias: boolean;
  rope: RopeSettings;
}

export const hunyuan: Architecture<HunYuanConfig> = {
  modelType: 'hunyuan_v1_dense',

  parse(json) {
    const read = new ConfigReader(json, 'hunyuan_v1_dense');
    read.choice('hidden_act', ['silu'], 'silu');
    const decoder = readDecoder(read, {
      max_position_embeddings: 2048,
      rms_norm_eps: 1e-5,
      tie_word_embeddings: false,
    });
    return {
      ...decoder,
      attention_bias: read.boolean('attention_bias', false),
      rope: readRope(read, decoder, { alpha: true }),
    };
  },

  tensors: (c) =>
    decoderTensors(c, (p) => [
      norm(`${p}.input_layernorm`, c.hidden_size),
      ...attentionTensors(p, c, c.attention_bias),
      norm(`${p}.self_attn.query_layernorm`, c.head_dim),
      norm(`${p}.self_attn.key_layernorm`, c.head_dim),
      norm(`${p}.post_attention_layernorm`, c.hidden_size),
      ...mlpTensors(p, c),
    ]),

  forward(m, c) {
    const settings = { eps: c.rms_norm_eps };
    return decoderStack(m, c, settings, (x, p, i) =>
      preNormBlock(m, x, p, settings, {
        attention(h) {
          const [q, k, v] = queryKeyValue(m, p, h);
          const [rotatedQ, rotatedK] = m.rope([q, k], c.rope, c.head_dim);
          const queries = m.rmsNorm(rotatedQ, `${p}.self_attn.query_layernorm.weight`, settings);
          const keys = m.rmsNorm(rotatedK, `${p}.self_attn.key_layernorm.weight`, settings);
          return outputProjection(m, p, m.attend(i, queries, keys, v, headSettings(c)));
        },
        mlp: (h) => gatedMlp(m, p, h, 'silu'),
      }),
    );
  },
};
