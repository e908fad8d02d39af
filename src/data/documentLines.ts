/** Documents as JSON lines of `input_ids` and `labels`: rows as they are trained, for other programs. */
import type { Document } from './types.ts';

/** Characters of a part: a blob of few large parts, not of one a row. */
const PART_CHARACTERS = 4 * 2 ** 20;

export function documentLines(documents: Iterable<Pick<Document, 'inputIds' | 'labels'>>): Blob {
  const parts: Blob[] = [];
  let text = '';
  const cut = () => {
    parts.push(new Blob([text]));
    text = '';
  };
  for (const { inputIds, labels } of documents) {
    text += `{"input_ids": [${inputIds.join()}], "labels": [${labels.join()}]}\n`;
    if (text.length > PART_CHARACTERS) cut();
  }
  cut();
  return new Blob(parts, { type: 'application/x-ndjson' });
}
