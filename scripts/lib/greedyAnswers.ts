/** The greedy ids that the references of shared/ have for their documents' prompts. */
import type { WebGpuEngine } from '../../src/engine/webgpu/webgpuEngine.ts';

/** Tokens of each answer. */
export const NEW_TOKENS = 24;

/** A document of a golden folder's batch.json. */
export interface ReferenceDocument {
  input_ids: number[];
  /** -100 where nothing is learned. */
  labels: number[];
}

/**
 * A document's prompt, whose positions are not supervised, and the ids that follow it.
 * No end token stops them.
 */
export async function greedyAnswers(
  engine: WebGpuEngine,
  documents: readonly ReferenceDocument[],
): Promise<{ prompt: number[]; new_ids: number[] }[]> {
  const prompts = documents.map(({ input_ids, labels }) => input_ids.filter((_, p) => labels[p] === -100));
  const made = await engine.generate(prompts, {
    maxNewTokens: NEW_TOKENS,
    stopTokenIds: [],
    doSample: false,
    temperature: 1,
    topP: 1,
    seed: 0,
  });
  return prompts.map((prompt, i) => ({ prompt, new_ids: made[i] }));
}
