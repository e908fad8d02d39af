/** Llama (arXiv:2302.13971, 2407.21783): Llama 2 and 3.x, TinyLlama, SmolLM2 and whatever else says model_type "llama". */
import { add } from '../ops/add.ts';
import { gated } from '../ops/gated.ts';
import type { ModelBuilder } from './builder.ts';
import { ConfigReader, type CommonConfig } from './config.ts';
import type { Architecture } from './architecture.ts';
import { readRope, type RopeSettings } from './ropeTable.ts';

export interface LlamaConfig extends CommonConfig {
  intermediate_size: number;
  num_attention_heads: number;
  num_key_value_heads: number;
  head_dim: number;
  rms_norm_eps: number;
  attention_bias: boolean;
  mlp_bias: boolean;
  rope: RopeSettings;
}

export const llama: Architecture<LlamaConfig> = {
  modelType: 'llama',

  parse(json) {
    const read = new ConfigReader(json, 'llama');
    read.choice('hidden_act', ['silu'], 'silu');
    const hidden_size = read.integer('hidden_size');
    const num_attention_heads = read.integer('num_attention_heads');
    const num_key_value_heads = read.integer('num_key_value_heads', num_attention_heads);
    const head_dim = read.integer('head_dim', hidden_size / num_attention_heads);
    if (num_attention_heads % num_key_value_heads !== 0) read.fail(`num_attention_heads ${num_attention_heads} is not a multiple of num_key_value_heads ${num_key_value_heads}`);
    if (head_dim % 2 !== 0) read.fail(`head_dim ${head_dim} is odd, which rotary embedding does not allow`);
    return {
      model_type: 'llama',
      vocab_size: read.integer('vocab_size'),
      hidden_size,
      intermediate_size: read.integer('intermediate_size'),
      num_hidden_layers: read.integer('num_hidden_layers'),
      num_attention_heads,
      num_key_value_heads,
      head_dim,
      max_position_embeddings: read.integer('max_position_embeddings', 2048),
      rms_norm_eps: read.number('rms_norm_eps', 1e-6),
      tie_word_embeddings: read.boolean('tie_word_embeddings', false),
      attention_bias: read.boolean('attention_bias', false),
      mlp_bias: read.boolean('mlp_bias', false),
      rope: readRope(read),
    };
  },

  tensors(c) {
    const heads = c.num_attention_heads * c.head_dim;
    const keys = c.num_key_value_heads * c.head_dim;
    const linear = (name: string, out: number, width: number, bias: boolean) => [
      { name: `${name}.weight`, shape: [out, width], quantise: true },
      ...(bias ? [{ name: `${name}.bias`, shape: [out], quantise: false }] : []),
    ];
    const layers = Array.from({ length: c.num_hidden_layers }, (_, i) => {
      const p = `model.layers.${i}`;
      return [
        { name: `${p}.input_layernorm.weight`, shape: [c.hidden_size], quantise: false },
        ...linear(`${p}.self_attn.q_proj`, heads, c.hidden_size, c.attention_bias),
        ...linear(`${p}.self_attn.k_proj`, keys, c.hidden_size, c.attention_bias),
        ...linear(`${p}.self_attn.v_proj`, keys, c.hidden_size, c.attention_bias),
        ...linear(`${p}.self_attn.o_proj`, c.hidden_size, heads, c.attention_bias),
        { name: `${p}.post_attention_layernorm.weight`, shape: [c.hidden_size], quantise: false },
        ...linear(`${p}.mlp.gate_proj`, c.intermediate_size, c.hidden_size, c.mlp_bias),
        ...linear(`${p}.mlp.up_proj`, c.intermediate_size, c.hidden_size, c.mlp_bias),
        ...linear(`${p}.mlp.down_proj`, c.hidden_size, c.intermediate_size, c.mlp_bias),
      ];
    });
    return [
      { name: 'model.embed_tokens.weight', shape: [c.vocab_size, c.hidden_size], quantise: false },
      ...layers.flat(),
      { name: 'model.norm.weight', shape: [c.hidden_size], quantise: false },
      ...(c.tie_word_embeddings ? [] : [{ name: 'lm_head.weight', shape: [c.vocab_size, c.hidden_size], quantise: false }]),
    ];
  },

  forward(m: ModelBuilder, c) {
    const norm = { eps: c.rms_norm_eps };
    const attention = {
      heads: c.num_attention_heads,
      keyHeads: c.num_key_value_heads,
      headDim: c.head_dim,
      scale: 1 / Math.sqrt(c.head_dim),
    };
    let x = m.embed('model.embed_tokens.weight');
    for (let i = 0; i < c.num_hidden_layers; i++) {
      const p = `model.layers.${i}`;
      x = m.layer(() => {
        const [q, k, v] = m.project(m.rmsNorm(x, `${p}.input_layernorm.weight`, norm), [`${p}.self_attn.q_proj`, `${p}.self_attn.k_proj`, `${p}.self_attn.v_proj`]);
        const mixed = m.attend(i, m.rope(q, c.rope, c.head_dim), m.rope(k, c.rope, c.head_dim), v, attention);
        const [o] = m.project(mixed, [`${p}.self_attn.o_proj`]);
        const middle = add(m.graph, x, o);
        const [gate, up] = m.project(m.rmsNorm(middle, `${p}.post_attention_layernorm.weight`, norm), [`${p}.mlp.gate_proj`, `${p}.mlp.up_proj`]);
        const [down] = m.project(gated(m.graph, gate, up, 'silu'), [`${p}.mlp.down_proj`]);
        return add(m.graph, middle, down);
      });
    }
    return m.rmsNorm(x, 'model.norm.weight', norm);
  },
};
