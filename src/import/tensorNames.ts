/**
 * Where a model's tensors lie in a checkpoint that names them otherwise: saved from the bare model without
 * `model.`, as the text part of a multimodal model, or under names that transformers translates while it
 * loads.
 */
import type { SourceCheckpoint } from '../formats/checkpoint.ts';
import type { TensorRequirement } from '../model/config.ts';

/**
 * Prefixes in place of the `model.` or `model.language_model.` of a module's name, in the order in which they
 * are tried.
 */
const PREFIXES = ['model.', 'model.language_model.', 'language_model.model.', 'language_model.', ''];
/** Prefixes ahead of what lies beside the model, the output head. */
export const HEAD_PREFIXES = ['', 'language_model.', 'model.'];

/**
 * @returns the checkpoint with each tensor that the model needs under the model's own name, the others as
 * they were
 */
export function withModelNames(
  source: SourceCheckpoint,
  requirements: readonly TensorRequirement[],
): SourceCheckpoint {
  const tensors = new Map(source.tensors);
  for (const requirement of requirements) {
    const { name } = requirement;
    if (tensors.has(name)) continue;
    const stored = [...candidates(requirement), ...headInstead(requirement, requirements)].find((candidate) =>
      source.tensors.has(candidate),
    );
    if (stored === undefined) continue;
    tensors.set(name, source.tensors.get(stored)!);
    tensors.delete(stored);
  }
  return { ...source, tensors };
}

/** The head's names, of an embedding that is one with it: a checkpoint may hold the two under either. */
function headInstead({ name }: TensorRequirement, requirements: readonly TensorRequirement[]): string[] {
  const isTied = !requirements.some((other) => other.name.endsWith('lm_head.weight'));
  const isEmbedding = name.endsWith('embed_tokens.weight');
  return isEmbedding && isTied ? HEAD_PREFIXES.map((prefix) => `${prefix}lm_head.weight`) : [];
}

/** Names under which a checkpoint may hold a tensor, the most common first. */
function candidates({ name, storedAs }: TensorRequirement): string[] {
  return [name, ...(storedAs ? [storedAs] : [])].flatMap((known) => {
    const [prefix] = /^model\.(language_model\.)?/.exec(known) ?? [''];
    const rest = known.slice(prefix.length);
    return (prefix === '' ? HEAD_PREFIXES : PREFIXES).map((other) => other + rest);
  });
}
