/**
 * Evaluates a validation file of preferences as a step is: the method's loss over all its rows, and rewards.
 */
import type { DocumentTable } from '../../data/documentTable.ts';
import type { BatchShape } from '../../data/packing.ts';
import type { Document } from '../../data/types.ts';
import type { PreferenceSettings } from './method.ts';
import { isReferenceFree } from './pairLosses.ts';
import { ktoStepLoss, pairStepLoss, type PreferenceFigures } from './preferenceObjective.ts';
import { mismatchedSequences } from './preferenceSteps.ts';
import { referenceOfSequences, type ScoreBatch } from './referenceScores.ts';
import { isScoredWhole, packSequences } from './sequences.ts';

/** The preferences among a validation file's documents. */
export interface PreferenceFile {
  settings: PreferenceSettings;
  documents: DocumentTable;
  /** Documents that are the chosen answer of a pair, which the rejected one follows. */
  pairStarts: readonly number[];
  /** Documents whose answer is wanted or not. */
  labels: ReadonlyMap<number, boolean>;
}

export function hasPreferences({ settings, pairStarts, labels }: PreferenceFile): boolean {
  return settings.kind === 'pairs' ? pairStarts.length > 0 : labels.size > 0;
}

export class PreferenceEvaluation {
  private reference: number[] | null = null;
  private mismatchedReference: number[] | null = null;

  constructor(
    private readonly file: PreferenceFile,
    private readonly shape: BatchShape,
  ) {}

  /** The reference is scored at the first call and kept. */
  async evaluate(score: ScoreBatch): Promise<PreferenceFigures & { loss: number }> {
    const { settings, documents, labels } = this.file;
    const indices = this.indices;
    const sequences = indices.map((i) => documents.at(i));
    const isWhole = settings.kind === 'pairs' ? isScoredWhole(settings.method) : () => false;
    const microBatches = packSequences(sequences, this.shape, isWhole);
    const losses: Float32Array[] = [];
    for (const batch of microBatches) losses.push((await score(batch, 1)).loss);
    if (settings.kind === 'pairs') {
      const reference = isReferenceFree(settings.method) ? null : await this.referenceScores(score);
      const { method } = settings;
      const pairsPerMean = sequences.length / 2;
      const step = { method, settings, microBatches, sequences, reference, pairsPerMean };
      const { loss, figures } = pairStepLoss(step, losses);
      return { ...figures, loss };
    }
    const mismatched = settings.usesReferencePoint ? await this.mismatched(sequences, score) : null;
    for (const batch of mismatched?.microBatches ?? []) losses.push((await score(batch, 1)).loss);
    const { loss, figures } = ktoStepLoss(
      {
        settings,
        microBatches,
        sequences,
        wanted: indices.map((i) => labels.get(i)!),
        reference: await this.referenceScores(score),
        mismatched,
        rowsPerMean: sequences.length,
      },
      losses,
    );
    return { ...figures, loss };
  }

  /** Every prompt with the answer of the row before it: the reference point is one of the whole file. */
  private async mismatched(documents: readonly Document[], score: ScoreBatch) {
    const sequences = mismatchedSequences(documents, documents.length, this.shape.tokens);
    this.mismatchedReference ??= await referenceOfSequences(sequences, this.shape, score);
    const microBatches = packSequences(sequences, this.shape);
    return { sequences, microBatches, reference: this.mismatchedReference };
  }

  private get indices(): number[] {
    const { settings, pairStarts, labels } = this.file;
    return settings.kind === 'pairs' ? pairStarts.flatMap((start) => [start, start + 1]) : [...labels.keys()];
  }

  private async referenceScores(score: ScoreBatch): Promise<number[]> {
    if (this.reference) return this.reference;
    const { documents } = this.file;
    const sequences = this.indices.map((i) => documents.at(i));
    return (this.reference = await referenceOfSequences(sequences, this.shape, score));
  }
}
