/** Rows of a validation file ranked by what an evaluation made of them. */
import type { Dataset } from '../../data/documents.ts';
import { excerpt } from '../../data/files/records.ts';
import type { FoundRow } from '../../data/rows/rowFindings.ts';

export interface RowsByLoss {
  /** What the model finds hardest: wrong answers are often among them. */
  highest: FoundRow[];
  /** What it knows already. */
  lowest: FoundRow[];
}

/** @param losses mean loss a supervised token of each document; NaN where there is none */
export function rowsByLoss(
  losses: Float32Array,
  { documents, sources }: Pick<Dataset, 'documents' | 'sources'>,
  count: number,
): RowsByLoss {
  const order = [...losses.keys()]
    .filter((row) => !Number.isNaN(losses[row]))
    .sort((a, b) => losses[b] - losses[a] || a - b);
  const found = (row: number): FoundRow => ({
    line: documents.lineOf(row),
    file: documents.fileOf(row),
    key: sources[row].key,
    what: `loss ${losses[row].toFixed(3)}`,
    text: excerpt(sources[row].answer),
  });
  return {
    highest: order.slice(0, count).map(found),
    lowest: order.slice(-count).reverse().map(found),
  };
}
