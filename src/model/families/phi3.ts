/**
 * Phi-3, Phi-3.5 and Phi-4-mini (arXiv:2404.14219): Llama with one fused projection for q, k and v and one
 * for gate and up. Part of a head may be rotated, with LongRoPE.
 */
import { gated } from '../../ops/elementwise/gated.ts';
import type { Architecture } from '../architecture.ts';
import { decoderStack, headSettings, outputProjection, preNormBlock } from '../decoderBlocks.ts';
import { ConfigReader } from '../config.ts';
import { readDecoder, type DecoderConfig } from '../decoderConfig.ts';
import { decoderTensors, linear, norm } from '../decoderTensors.ts';
import { readRope, type RopeSettings } from '../ropeConfig.ts';

export interface Phi3Config extends DecoderConfig {
  /** Keys that a query sees; null: all. */
  sliding_window: number | null;
  rope: RopeSettings;
}

/** Columns of q, k and v in the fused projection. */
function qkvWidths(c: DecoderConfig): number[] {
  const keys = c.num_key_value_heads * c.head_dim;
  return [c.num_attention_heads * c.head_dim, keys, keys];
}

export const phi3: Architecture<Phi3Config> = {
  modelType: 'phi3',

  parse(json) {
    const read = new ConfigReader(json, 'phi3');
    read.choice('hidden_act', ['silu'], 'silu');
    const decoder = readDecoder(read, {
      max_position_embeddings: 4096,
      rms_norm_eps: 1e-5,
      tie_word_embeddings: false,
    });
    return {
      ...decoder,
      sliding_window: read.integerOrNull('sliding_window', null),
      // The first releases called it su, or yarn.
      rope: readRope(read, decoder, {
        partial: true,
        original_max_position_embeddings: 4096,
        rope_types: { su: 'longrope', yarn: 'longrope' },
      }),
    };
  },

  tensors: (c) =>
    decoderTensors(c, (p) => {
      const qkv = qkvWidths(c);
      return [
        norm(`${p}.input_layernorm`, c.hidden_size),
        ...linear(`${p}.self_attn.qkv_proj`, qkv[0] + qkv[1] + qkv[2], c.hidden_size),
        ...linear(`${p}.self_attn.o_proj`, c.hidden_size, qkv[0]),
        norm(`${p}.post_attention_layernorm`, c.hidden_size),
        ...linear(`${p}.mlp.gate_up_proj`, 2 * c.intermediate_size, c.hidden_size),
        ...linear(`${p}.mlp.down_proj`, c.hidden_size, c.intermediate_size),
      ];
    }),

  forward(m, c) {
    const settings = { eps: c.rms_norm_eps };
    const heads = headSettings(c, { window: c.sliding_window ?? 0 });
    return decoderStack(m, c, settings, (x, p, i) =>
      preNormBlock(m, x, p, settings, {
        attention(h) {
          const [q, k, v] = m.split(m.project(h, [`${p}.self_attn.qkv_proj`])[0], qkvWidths(c));
          const [queries, keys] = m.rope([q, k], c.rope, c.head_dim);
          return outputProjection(m, p, m.attend(i, queries, keys, v, heads));
        },
        mlp(h) {
          const [gate, up] = m.split(m.project(h, [`${p}.mlp.gate_up_proj`])[0], [
            c.intermediate_size,
            c.intermediate_size,
          ]);
          return m.project(gated(m.graph, gate, up, 'silu'), [`${p}.mlp.down_proj`])[0];
        },
      }),
    );
  },
};
