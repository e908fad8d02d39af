/**
 * EXAONE 4 (arXiv:2507.11407): norms after the sublayers only, each head of q and k normalised; three of four
 * layers within a window, and those that see all are then without rotary embedding.
 */
import type { Architecture } from '../architecture.ts';
import { ConfigReader } from '../config.ts';
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
import { readRope, type RopeSettings } from '../ropeConfig.ts';

export interface Exaone4Config extends DecoderConfig {
  /** Keys that each layer's queries see; 0: all. */
  windows: number[];
  /** Whether each layer rotates its queries and keys. */
  rotates: boolean[];
  rope: RopeSettings;
}

export const exaone4: Architecture<Exaone4Config> = {
  modelType: 'exaone4',

  parse(json) {
    const read = new ConfigReader(json, 'exaone4');
    read.choice('hidden_act', ['silu'], 'silu');
    const decoder = readDecoder(read, {
      num_key_value_heads: 32,
      max_position_embeddings: 2048,
      rms_norm_eps: 1e-5,
      tie_word_embeddings: false,
    });
    const window = read.integerOrNull('sliding_window', 4096);
    const slides = window === null ? () => false : slidingPattern(read);
    const windows = layerWindows(read, decoder.num_hidden_layers, window, slides);
    return {
      ...decoder,
      windows,
      rotates: windows.map((size) => window === null || size > 0),
      rope: readRope(read, decoder),
    };
  },

  tensors: (c) =>
    decoderTensors(c, (p) => [
      ...attentionTensors(p, c, false),
      norm(`${p}.self_attn.q_norm`, c.head_dim),
      norm(`${p}.self_attn.k_norm`, c.head_dim),
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
          const [queries, keys] = c.rotates[i] ? m.rope(normed, c.rope, c.head_dim) : normed;
          const heads = headSettings(c, { window: c.windows[i] });
          return outputProjection(m, p, m.attend(i, queries, keys, v, heads));
        },
        mlp: (h) => gatedMlp(m, p, h, 'silu'),
      }),
    );
  },
};

/**
 * `sliding_window_pattern`: every n-th layer sees all. transformers reads letters ("LLLG") from `layer_types`
 * only.
 */
function slidingPattern(read: ConfigReader): (layer: number) => boolean {
  if (read.json.layer_types != null) return () => false;
  const every = read.integer('sliding_window_pattern', 4);
  return (layer) => (layer + 1) % every !== 0;
}
