/**
 * Mistral (arXiv:2310.06825): Llama with attention over a sliding window, in every layer, where the config
 * has one.
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

export interface MistralConfig extends DecoderConfig {
  /** Keys that a query sees; null: all. */
  sliding_window: number | null;
  rope: RopeSettings;
}

export const mistral: Architecture<MistralConfig> = {
  modelType: 'mistral',

  parse(json) {
    const read = new ConfigReader(json, 'mistral');
    read.choice('hidden_act', ['silu'], 'silu');
    const decoder = readDecoder(read, {
      num_key_value_heads: 8,
      max_position_embeddings: 131072,
      rms_norm_eps: 1e-6,
      tie_word_embeddings: false,
    });
    return {
      ...decoder,
      sliding_window: read.integerOrNull('sliding_window', 4096),
      rope: readRope(read, decoder),
    };
  },

  tensors: (c) =>
    decoderTensors(c, (p) => [
      norm(`${p}.input_layernorm`, c.hidden_size),
      ...attentionTensors(p, c, false),
      norm(`${p}.post_attention_layernorm`, c.hidden_size),
      ...mlpTensors(p, c),
    ]),

  forward(m, c) {
    const settings = { eps: c.rms_norm_eps };
    const heads = headSettings(c, { window: c.sliding_window ?? 0 });
    return decoderStack(m, c, settings, (x, p, i) =>
      preNormBlock(m, x, p, settings, {
        attention(h) {
          const [q, k, v] = queryKeyValue(m, p, h);
          const [queries, keys] = m.rope([q, k], c.rope, c.head_dim);
          return outputProjection(m, p, m.attend(i, queries, keys, v, heads));
        },
        mlp: (h) => gatedMlp(m, p, h, 'silu'),
      }),
    );
  },
};
