import type { DocumentSettings, RowDocument, RowDocuments } from './rows/encoding/rowDocuments.ts';

/**
 * The documents of a row with what is known of each. The answers of a pair are two, the chosen one first,
 * where a preference method reads them.
 */
export function labelledDocuments(
  { documents, pair, label }: RowDocuments,
  preferences: DocumentSettings['preferences'],
): { document: RowDocument; label: boolean | undefined }[] {
  const made = documents.map((document) => ({ document, label }));
  if (!pair || typeof preferences !== 'object') return made;
  return [...made, { document: pair.chosen, label: true }, { document: pair.rejected, label: false }];
}
