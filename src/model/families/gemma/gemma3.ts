/**
 * Gemma 3, the text model (arXiv:2503.19786): Gemma 2 without the cap on scores, with each head of q and k
 * normalised. Five layers with a window follow for each that sees all; the two kinds have different rotary
 * bases.
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
import { decoderTensors, norm } from '../../decoderTensors.ts';
import {
  gemmaEmbedding,
  gemmaNorm,
  gemmaTensors,
  readGemma,
  sandwichBlock,
  type GemmaConfig,
} from './gemmaCommon.ts';
import { ropeOf, type RopeSettings } from '../../ropeConfig.ts';

export interface Gemma3Config extends GemmaConfig {
  /** Of the layers within a window. */
  localRope: RopeSettings;
  /** Of the layers that see all. */
  globalRope: RopeSettings;
}

export const gemma3: Architecture<Gemma3Config> = {
  modelType: 'gemma3_text',

  parse(json) {
    const read = new ConfigReader(json, 'gemma3_text');
    const pattern = read.integer('sliding_window_pattern', read.integer('_sliding_window_pattern', 6));
    const gemma = readGemma(read, {
      max_position_embeddings: 131072,
      final_logit_softcapping: null,
      slides: (i) => (i + 1) % pattern !== 0,
    });
    // transformers 5 nests one dictionary for each kind of layer. transformers 4 has rope_theta and
    // rope_scaling for the global layers and rope_local_base_freq for the local ones.
    const nested = (json.rope_parameters ?? {}) as Record<string, Record<string, unknown> | null | undefined>;
    const local = { rope_theta: read.number('rope_local_base_freq', 10000), ...nested.sliding_attention };
    const global = { ...nested.full_attention, ...(json.rope_scaling as object | null) };
    return {
      ...gemma,
      localRope: ropeOf(read, local, gemma),
      globalRope: ropeOf(read, global, gemma, { rope_theta: 1e6 }),
    };
  },

  tensors: (c) =>
    decoderTensors(c, (p) => [
      ...gemmaTensors(p, c),
      norm(`${p}.self_attn.q_norm`, c.head_dim),
      norm(`${p}.self_attn.k_norm`, c.head_dim),
    ]),

  forward(m, c) {
    const settings = gemmaNorm(c);
    const scale = 1 / Math.sqrt(c.query_pre_attn_scalar);
    const layer: Layer = (x, p, i) =>
      sandwichBlock(m, x, p, c, {
        attention(h) {
          const [q, k, v] = queryKeyValue(m, p, h);
          const rope = c.windows[i] > 0 ? c.localRope : c.globalRope;
          const normed = [
            m.rmsNorm(q, `${p}.self_attn.q_norm.weight`, settings),
            m.rmsNorm(k, `${p}.self_attn.k_norm.weight`, settings),
          ];
          const [queries, keys] = m.rope(normed, rope, c.head_dim);
          return outputProjection(
            m,
            p,
            m.attend(i, queries, keys, v, headSettings(c, { scale, window: c.windows[i] })),
          );
        },
        mlp: (h) => gatedMlp(m, p, h, 'gelu_tanh'),
      });
    return decoderStack(m, c, settings, layer, () => gemmaEmbedding(m, c));
  },
};
