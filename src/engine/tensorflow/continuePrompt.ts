/** Generation without a KV cache: all of a sequence runs through the model once for every new token. */
import { packDocuments } from '../../data/packing.ts';
import type { MicroBatch } from '../../data/types.ts';
import { mix32, randomKey, randomUnit } from '../../lib/counterRandom.ts';
import type { GenerationOptions, GenerationWatch } from '../engine.ts';
import { sampleLogits } from './sampleLogits.ts';

export interface LogitsOf {
  /** T of the micro-batches, prompt and answer together. */
  tokens: number;
  /** @returns logits [T, vocabulary] */
  logits(batch: MicroBatch, adapterScale: number): Promise<Float32Array>;
}

/**
 * @param index of the prompt among those that are asked at once, which keys its random numbers
 * @returns the new ids, the stop token included
 */
export async function continuePrompt(
  { tokens, logits }: LogitsOf,
  prompt: readonly number[],
  index: number,
  options: GenerationOptions,
  watch: GenerationWatch,
): Promise<number[]> {
  const ids = [...prompt];
  const adapterScale = options.adapterScales?.[index] ?? 1;
  const stream = randomKey(mix32(options.seed), options.streams?.[index] ?? index);
  while (!watch.stopped?.() && ids.length < tokens && ids.length - prompt.length < options.maxNewTokens) {
    const [batch] = packDocuments([{ inputIds: ids, labels: ids }], { tokens, padTokenId: 0 });
    const all = await logits(batch, adapterScale);
    const vocabulary = all.length / tokens;
    const next = sampleLogits(
      all.subarray((ids.length - 1) * vocabulary, ids.length * vocabulary),
      options,
      randomUnit(randomKey(stream, ids.length - prompt.length)),
    );
    ids.push(next);
    watch.onIds?.(index, ids.slice(prompt.length));
    if (options.stopTokenIds.includes(next)) break;
  }
  return ids.slice(prompt.length);
}
