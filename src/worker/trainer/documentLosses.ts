/** The loss of each of some documents, by the adapter that an engine holds. */
import type { DocumentTable } from '../../data/documentTable.ts';
import { packDocuments } from '../../data/packing.ts';
import type { MicroBatch } from '../../data/types.ts';
import type { TokenScores } from '../../engine/engine.ts';
import { rowLosses } from '../../training/evaluation.ts';

interface Following {
  /** Micro-batches. */
  onProgress: (done: number, total: number) => void;
  stopped: () => boolean;
}

/**
 * @returns mean cross entropy of each document's supervised tokens, nats; NaN for documents that are longer
 *   than a micro-batch, and for those that were left when it was stopped
 */
export async function documentLosses(
  documents: DocumentTable,
  padTokenId: number,
  engine: { tokensPerMicroBatch: number; score(batch: MicroBatch): Promise<Pick<TokenScores, 'loss'>> },
  { onProgress, stopped }: Following,
): Promise<Float32Array> {
  const shape = { tokens: engine.tokensPerMicroBatch, padTokenId };
  const losses = new Float32Array(documents.length).fill(NaN);
  const fitting = [...documents.lengths.keys()].filter((row) => documents.lengths[row] <= shape.tokens);
  const batches = packDocuments(
    fitting.map((row) => documents.at(row)),
    shape,
  );
  for (const [i, batch] of batches.entries()) {
    if (stopped()) break;
    onProgress(i, batches.length);
    rowLosses(batch, await engine.score(batch), (place, loss) => (losses[fitting[place]] = loss));
  }
  return losses;
}
