/** How far the reading of a data file has come, in words. */
import { integer } from '../text.ts';

export interface ReadingProgress {
  /** Rows read; while they are counted (total 0), those found so far. */
  done: number;
  /** 0 until it is known. */
  total: number;
}

export function progressText({ done, total }: ReadingProgress): string {
  if (total > 0) return `Reading rows: ${integer(done)} of ${integer(total)}`;
  return done > 0 ? `Counting rows: ${integer(done)}` : 'Reading rows';
}

/** Where a reading was stopped, to follow "was stopped". */
export function stoppedAt({ done, total }: ReadingProgress): string {
  if (total > 0) return ` at row ${integer(done)} of ${integer(total)}`;
  return done > 0 ? ` while its rows were counted, at ${integer(done)}` : '';
}
