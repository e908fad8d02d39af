/**
 * Granite 3 and 4 dense (modeling_granite.py): Llama with four multipliers: of the embedding, of attention
 * scores in place of 1/√d, of each residual branch, and a divisor of the logits.
 */
import { scale } from '../../ops/elementwise/scale.ts';
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

export interface GraniteConfig extends DecoderConfig {
  attention_bias: boolean;
  mlp_bias: boolean;
  embedding_multiplier: number;
  attention_multiplier: number;
  residual_multiplier: number;
  /** Logits are divided by it. */
  logits_scaling: number;
  rope: RopeSettings;
}

export const granite: Architecture<GraniteConfig> = {
  modelType: 'granite',

  parse(json) {
    const read = new ConfigReader(json, 'granite');
    read.choice('hidden_act', ['silu'], 'silu');
    const decoder = readDecoder(read, {
      max_position_embeddings: 2048,
      rms_norm_eps: 1e-6,
      tie_word_embeddings: false,
    });
    const multiplier = (key: string) => read.number(key, 1);
    const logits_scaling = multiplier('logits_scaling');
    if (logits_scaling === 0) read.fail('"logits_scaling" is 0, and logits are divided by it');
    return {
      ...decoder,
      attention_bias: read.boolean('attention_bias', false),
      mlp_bias: read.boolean('mlp_bias', false),
      embedding_multiplier: multiplier('embedding_multiplier'),
      attention_multiplier: multiplier('attention_multiplier'),
      residual_multiplier: multiplier('residual_multiplier'),
      logits_scaling,
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
    const heads = headSettings(c, { scale: c.attention_multiplier });
    const branch = (y: ReturnType<typeof scale>) => scale(m.graph, y, c.residual_multiplier);
    const hidden = decoderStack(
      m,
      c,
      settings,
      (x, p, i) =>
        preNormBlock(m, x, p, settings, {
          attention(h) {
            const [q, k, v] = queryKeyValue(m, p, h);
            const [queries, keys] = m.rope([q, k], c.rope, c.head_dim);
            return branch(outputProjection(m, p, m.attend(i, queries, keys, v, heads)));
          },
          mlp: (h) => branch(gatedMlp(m, p, h, 'silu')),
        }),
      () => m.embed('model.embed_tokens.weight', c.embedding_multiplier),
    );
    return scale(m.graph, hidden, 1 / c.logits_scaling);
  },
};
