/** How far the reading of a data file has come, in words. */
import { t } from '../language/messages.svelte.ts';
export interface ReadingProgress {
  /** Rows read; while they are counted (total 0), those found so far. */
  done: number;
  /** 0 until it is known. */
  total: number;
}

export function progressText({ done, total }: ReadingProgress): string {
  return t.data.reading(done, total);
}

/** Where a reading was stopped, to follow "was stopped". */
export function stoppedAt({ done, total }: ReadingProgress): string {
  return t.data.stoppedAt(done, total);
}
