/** Which rows make a step, and the micro-batches they are packed in: what the trainer trains and what the page shows before. */
import { packDocuments, type PackedDocument } from '../data/packing.ts';
import type { MicroBatch } from '../data/types.ts';
import { shuffled } from '../lib/random.ts';
import { examplesPerStep, type Recipe } from './recipe.ts';

export function stepsPerEpoch(rows: number, recipe: Recipe): number {
  return Math.ceil(rows / examplesPerStep(recipe));
}

/** Indices of the rows of a step (0-based): the epoch's order, cut in pieces; the last piece of an epoch may be smaller, as in transformers. */
export function rowsOfStep(rows: number, recipe: Recipe, step: number): number[] {
  const size = examplesPerStep(recipe);
  const perEpoch = stepsPerEpoch(rows, recipe);
  const first = (step % perEpoch) * size;
  return shuffled(rows, recipe.training.seed, Math.floor(step / perEpoch)).slice(first, first + size);
}

/** Spans of the micro-batches point into `rowsOfStep`. */
export function microBatchesOfStep(
  documents: readonly PackedDocument[],
  recipe: Recipe,
  step: number,
  packing: { tokens: number; padTokenId: number },
): MicroBatch[] {
  return packDocuments(
    rowsOfStep(documents.length, recipe, step).map((row) => documents[row]),
    packing,
  );
}

/** The first step (0-based) that sees a row. */
export function firstStepOfRow(rows: number, recipe: Recipe, row: number): number {
  return Math.floor(shuffled(rows, recipe.training.seed, 0).indexOf(row) / examplesPerStep(recipe));
}
