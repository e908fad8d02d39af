/** SmolLM3: Llama in which every fourth layer has no rotary embedding (NoPE, arXiv:2501.18795). */
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
import { layerWindows, readDecoder, type DecoderConfig } from '../decoderConfig.ts';
import { attentionTensors, decoderTensors, mlpTensors, norm } from '../decoderTensors.ts';
import { readRope, type RopeSettings } from '../ropeConfig.ts';

export interface SmolLM3Config extends DecoderConfig {
  attention_bias: boolean;
  mlp_bias: boolean;
  /** Whether each layer rotates its queries and keys. */
  rotates: boolean[];
  /** Keys that each layer's queries see; 0: all. */
  windows: number[];
  rope: RopeSettings;
}

export const smollm3: Architecture<SmolLM3Config> = {
  modelType: 'smollm3',

  parse(json) {
    const read = new ConfigReader(json, 'smollm3');
    read.choice('hidden_act', ['silu'], 'silu');
    const decoder = readDecoder(read, {
      num_key_value_heads: 4,
      max_position_embeddings: 32768,
      rms_norm_eps: 1e-6,
      tie_word_embeddings: true,
    });
    const layers = decoder.num_hidden_layers;
    const interval = read.integer('no_rope_layer_interval', 4);
    // Despite its name the list says 1 for a layer with rotary embedding.
    const listed = json.no_rope_layers as unknown[] | null | undefined;
    if (listed != null && !(Array.isArray(listed) && listed.length >= layers))
      read.fail(`"no_rope_layers" must be a list of ${layers} zeros and ones`);
    const rotates = Array.from({ length: layers }, (_, i) =>
      listed ? Boolean(listed[i]) : (i + 1) % interval !== 0,
    );
    const window = read.boolean('use_sliding_window', false)
      ? read.integerOrNull('sliding_window', null)
      : null;
    return {
      ...decoder,
      attention_bias: read.boolean('attention_bias', false),
      mlp_bias: read.boolean('mlp_bias', false),
      rotates,
      windows: layerWindows(read, layers, window, (i) => window !== null && !rotates[i]),
      rope: readRope(read, decoder, { rope_theta: 2e6 }),
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
          const [queries, keys] = c.rotates[i] ? m.rope([q, k], c.rope, c.head_dim) : [q, k];
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
