/**
 * How llama.cpp names the architectures and tensors that transformers names otherwise, and how its converter
 * (convert_hf_to_gguf.py and gguf-py/gguf/tensor_mapping.py) changes values on the way.
 */
import { UserError } from '../lib/errors.ts';
import { GGUF_FAMILIES } from './gguf/ggufFamilies.ts';

/** An architecture as GGUF files have it. */
export interface GgufArchitecture {
  /** `general.architecture`, and the prefix of its metadata keys. */
  name: string;
  /**
   * The rows of q and k are reordered, because llama.cpp rotates neighbouring elements of a head, not halves.
   */
  permutesQueryKey: boolean;
  /** Norm weights are stored plus one. */
  normPlusOne: boolean;
}

/** Model types that share another's architecture. */
const SAME_AS: Readonly<Record<string, string>> = { mistral: 'llama', olmo3: 'olmo2' };

/** @throws UserError where llama.cpp has no architecture for this model_type, as far as is known here */
export function ggufArchitecture(modelType: string): GgufArchitecture {
  const type = SAME_AS[modelType] ?? modelType;
  for (const [name, family] of GGUF_FAMILIES)
    if (family.modelType === type)
      return {
        name,
        permutesQueryKey: family.permuted === true,
        normPlusOne: family.normsPlusOne === true,
      };
  const known = [...[...GGUF_FAMILIES.values()].map((family) => family.modelType), ...Object.keys(SAME_AS)];
  throw new UserError(
    `A ${modelType} model has no GGUF form that Finetab writes. Export the PEFT folder or the merged ` +
      `safetensors instead. GGUF is written for: ${known.join(', ')}.`,
  );
}

/**
 * The GGUF name of a module, without `.weight` or `.bias`.
 * @param module as transformers names it: `model.layers.0.self_attn.q_proj`
 * @throws UserError where the architecture's tensors have no such module
 */
export function ggufModuleName(module: string, architecture: GgufArchitecture): string {
  const family = GGUF_FAMILIES.get(architecture.name)!;
  const outside = new Map([
    ['model.embed_tokens', 'token_embd'],
    [family.lastNorm[1], family.lastNorm[0]],
    ['lm_head', 'output'],
  ]).get(module);
  if (outside) return outside;
  const [, layer, rest] = /^model\.layers\.(\d+)\.(.+)$/.exec(module) ?? [];
  const known = Object.entries(family.layer).find(([, name]) => name === rest)?.[0];
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
