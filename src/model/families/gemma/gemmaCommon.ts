/**
 * What Gemma 2 and Gemma 3 share: config keys, the four norms of a layer, and the block around attention and
 * mlp.
 */
import { add } from '../../../ops/elementwise/add.ts';
import type { Value } from '../../../graph/value.ts';
import type { Branches } from '../../decoderBlocks.ts';
import type { ModelBuilder } from '../../builder.ts';
import type { ConfigReader, TensorRequirement } from '../../config.ts';
import { layerWindows, readDecoder, type DecoderConfig } from '../../decoderConfig.ts';
import { attentionTensors, mlpTensors, norm } from '../../decoderTensors.ts';

export interface GemmaConfig extends DecoderConfig {
  attention_bias: boolean;
  /** Scores are q·k / √query_pre_attn_scalar. */
  query_pre_attn_scalar: number;
  /** Keys that each layer's queries see; 0: all. */
  windows: number[];
}

interface GemmaDefaults {
  max_position_embeddings: number;
  /** null: no cap. */
  final_logit_softcapping: number | null;
  /** Whether layer i is of sliding attention where the config has no `layer_types`. */
  slides(i: number): boolean;
}

export function readGemma(
  read: ConfigReader,
  { max_position_embeddings, final_logit_softcapping, slides }: GemmaDefaults,
): GemmaConfig {
  read.choice('hidden_activation', ['gelu_pytorch_tanh'], 'gelu_pytorch_tanh');
  if (read.boolean('use_bidirectional_attention', false))
    read.fail('"use_bidirectional_attention" is true; only causal attention is supported');
  const decoder = readDecoder(read, {
    num_key_value_heads: 4,
    head_dim: 256,
    max_position_embeddings,
    rms_norm_eps: 1e-6,
    tie_word_embeddings: true,
  });
  return {
    ...decoder,
    attention_bias: read.boolean('attention_bias', false),
    query_pre_attn_scalar: read.number('query_pre_attn_scalar', 256),
    windows: layerWindows(
      read,
      decoder.num_hidden_layers,
      read.integerOrNull('sliding_window', 4096),
      slides,
    ),
    final_logit_softcapping: read.numberOrNull('final_logit_softcapping', final_logit_softcapping) ?? 0,
  };
}

/** One layer's tensors but for what the family adds. */
export function gemmaTensors(p: string, c: GemmaConfig): TensorRequirement[] {
  return [
    norm(`${p}.input_layernorm`, c.hidden_size),
    ...attentionTensors(p, c, c.attention_bias),
    norm(`${p}.post_attention_layernorm`, c.hidden_size),
    norm(`${p}.pre_feedforward_layernorm`, c.hidden_size),
    ...mlpTensors(p, c),
    norm(`${p}.post_feedforward_layernorm`, c.hidden_size),
  ];
}

/** The embedding times √hidden, which transformers rounds to the table's precision. */
export function gemmaEmbedding(m: ModelBuilder, c: GemmaConfig): Value {
  return m.embed('model.embed_tokens.weight', Math.sqrt(c.hidden_size), true);
}

/** Norms by 1 + w: the checkpoint stores w. */
export function gemmaNorm(c: GemmaConfig): { eps: number; unitOffset: 1 } {
  return { eps: c.rms_norm_eps, unitOffset: 1 };
}

/** x + norm(attention(norm x)), then + norm(mlp(norm of that)). */
export function sandwichBlock(
  m: ModelBuilder,
  x: Value,
  p: string,
  c: GemmaConfig,
  { attention, mlp }: Branches,
): Value {
  const norm = (value: Value, name: string) => m.rmsNorm(value, `${p}.${name}.weight`, gemmaNorm(c));
  const middle = add(m.graph, x, norm(attention(norm(x, 'input_layernorm')), 'post_attention_layernorm'));
  return add(
    m.graph,
    middle,
    norm(mlp(norm(middle, 'pre_feedforward_layernorm')), 'post_feedforward_layernorm'),
  );
}
