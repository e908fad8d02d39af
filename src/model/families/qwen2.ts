/**
 * Qwen2 and Qwen2.5 (arXiv:2407.10671, 2412.15115): Llama with a bias on q, k and v; the upper layers have a
 * sliding window where the config asks for one.
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

export interface Qwen2Config extends DecoderConfig {
  /** Keys that each layer's queries see; 0: all. */
  windows: number[];
  rope: RopeSettings;
}

export const qwen2: Architecture<Qwen2Config> = {
  modelType: 'qwen2',

  parse(json) {
    const read = new ConfigReader(json, 'qwen2');
    read.choice('hidden_act', ['silu'], 'silu');
    const decoder = readDecoder(read, {
      num_key_value_heads: 32,
      max_position_embeddings: 32768,
      rms_norm_eps: 1e-6,
      tie_word_embeddings: false,
    });
    return {
      ...decoder,
      windows: readUpperWindows(read, decoder.num_hidden_layers),
      rope: readRope(read, decoder),
    };
  },

  tensors: (c) =>
    decoderTensors(c, (p) => [
      norm(`${p}.input_layernorm`, c.hidden_size),
      ...attentionTensors(p, c, true, false),
      norm(`${p}.post_attention_layernorm`, c.hidden_size),
      ...mlpTensors(p, c),
    ]),

  forward(m, c) {
    const settings = { eps: c.rms_norm_eps };
    return decoderStack(m, c, settings, (x, p, i) =>
      preNormBlock(m, x, p, settings, {
        attention(h) {
          const [q, k, v] = queryKeyValue(m, p, h);
          const [queries, keys] = m.rope([q, k], c.rope, c.head_dim);
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
