/** A model of real shape with random weights, made as it streams: for measurements without a download. */
import { tensorPartBytes, type TensorInfo, type WeightSource } from '../formats/tensors.ts';
import { modelOf } from '../model/families/registry.ts';

const CHUNK = 4 * 1024 * 1024;

const SMOLLM2 = {
  model_type: 'llama',
  hidden_size: 576,
  intermediate_size: 1536,
  num_hidden_layers: 30,
  num_attention_heads: 9,
  num_key_value_heads: 3,
  vocab_size: 49152,
  max_position_embeddings: 8192,
  rms_norm_eps: 1e-5,
  rope_theta: 100000,
  tie_word_embeddings: true,
};

const WIDTH_32 = {
  model_type: 'llama',
  hidden_size: 32,
  intermediate_size: 64,
  num_hidden_layers: 16,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  vocab_size: 128,
  max_position_embeddings: 512,
  rms_norm_eps: 1e-5,
  rope_theta: 10000,
  tie_word_embeddings: true,
};

/** config.json of models that people use. */
export const SHAPES: Record<string, Record<string, unknown>> = {
  'SmolLM2-135M': SMOLLM2,
  'Llama-3.2-1B': {
    model_type: 'llama',
    hidden_size: 2048,
    intermediate_size: 8192,
    num_hidden_layers: 16,
    num_attention_heads: 32,
    num_key_value_heads: 8,
    head_dim: 64,
    vocab_size: 128256,
    max_position_embeddings: 8192,
    rms_norm_eps: 1e-5,
    rope_theta: 500000,
    tie_word_embeddings: true,
  },
  'Qwen2.5-0.5B': {
    model_type: 'qwen2',
    hidden_size: 896,
    intermediate_size: 4864,
    num_hidden_layers: 24,
    num_attention_heads: 14,
    num_key_value_heads: 2,
    vocab_size: 151936,
    max_position_embeddings: 32768,
    rms_norm_eps: 1e-6,
    rope_theta: 1000000,
    tie_word_embeddings: true,
  },
  'Llama-3-8B': {
    model_type: 'llama',
    hidden_size: 4096,
    intermediate_size: 14336,
    num_hidden_layers: 32,
    num_attention_heads: 32,
    num_key_value_heads: 8,
    vocab_size: 128256,
    rms_norm_eps: 1e-5,
    rope_theta: 500000,
    max_position_embeddings: 8192,
    tie_word_embeddings: false,
  },
  'Llama-3.2-3B': {
    model_type: 'llama',
    hidden_size: 3072,
    intermediate_size: 8192,
    num_hidden_layers: 28,
    num_attention_heads: 24,
    num_key_value_heads: 8,
    head_dim: 128,
    vocab_size: 128256,
    max_position_embeddings: 8192,
    rms_norm_eps: 1e-5,
    rope_theta: 500000,
    tie_word_embeddings: true,
  },
  '16 layers of SmolLM2-135M': { ...SMOLLM2, num_hidden_layers: 16 },
  '16 layers of width 32': WIDTH_32,
  '2 layers of width 32': { ...WIDTH_32, num_hidden_layers: 2 },
};

/** Linears in NF4, the rest bfloat16: small numbers of either sign, norms of one. */
export function randomModel(config: Record<string, unknown>): WeightSource {
  const tensors = new Map(
    modelOf(config).tensors.map(({ name, shape, quantise }): [string, TensorInfo] => [
      name,
      { name, shape, kind: quantise ? 'nf4' : 'bf16' },
    ]),
  );
  const bytes = new Uint8Array(CHUNK);
  let state = 1;
  for (let i = 0; i < CHUNK; i++) bytes[i] = (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) >>> 24;
  const ones = new Uint8Array(new Uint16Array(CHUNK / 2).fill(0x3f80).buffer);
  const nested = new Uint8Array(new Float32Array(CHUNK / 4).fill(0.02).buffer);
  const data = new Uint8Array(
    Uint16Array.from(new Uint16Array(bytes.buffer), (bits) => (bits & 0x80ff) | 0x3c00).buffer,
  );
  return {
    config,
    tensors,
    async *stream(name) {
      const info = tensors.get(name)!;
      for (const [part, size] of Object.entries(tensorPartBytes(info)) as [
        'data' | 'packed' | 'absmax_q' | 'nested',
        number,
      ][]) {
        const source = part === 'nested' ? nested : part !== 'data' ? bytes : /norm/.test(name) ? ones : data;
        for (let at = 0; at < size; at += CHUNK)
          yield { part, byteOffset: at, bytes: source.subarray(0, Math.min(CHUNK, size - at)) };
      }
    },
  };
}
