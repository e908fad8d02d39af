/**
 * Rows packed into examples, as TRL's `packing` with its strategy bfd counts them: an example is a bin of up
 * to max_length tokens, and a micro-batch is so many bins. Rows of a bin do not see each other.
 */
import { bestFitDecreasing, type Bins } from '../../data/bestFit.ts';

/** Rows that are packed at a time: the batch of datasets' `map`, in which TRL packs. */
const ROWS_AT_ONCE = 1000;

/** @param lengths tokens of each row, at most `maxLength` @returns the rows of each example */
export function packedExamples(lengths: ArrayLike<number>, maxLength: number): Bins {
  const starts = [0];
  const items = new Uint32Array(lengths.length);
  for (let first = 0; first < lengths.length; first += ROWS_AT_ONCE) {
    const some = Array.prototype.slice.call(lengths, first, first + ROWS_AT_ONCE) as number[];
    const bins = bestFitDecreasing(some, maxLength, 'longest unchanged');
    for (let b = 1; b <= bins.count; b++) starts.push(first + bins.starts[b]);
    bins.items.forEach((item, i) => (items[first + i] = first + item));
  }
  return { count: starts.length - 1, starts: Uint32Array.from(starts), items };
}
