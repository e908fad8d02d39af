/**
 * How llama.cpp names the architectures and tensors that transformers names otherwise, and how its converter
 * (convert_hf_to_gguf.py and gguf-py/gguf/tensor_mapping.py) changes values on the way.
 */
import { UserError } from '../lib/errors.ts';

/** An architecture as GGUF files have it. */
export interface GgufArchitecture {
  /** `general.architecture`, and the prefix of its metadata keys. */
  name: string;
  /** The rows of q and k are reordered, because llama.cpp rotates neighbouring elements of a head, not halves. */
  permutesQueryKey: boolean;
  /** Norm weights are stored plus one. */
  normPlusOne: boolean;
}

const plain = (name: string): GgufArchitecture => ({ name, permutesQueryKey: false, normPlusOne: false });
const permuted = (name: string): GgufArchitecture => ({ ...plain(name), permutesQueryKey: true });
const gemma = (name: string): GgufArchitecture => ({ ...plain(name), normPlusOne: true });

/** By model_type of config.json. */
const ARCHITECTURES: ReadonlyMap<string, GgufArchitecture> = new Map([
  ['llama', permuted('llama')],
  ['mistral', permuted('llama')],
  ['smollm3', permuted('smollm3')],
  ['granite', permuted('granite')],
  ['qwen2', plain('qwen2')],
  ['qwen3', plain('qwen3')],
  ['phi3', plain('phi3')],
  ['gemma2', gemma('gemma2')],
  ['gemma3_text', gemma('gemma3')],
  ['olmo2', plain('olmo2')],
  ['exaone4', plain('exaone4')],
  ['ernie4_5', plain('ernie4_5')],
  ['hunyuan_v1_dense', plain('hunyuan-dense')],
]);

/** @throws UserError where llama.cpp has no architecture for this model_type, as far as is known here */
export function ggufArchitecture(modelType: string): GgufArchitecture {
  const found = ARCHITECTURES.get(modelType);
  if (!found)
    throw new UserError(
      `A ${modelType} model has no GGUF form that Finetab writes. Export the PEFT folder or the merged ` +
        `safetensors instead. GGUF is written for: ${[...ARCHITECTURES.keys()].join(', ')}.`,
    );
  return found;
}

/** Modules outside the layers. */
const GLOBAL_MODULES: ReadonlyMap<string, string> = new Map([
  ['model.embed_tokens', 'token_embd'],
  ['model.norm', 'output_norm'],
  ['lm_head', 'output'],
]);

/** Modules of a layer, without `model.layers.N.` and `blk.N.`. */
const LAYER_MODULES: ReadonlyMap<string, string> = new Map([
  ['input_layernorm', 'attn_norm'],
  ['self_attn.q_proj', 'attn_q'],
  ['self_attn.k_proj', 'attn_k'],
  ['self_attn.v_proj', 'attn_v'],
  ['self_attn.qkv_proj', 'attn_qkv'],
  ['self_attn.o_proj', 'attn_output'],
  ['self_attn.q_norm', 'attn_q_norm'],
  ['self_attn.k_norm', 'attn_k_norm'],
  ['self_attn.query_layernorm', 'attn_q_norm'],
  ['self_attn.key_layernorm', 'attn_k_norm'],
  ['mlp.gate_proj', 'ffn_gate'],
  ['mlp.up_proj', 'ffn_up'],
  ['mlp.gate_up_proj', 'ffn_up'],
  ['mlp.down_proj', 'ffn_down'],
  ['pre_feedforward_layernorm', 'ffn_norm'],
  ['post_feedforward_layernorm', 'post_ffw_norm'],
]);

/** Where a layer's second norm comes after attention, not before the feed-forward part. */
const POST_NORM_ARCHITECTURES = new Set(['gemma2', 'gemma3', 'olmo2', 'exaone4']);

/**
 * The GGUF name of a module, without `.weight` or `.bias`.
 * @param module as transformers names it: `model.layers.0.self_attn.q_proj`
 * @throws UserError where the architecture's tensors have no such module
 */
export function ggufModuleName(module: string, architecture: GgufArchitecture): string {
  const global = GLOBAL_MODULES.get(module);
  if (global) return global;
  const [, layer, rest] = /^model\.layers\.(\d+)\.(.+)$/.exec(module) ?? [];
  const known =
    rest === 'post_attention_layernorm'
      ? POST_NORM_ARCHITECTURES.has(architecture.name)
        ? 'post_attention_norm'
        : 'ffn_norm'
      : LAYER_MODULES.get(rest ?? '');
  if (layer === undefined || known === undefined)
    throw new UserError(`${module} has no name in GGUF files of the architecture ${architecture.name}.`);
  return `blk.${layer}.${known}`;
}

/** Heads that a module's rows are reordered by, or null: what `permutesQueryKey` means for it. */
export function permutedHeads(
  module: string,
  architecture: GgufArchitecture,
  config: { num_attention_heads: number; num_key_value_heads: number },
): number | null {
  if (!architecture.permutesQueryKey) return null;
  if (module.endsWith('.self_attn.q_proj')) return config.num_attention_heads;
  return module.endsWith('.self_attn.k_proj') ? config.num_key_value_heads : null;
}

/**
 * Rows in llama.cpp's order: within each head, row i of the first half and row i of the second lie side by
 * side (LlamaModel.permute of convert_hf_to_gguf.py).
 * @param values [rows, width], or [rows] with width 1 @returns a copy
 */
export function permuteRows(values: Float32Array, rows: number, width: number, heads: number): Float32Array {
  const headRows = rows / heads;
  const half = headRows / 2;
  if (!Number.isInteger(half)) throw new Error(`${rows} rows do not make ${heads} heads of two halves`);
  const out = new Float32Array(values.length);
  for (let row = 0; row < rows; row++) {
    const head = Math.floor(row / headRows);
    const within = row % headRows;
    const from = head * headRows + (within % 2) * half + Math.floor(within / 2);
    out.set(values.subarray(from * width, (from + 1) * width), row * width);
  }
  return out;
}
