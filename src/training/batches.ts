/**
 * Which rows make a step, and the micro-batches they are packed in: what the trainer trains and what the page
 * shows before.
 */
import { packDocuments, type BatchShape, type PackableDocuments } from '../data/packing.ts';
import type { Bins } from '../data/bestFit.ts';
import type { MicroBatch } from '../data/types.ts';
import { UserError } from '../lib/errors.ts';
import { shuffled } from '../lib/random.ts';
import { documentsPerExample } from './preference/method.ts';
import { packedExamples } from './batching/packedExamples.ts';
import { mixedOrder, type MixedFile } from './batching/rowMix.ts';
import { examplesPerStep, type Recipe } from './recipe.ts';

/** In which a row is looked for. */
const MOST_EPOCHS = 100;

/**
 * Draws the rows of each step without replacement: the order of an epoch is cut in pieces of
 * `examplesPerStep`; the last piece of an epoch may be smaller, as in transformers. An epoch's order is made
 * once and kept, so that a step costs the same however many rows there are.
 */
export class BatchSampler {
  readonly stepsPerEpoch: number;
  private readonly examples: number;
  private readonly perExample: 1 | 2;
  private readonly seed: number;
  private epoch = -1;
  private order: Uint32Array = new Uint32Array();

  /** Rows, pairs or packed examples: what an epoch is an order of. */
  private readonly count: number;
  private readonly packed: Bins | null;
  private readonly groupsByLength: boolean;

  /**
   * @param lengths tokens of each document; a pair of answers is two
   * @param mix of several files; null: each document once an epoch
   */
  constructor(
    private readonly lengths: ArrayLike<number>,
    recipe: Recipe,
    private readonly mix: readonly MixedFile[] | null = null,
  ) {
    this.groupsByLength = recipe.training.group_by_length;
    this.perExample = documentsPerExample(recipe.method);
    this.examples = examplesPerStep(recipe);
    this.seed = recipe.training.seed;
    this.packed = recipe.training.packing ? packedExamples(lengths, recipe.max_length) : null;
    this.count = this.packed?.count ?? lengths.length / this.perExample;
    this.stepsPerEpoch = Math.ceil(this.count / this.examples);
  }

  /** Indices of the rows of a step (0-based); of pairs the two answers one after the other. */
  rowsOf(step: number): Uint32Array {
    const first = (step % this.stepsPerEpoch) * this.examples;
    const drawn = this.orderOf(Math.floor(step / this.stepsPerEpoch)).slice(first, first + this.examples);
    if (this.packed) return Uint32Array.from([...drawn].flatMap((example) => [...this.packedIn(example)]));
    if (this.perExample === 1) return drawn;
    return Uint32Array.from({ length: 2 * drawn.length }, (_, i) => 2 * drawn[i >> 1] + (i & 1));
  }

  /** The first step (0-based) that sees a row; of mixed files it may lie in a later epoch. */
  firstStepOf(row: number): number {
    const example = this.exampleOf(row);
    for (let epoch = 0; epoch < MOST_EPOCHS; epoch++) {
      const place = this.orderOf(epoch).indexOf(example);
      if (place >= 0) return epoch * this.stepsPerEpoch + Math.floor(place / this.examples);
    }
    throw new UserError(
      `This row is not drawn in the first ${MOST_EPOCHS} epochs: raise its file's mix_ratios.`,
    );
  }

  private exampleOf(row: number): number {
    if (!this.packed) return Math.floor(row / this.perExample);
    const place = this.packed.items.indexOf(row);
    return this.packed.starts.findLastIndex((start) => start <= place);
  }

  private packedIn(example: number): Uint32Array {
    const { starts, items } = this.packed!;
    return items.subarray(starts[example], starts[example + 1]);
  }

  private lengthOf(example: number): number {
    if (this.packed) return this.packedIn(example).reduce((sum, row) => sum + this.lengths[row], 0);
    const first = example * this.perExample;
    return this.lengths[first] + (this.perExample === 2 ? this.lengths[first + 1] : 0);
  }

  /** Steps come in turn, so that the order of one epoch is enough. */
  private orderOf(epoch: number): Uint32Array {
    if (epoch !== this.epoch) {
      this.order = this.mix ? mixedOrder(this.mix, this.seed, epoch) : shuffled(this.count, this.seed, epoch);
      if (this.groupsByLength)
        this.order = groupedByLength(this.order, (example) => this.lengthOf(example), this.examples);
      this.epoch = epoch;
    }
    return this.order;
  }
}

/**
 * transformers' get_length_grouped_indices: an order in which the examples of a step have similar lengths. It
 * is cut into pieces of up to 50 steps, each is sorted from the longest, and the longest of all comes first.
 * @param order a random order of all examples
 */
export function groupedByLength(
  order: Uint32Array,
  lengthOf: (example: number) => number,
  examplesPerStep: number,
): Uint32Array {
  const steps = Math.min(Math.floor(order.length / (examplesPerStep * 4)), 50) || 1;
  const size = steps * examplesPerStep;
  const pieces: number[][] = [];
  for (let first = 0; first < order.length; first += size)
    pieces.push([...order.subarray(first, first + size)].sort((a, b) => lengthOf(b) - lengthOf(a)));
  const longest = pieces.reduce(
    (best, [example], i) => (lengthOf(example) > lengthOf(pieces[best][0]) ? i : best),
    0,
  );
  if (pieces.length > 0) [pieces[0][0], pieces[longest][0]] = [pieces[longest][0], pieces[0][0]];
  return Uint32Array.from(pieces.flat());
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
