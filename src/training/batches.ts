/**
 * Which rows make a step, and the micro-batches they are packed in: what the trainer trains and what the page
 * shows before.
 */
import { packDocuments, type BatchShape, type PackableDocuments } from '../data/packing.ts';
import type { MicroBatch } from '../data/types.ts';
import { shuffled } from '../lib/random.ts';
import { examplesPerStep, type Recipe } from './recipe.ts';

/**
 * Draws the rows of each step without replacement: the order of an epoch is cut in pieces of
 * `examplesPerStep`; the last piece of an epoch may be smaller, as in transformers. An epoch's order is made
 * once and kept, so that a step costs the same however many rows there are.
 */
export class BatchSampler {
  readonly stepsPerEpoch: number;
  private readonly examples: number;
  private readonly seed: number;
  private epoch = -1;
  private order: Uint32Array = new Uint32Array();

  constructor(
    readonly rows: number,
    recipe: Recipe,
  ) {
    this.examples = examplesPerStep(recipe);
    this.seed = recipe.training.seed;
    this.stepsPerEpoch = Math.ceil(rows / this.examples);
  }

  /** Indices of the rows of a step (0-based). */
  rowsOf(step: number): Uint32Array {
    const first = (step % this.stepsPerEpoch) * this.examples;
    return this.orderOf(Math.floor(step / this.stepsPerEpoch)).slice(first, first + this.examples);
  }

  /** The first step (0-based) that sees a row. */
  firstStepOf(row: number): number {
    return Math.floor(this.orderOf(0).indexOf(row) / this.examples);
  }

  /** Steps come in turn, so that the order of one epoch is enough. */
  private orderOf(epoch: number): Uint32Array {
    if (epoch !== this.epoch) {
      this.order = shuffled(this.rows, this.seed, epoch);
      this.epoch = epoch;
    }
    return this.order;
  }
}

/** The micro-batches of a step. Their spans point into `rows`. */
export function microBatchesOf(
  documents: PackableDocuments,
  rows: Iterable<number>,
  shape: BatchShape,
): MicroBatch[] {
  return packDocuments(
    Array.from(rows, (row) => documents.at(row)),
    shape,
  );
}
