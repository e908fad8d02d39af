/**
 * Which rows of the training files are used for what: rows that the recipe leaves out, and rows held out as a
 * validation set.
 */
import { mix32, randomKey } from '../../lib/counterRandom.ts';
import type { Row } from './conversation.ts';
import { found, type CountedRows } from './rowFindings.ts';
import { rowFingerprint, rowKey } from './rowStatistics.ts';

/** The rows of a data set that are asked for. */
export interface Selection {
  /** Keys (`rowKey`) of rows that are not used, whatever file they are in. */
  leftOut: readonly string[];
  /** Share of the rows that is held out where below 1, else how many; 0: none. */
  valSetSize: number;
  seed: number;
  /** The rows that are trained on, those that are held out, or both. */
  side: 'train' | 'heldOut' | 'both';
}

/** The keys of a recipe that select rows. */
interface SelectingRecipe {
  left_out_rows: readonly string[];
  val_set_size: number;
  training: { seed: number };
}

export function selectionOf(recipe: SelectingRecipe): Omit<Selection, 'side'> {
  return { leftOut: recipe.left_out_rows, valSetSize: recipe.val_set_size, seed: recipe.training.seed };
}

export const EVERY_ROW: Selection = { leftOut: [], valSetSize: 0, seed: 0, side: 'both' };

/** Name of the validation set that is held out of the training files. */
export const HELD_OUT = 'held_out';

/** Rows that say the same, counted. */
export class RowGroups {
  private readonly counts = new Map<number, number>();
  private rows = 0;

  add(row: Row): void {
    const hash = rowFingerprint(row);
    this.counts.set(hash, (this.counts.get(hash) ?? 0) + 1);
    this.rows++;
  }

  /**
   * Groups that are held out: in an order by the seed and the rows themselves, as many as fit into the size,
   * so that rows which say the same fall on one side and the order of the files does not matter. At least
   * one group is held out, and one trained on, where there are two.
   */
  heldOut({ valSetSize, seed }: Pick<Selection, 'valSetSize' | 'seed'>): Set<number> {
    const { counts, rows } = this;
    const found = new Set<number>();
    if (valSetSize === 0 || counts.size < 2) return found;
    const wanted = Math.max(1, valSetSize < 1 ? Math.round(rows * valSetSize) : valSetSize);
    const order = [...counts.keys()]
      .map((hash) => ({ hash, place: placeOf(hash, seed) }))
      .sort((a, b) => a.place - b.place || a.hash - b.hash);
    let held = 0;
    for (const { hash } of order) {
      const count = counts.get(hash)!;
      if (held + count > wanted || found.size === counts.size - 1) continue;
      found.add(hash);
      held += count;
      if (held === wanted) break;
    }
    // Every group is larger than what is wanted: the smallest one is.
    if (found.size === 0)
      found.add(order.reduce((a, b) => (counts.get(b.hash)! < counts.get(a.hash)! ? b : a)).hash);
    return found;
  }
}

function placeOf(hash: number, seed: number): number {
  return randomKey(randomKey(mix32(seed), hash >>> 0), Math.floor(hash / 2 ** 32));
}

/** Of the rows that a recipe leaves out, so many are named. */
const NAMED = 200;

/** Says of each row whether it is asked for, and names those that the recipe leaves out. */
export class RowFilter {
  readonly leftOut: CountedRows = { rows: [], count: 0 };
  private readonly keys: ReadonlySet<string>;

  /** @param heldOut groups that are held out; null where nothing is */
  constructor(
    private readonly selection: Selection,
    private readonly heldOut: ReadonlySet<number> | null,
  ) {
    this.keys = new Set(selection.leftOut);
  }

  takes(row: Row): boolean {
    if (this.keys.size > 0 && this.keys.has(rowKey(row))) {
      if (++this.leftOut.count <= NAMED) this.leftOut.rows.push(found(row, 'left_out_rows'));
      return false;
    }
    if (!this.heldOut || this.selection.side === 'both') return true;
    return this.heldOut.has(rowFingerprint(row)) === (this.selection.side === 'heldOut');
  }
}
