/**
 * Ministral 3 (modeling_ministral3.py): Mistral with YaRN and with queries that grow with the position, by
 * 1 + beta · ln(1 + ⌊position / original⌋).
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
import { givenRope, ropeOf, type RopeSettings } from '../ropeConfig.ts';

export interface Ministral3Config extends DecoderConfig {
  /** Keys that a query sees; null: all. */
  sliding_window: number | null;
  rope: RopeSettings;
  /** Of the queries: `rope` with the scaling by position. */
  queryRope: RopeSettings;
}

/** What the configuration class takes where config.json has no rope settings. */
const DEFAULT_ROPE = {
  rope_type: 'yarn',
  rope_theta: 1e6,
  factor: 16,
  original_max_position_embeddings: 16384,
  beta_fast: 32,
  beta_slow: 1,
  mscale_all_dim: 1,
  mscale: 1,
  llama_4_scaling_beta: 0.1,
};

export const ministral3: Architecture<Ministral3Config> = {
  modelType: 'ministral3',

  parse(json) {
    const read = new ConfigReader(json, 'ministral3');
    read.choice('hidden_act', ['silu'], 'silu');
    const decoder = readDecoder(read, {
      num_key_value_heads: 8,
      head_dim: 128,
      max_position_embeddings: 262144,
      rms_norm_eps: 1e-5,
      tie_word_embeddings: false,
    });
    const settings: Readonly<Record<string, unknown>> = givenRope(json) ?? DEFAULT_ROPE;
    const setting = (key: string): number => {
      const value = settings[key];
      if (typeof value === 'number' && Number.isFinite(value)) return value;
      return read.fail(`the rope setting "${key}" must be a number, found ${JSON.stringify(value ?? null)}`);
    };
    const rope = ropeOf(read, settings, decoder);
    const positionScale = {
      beta: setting('llama_4_scaling_beta'),
      original: setting('original_max_position_embeddings'),
    };
    return {
      ...decoder,
      sliding_window: read.integerOrNull('sliding_window', null),
      rope,
      queryRope: { ...rope, positionScale },
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
          const [queries] = m.rope([q], c.queryRope, c.head_dim);
          const [keys] = m.rope([k], c.rope, c.head_dim);
          return outputProjection(m, p, m.attend(i, queries, keys, v, heads));
        },
        mlp: (h) => gatedMlp(m, p, h, 'silu'),
      }),
    );
  },
};
