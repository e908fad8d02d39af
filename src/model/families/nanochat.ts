/**
 * nanochat (github.com/karpathy/nanochat, modeling_nanochat.py): norms without weights, one of them right
 * after the embedding; q and k rotated the other way and then normalised a head; an MLP of squared ReLU
 * without a gate; logits under a soft cap.
 */
import { gated } from '../../ops/elementwise/gated.ts';
import { add } from '../../ops/elementwise/add.ts';
import type { Architecture } from '../architecture.ts';
import { ConfigReader } from '../config.ts';
import { headSettings, outputProjection, queryKeyValue } from '../decoderBlocks.ts';
import { readDecoder, type DecoderConfig } from '../decoderConfig.ts';
import { attentionTensors, decoderTensors, linear } from '../decoderTensors.ts';
import { readRope, type RopeSettings } from '../ropeConfig.ts';

export interface NanoChatConfig extends DecoderConfig {
  attention_bias: boolean;
  rope: RopeSettings;
}

export const nanochat: Architecture<NanoChatConfig> = {
  modelType: 'nanochat',

  parse(json) {
    const read = new ConfigReader(json, 'nanochat');
    read.choice('hidden_act', ['relu2'], 'relu2');
    const decoder = readDecoder(read, {
      max_position_embeddings: 2048,
      rms_norm_eps: 1e-6,
      tie_word_embeddings: false,
    });
    return {
      ...decoder,
      attention_bias: read.boolean('attention_bias', false),
      final_logit_softcapping: read.numberOrNull('final_logit_softcapping', 15) ?? 0,
      rope: { ...readRope(read, decoder), reversed: true },
    };
  },

  tensors: (c) =>
    decoderTensors(c, (p) => [
      ...attentionTensors(p, c, c.attention_bias),
      ...linear(`${p}.mlp.fc1`, c.intermediate_size, c.hidden_size),
      ...linear(`${p}.mlp.fc2`, c.hidden_size, c.intermediate_size),
    ]).filter(({ name }) => name !== 'model.norm.weight'),

  forward(m, c) {
    const settings = { eps: c.rms_norm_eps };
    const norm = (x: ReturnType<typeof add>, width = c.hidden_size) => m.plainNorm(x, width, settings);
    let x = norm(m.embed('model.embed_tokens.weight'));
    for (let i = 0; i < c.num_hidden_layers; i++) {
      const p = `model.layers.${i}`;
      x = m.layer(() => {
        const [q, k, v] = queryKeyValue(m, p, norm(x));
        const [queries, keys] = m.rope([q, k], c.rope, c.head_dim).map((y) => norm(y, c.head_dim));
        const mixed = m.attend(i, queries, keys, v, headSettings(c));
        const middle = add(m.graph, x, outputProjection(m, p, mixed));
        const [up] = m.project(norm(middle), [`${p}.mlp.fc1`]);
        return add(m.graph, middle, m.project(gated(m.graph, up, up, 'relu'), [`${p}.mlp.fc2`])[0]);
      });
    }
    return norm(x);
  },
};
