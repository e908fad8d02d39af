/** The steps of a run that learns from preferences: their micro-batches and objectives. */
import type { DocumentTable } from '../../data/documentTable.ts';
import type { BatchShape } from '../../data/packing.ts';
import { IGNORE_INDEX, type Document, type MicroBatch } from '../../data/types.ts';
import type { ScoredSequence } from './answerScores.ts';
import type { PreferenceSettings } from './method.ts';
import { isReferenceFree } from './pairLosses.ts';
import { ktoObjective, pairObjective, type PreferenceObjective } from './preferenceObjective.ts';
import { referenceOfDocuments, referenceOfSequences, type ScoreBatch } from './referenceScores.ts';
import { isScoredWhole, packSequences } from './sequences.ts';

export interface PreferenceRows {
  /** Of pairs: document 2k is the chosen answer, 2k + 1 the rejected one. */
  documents: DocumentTable;
  /** Of labelled answers: 1 where a document's is wanted. */
  labels: Uint8Array | null;
}

export interface PreferenceStepOptions {
  settings: PreferenceSettings;
  /** Examples over which TRL takes means: per_device_train_batch_size. */
  examplesPerMean: number;
  shape: BatchShape;
  score: ScoreBatch;
}

export class PreferenceSteps {
  private reference: Float64Array | null = null;

  constructor(
    private readonly rows: PreferenceRows,
    private readonly options: PreferenceStepOptions,
  ) {}

  /** Scores every answer under the reference, once, before the first step. */
  async prepare(onProgress: (done: number, total: number) => void): Promise<void> {
    const { settings, shape, score } = this.options;
    if (settings.kind === 'pairs' && isReferenceFree(settings.method)) return;
    this.reference = await referenceOfDocuments(this.rows.documents, shape, score, onProgress);
  }

  /** @param indices documents of the step; of pairs two each, the chosen one first */
  async make(indices: Uint32Array): Promise<{ microBatches: MicroBatch[]; objective: PreferenceObjective }> {
    const { settings, examplesPerMean, shape } = this.options;
    const documents = Array.from(indices, (i) => this.rows.documents.at(i));
    const reference = this.reference && Array.from(indices, (i) => this.reference![i]);
    if (settings.kind === 'pairs') {
      const { method } = settings;
      const microBatches = packSequences(documents, shape, isScoredWhole(method));
      const objective = pairObjective({
        method,
        settings,
        microBatches,
        sequences: documents,
        reference,
        pairsPerMean: examplesPerMean,
      });
      return { microBatches, objective };
    }
    const microBatches = packSequences(documents, shape);
    return {
      microBatches,
      objective: ktoObjective({
        settings,
        microBatches,
        sequences: documents,
        wanted: Array.from(indices, (i) => this.rows.labels![i] === 1),
        reference: reference!,
        mismatched: settings.usesReferencePoint ? await this.mismatched(documents) : null,
        rowsPerMean: examplesPerMean,
      }),
    };
  }

  private async mismatched(documents: readonly Document[]) {
    const { examplesPerMean, shape, score } = this.options;
    const sequences = mismatchedSequences(documents, examplesPerMean, shape.tokens);
    return {
      microBatches: packSequences(sequences, shape),
      sequences,
      reference: await referenceOfSequences(sequences, shape, score),
    };
  }
}

/**
 * TRL's mismatched answers: within each batch of `size` every prompt gets the answer of the row before it.
 * @param most tokens of a sequence; what is longer is cut
 */
export function mismatchedSequences(
  documents: readonly Document[],
  size: number,
  most: number,
): ScoredSequence[] {
  return documents.map((document, i) => {
    const first = Math.floor(i / size) * size;
    const last = Math.min(first + size, documents.length) - 1;
    return joined(document, documents[i === first ? last : i - 1], most);
  });
}

/** The prompt of one document with the answer of another, cut to what a micro-batch holds. */
function joined(prompt: Document, answer: Document, most: number): ScoredSequence {
  const before = prompt.inputIds.subarray(0, prompt.promptTokens);
  const after = answer.inputIds.subarray(answer.promptTokens);
  const inputIds = [...before, ...after].slice(0, most);
  const labels = inputIds.map((id, i) => (i < before.length ? IGNORE_INDEX : id));
  return { inputIds, labels };
}
