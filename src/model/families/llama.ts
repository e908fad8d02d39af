/**
 * Llama (arXiv:2302.13971, 2407.21783): Llama 2 and 3.x, TinyLlama, SmolLM2 and whatever else says model_type
 * "llama".
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
import { readDecoder, type DecoderConfig } from '../decoderConfig.ts';
import { attentionTensors, decoderTensors, mlpTensors, norm } from '../decoderTensors.ts';
import { readRope, type RopeSettings } from '../ropeConfig.ts';

export interface LlamaConfig extends DecoderConfig {
  attention_bias: boolean;
  mlp_bias: boolean;
  rope: RopeSettings;
}

export const llama: Architecture<LlamaConfig> = {
  modelType: 'llama',

  parse(json) {
    const read = new ConfigReader(json, 'llama');
    read.choice('hidden_act', ['silu'], 'silu');
    const decoder = readDecoder(read, {
      max_position_embeddings: 2048,
      rms_norm_eps: 1e-6,
      tie_word_embeddings: false,
    });
    return {
      ...decoder,
      attention_bias: read.boolean('attention_bias', false),
      mlp_bias: read.boolean('mlp_bias', false),
      rope: readRope(read, decoder),
    };
  },

  tensors: (c) =>
    decoderTensors(c, (p) => [
      norm(`${p}.input_layernorm`, c.hidden_size),
      ...attentionTensors(p, c, c.attention_bias),
      norm(`${p}.post_attention_layernorm`, c.hidden_size),
      ...mlpTensors(p, c, c.mlp_bias),
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
