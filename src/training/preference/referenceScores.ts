/** Log-probabilities of answers under the reference: the same model with the adapter off. */
import type { DocumentTable } from '../../data/documentTable.ts';
import { Packing, type BatchShape } from '../../data/packing.ts';
import type { MicroBatch } from '../../data/types.ts';
import { answerScores, type ScoredSequence } from './answerScores.ts';
import { packSequences } from './sequences.ts';

/** Cross entropy of each token of a batch, [T]. @param adapterScale 0: the reference */
export type ScoreBatch = (batch: MicroBatch, adapterScale: number) => Promise<{ loss: Float32Array }>;

/** @returns for each document of the table the sum over its answer's tokens */
export async function referenceOfDocuments(
  documents: DocumentTable,
  shape: BatchShape,
  score: ScoreBatch,
  onProgress: (done: number, total: number) => void = () => undefined,
): Promise<Float64Array> {
  const sums = new Float64Array(documents.length);
  const packing = new Packing(documents, shape);
  let done = 0;
  for (const batch of packing) {
    const { loss } = await score(batch, 0);
    // Losses are 0 where nothing is supervised.
    for (const { index, start, length } of batch.spans)
      for (let t = start; t < start + length; t++) sums[index] -= loss[t];
    onProgress(++done, packing.length);
  }
  return sums;
}

/** The same of a few sequences. */
export async function referenceOfSequences(
  sequences: readonly ScoredSequence[],
  shape: BatchShape,
  score: ScoreBatch,
): Promise<number[]> {
  const batches = packSequences(sequences, shape);
  const losses: Float32Array[] = [];
  for (const batch of batches) losses.push((await score(batch, 0)).loss);
  return answerScores(batches, sequences, losses).map(({ sum }) => sum);
}
