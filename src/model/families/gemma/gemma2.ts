/**
 * Gemma 2 (arXiv:2408.00118): the embedding is multiplied by √hidden, norms scale by 1 + w and stand before
 * and after attention and MLP, the MLP is GeGLU, scores and logits are soft-capped, every other layer attends
 * within a window, and scores are scaled by 1/√query_pre_attn_scalar.
 */
import type { Architecture } from '../../architecture.ts';
import {
  decoderStack,
  gatedMlp,
  headSettings,
  outputProjection,
  queryKeyValue,
  type Layer,
} from '../../decoderBlocks.ts';
import { ConfigReader } from '../../config.ts';
import { decoderTensors } from '../../decoderTensors.ts';
import {
  gemmaEmbedding,
  gemmaNorm,
  gemmaTensors,
  readGemma,
  sandwichBlock,
  type GemmaConfig,
} from './gemmaCommon.ts';
import { readRope, type RopeSettings } from '../../ropeConfig.ts';

export interface Gemma2Config extends GemmaConfig {
  /** Of attention scores; 0: none. */
  attn_logit_softcapping: number;
  rope: RopeSettings;
}

export const gemma2: Architecture<Gemma2Config> = {
  modelType: 'gemma2',

  parse(json) {
    const read = new ConfigReader(json, 'gemma2');
    const gemma = readGemma(read, {
      max_position_embeddings: 8192,
      final_logit_softcapping: 30,
      slides: (i) => i % 2 === 0,
    });
    return {
      ...gemma,
      attn_logit_softcapping: read.numberOrNull('attn_logit_softcapping', 50) ?? 0,
      rope: readRope(read, gemma),
    };
  },

  tensors: (c) => decoderTensors(c, (p) => gemmaTensors(p, c)),

  forward(m, c) {
    const scores = { scale: 1 / Math.sqrt(c.query_pre_attn_scalar), softcap: c.attn_logit_softcapping };
    const layer: Layer = (x, p, i) =>
      sandwichBlock(m, x, p, c, {
        attention(h) {
          const [q, k, v] = queryKeyValue(m, p, h);
          const [queries, keys] = m.rope([q, k], c.rope, c.head_dim);
          return outputProjection(
            m,
            p,
            m.attend(i, queries, keys, v, headSettings(c, { ...scores, window: c.windows[i] })),
          );
        },
        mlp: (h) => gatedMlp(m, p, h, 'gelu_tanh'),
      });
    return decoderStack(m, c, gemmaNorm(c), layer, () => gemmaEmbedding(m, c));
  },
};
