/** Rows of a data file ranked by their loss: all of a validation file, or a sample of the training rows. */
import type { Dataset } from '../../data/documents.ts';
import { DocumentTable } from '../../data/documentTable.ts';
import { excerpt } from '../../data/files/records.ts';
import type { FoundRow } from '../../data/rows/rowFindings.ts';
import { keyOfHash } from '../../data/rows/rowStatistics.ts';
import type { ChatTokenizer } from '../../data/tokenizer/chatTokenizer.ts';
import { IGNORE_INDEX } from '../../data/types.ts';

export interface RowsByLoss {
  /** What the model finds hardest: wrong answers are often among them. */
  highest: FoundRow[];
  /** What it knows already. */
  lowest: FoundRow[];
  /** Rows that were ranked, of how many. */
  ranked: number;
  of: number;
}

/**
 * @param losses mean loss a supervised token of each of `rows`; NaN where there is none
 * @param rows documents; a row of the file that is several documents is listed once, by the first of them
 */
export function rowsByLoss(
  rows: ArrayLike<number>,
  losses: Float32Array,
  { documents, keys }: Pick<Dataset, 'documents' | 'keys'>,
  tokenizer: Pick<ChatTokenizer, 'decode'>,
  count: number,
): RowsByLoss {
  const order = [...losses.keys()]
    .filter((i) => !Number.isNaN(losses[i]))
    .sort((a, b) => losses[b] - losses[a] || a - b);
  const first = (places: readonly number[]): FoundRow[] => {
    const found = new Map<string, FoundRow>();
    for (const i of places) {
      if (found.size === count) break;
      const row = rows[i];
      const key = keyOfHash(keys[row]);
      const { inputIds, labels, line, file } = documents.at(row);
      if (found.has(`${file} ${line}`)) continue;
      const answer = tokenizer.decode(
        inputIds.filter((_, p) => labels[p] !== IGNORE_INDEX),
        { skipSpecial: true },
      );
      const what = `loss ${losses[i].toFixed(3)}`;
      found.set(`${file} ${line}`, { line, file, key, what, text: excerpt(answer.trim()) });
    }
    return [...found.values()];
  };
  return {
    highest: first(order),
    lowest: first(order.toReversed()),
    ranked: order.length,
    of: documents.length,
  };
}

/** At most so many rows, spread evenly over the file, without rejected answers. Ascending. */
export function sampledRows(
  { documents, pairStarts }: Pick<Dataset, 'documents' | 'pairStarts'>,
  most: number,
): Uint32Array {
  const rejected = new Set(pairStarts.map((start) => start + 1));
  const rows = Uint32Array.from({ length: documents.length }, (_, row) => row).filter(
    (row) => !rejected.has(row),
  );
  if (rows.length <= most) return rows;
  return Uint32Array.from({ length: most }, (_, i) => rows[Math.floor(((i + 0.5) * rows.length) / most)]);
}

/** A table of some of a table's documents. */
export function tableOf(documents: DocumentTable, rows: Uint32Array): DocumentTable {
  return DocumentTable.of(
    '',
    Array.from(rows, (row) => documents.at(row)),
  );
}
