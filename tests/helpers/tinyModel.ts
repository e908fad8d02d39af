/**
 * A small random model with a byte-level tokenizer and a chat template, as a folder from the hub: made here,
 * so that tests need no files.
 */
import type { NamedFile } from '../../src/formats/checkpoint.ts';
import { writeSafetensors, type TensorToWrite } from '../../src/formats/safetensors.ts';
import { modelOf } from '../../src/model/families/registry.ts';
import { uniform } from '../../src/verify/caseBuilder.ts';

/** LoRA of tests whose settings do not matter. */
export const TINY_LORA = {
  r: 4,
  lora_alpha: 8,
  lora_dropout: 0,
  target_modules: 'all-linear' as const,
  use_rslora: false,
  use_dora: false,
};

export const TINY_CONFIG = {
  model_type: 'llama',
  hidden_size: 24,
  intermediate_size: 40,
  num_hidden_layers: 2,
  num_attention_heads: 3,
  num_key_value_heads: 1,
  head_dim: 8,
  vocab_size: 262,
  max_position_embeddings: 256,
  rms_norm_eps: 1e-5,
  rope_theta: 10000,
  tie_word_embeddings: true,
};

const SPECIAL = ['<s>', '</s>', '<|user|>', '<|assistant|>', '<|system|>', '<pad>'];

/** GPT-2's printable stand-ins for bytes. */
function byteLetters(): string[] {
  const printable = [...range(33, 126), ...range(161, 172), ...range(174, 255)];
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) =>
    String.fromCodePoint(printable.includes(byte) ? byte : next++),
  );
}

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}

/** One token a byte, ids 0-255; then the special tokens. */
export const TINY_TOKENIZER = JSON.stringify({
  version: '1.0',
  added_tokens: SPECIAL.map((content, i) => ({
    id: 256 + i,
    content,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: true,
  })),
  normalizer: null,
  pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
  post_processor: null,
  decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
  model: {
    type: 'BPE',
    dropout: null,
    unk_token: null,
    fuse_unk: false,
    byte_fallback: false,
    vocab: Object.fromEntries(byteLetters().map((letter, id) => [letter, id])),
    merges: [],
  },
});

export const TINY_TOKENIZER_CONFIG = JSON.stringify({
  tokenizer_class: 'PreTrainedTokenizerFast',
  bos_token: '<s>',
  eos_token: '</s>',
  pad_token: '<pad>',
  chat_template:
    "{{ bos_token }}{% for m in messages %}{% if m.role == 'assistant' %}<|assistant|>{{ m.content }}{{ eos_token }}{% else %}<|{{ m.role }}|>{{ m.content }}{% endif %}{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}",
});

type Weights = Map<string, TensorToWrite>;

/** float32 weights of every tensor the config asks for: norms about 1, matrices small. */
export function tinyWeights(config: Record<string, unknown> = TINY_CONFIG, seed = 1): Weights {
  return new Map(
    modelOf(config).tensors.map(({ name, shape }, i) => {
      const values = uniform(
        shape.reduce((a, b) => a * b, 1),
        seed * 1000 + i,
      );
      const data = /norm/.test(name)
        ? values.map((value) => 1 + 0.1 * value)
        : values.map((value) => 0.3 * value);
      return [name, { dtype: 'F32', shape, data }];
    }),
  );
}

/** The files of a folder. @param changes contents that replace a file's; null leaves it out */
export function tinyModelFiles(
  changes: Record<string, string | Uint8Array | null> = {},
  config: Record<string, unknown> = TINY_CONFIG,
): NamedFile[] {
  const files: Record<string, string | Uint8Array | null> = {
    'config.json': JSON.stringify(config),
    'tokenizer.json': TINY_TOKENIZER,
    'tokenizer_config.json': TINY_TOKENIZER_CONFIG,
    ...('model.safetensors' in changes ? {} : { 'model.safetensors': writeSafetensors(tinyWeights(config)) }),
    ...changes,
  };
  return Object.entries(files)
    .filter((entry): entry is [string, string | Uint8Array] => entry[1] !== null)
    .map(([path, contents]) => ({ path, blob: new Blob([contents as BlobPart]) }));
}
