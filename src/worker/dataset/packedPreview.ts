/** The tensor that a row is trained (or evaluated) in, for the page to draw: the packed micro-batch itself, with the text of its tokens. */
import type { Dataset } from '../../data/documents.ts';
import { packDocuments } from '../../data/packing.ts';
import type { ChatTokenizer } from '../../data/tokenizer/chatTokenizer.ts';
import { IGNORE_INDEX, type Document } from '../../data/types.ts';
import { firstStepOfRow, microBatchesOfStep, rowsOfStep } from '../../training/batches.ts';
import type { MaskChecks, PackedPreview, PackedRequest } from './datasetProtocol.ts';

/** @returns null where the file has no such row */
export function packedPreview(
  { documents }: Dataset,
  tokenizer: ChatTokenizer,
  { row, tokensPerMicroBatch, recipe }: PackedRequest,
): PackedPreview | null {
  if (row < 0 || row >= documents.length) return null;
  const packing = { tokens: tokensPerMicroBatch, padTokenId: tokenizer.padTokenId };
  const step = recipe ? firstStepOfRow(documents.length, recipe, row) : null;
  const rows = recipe ? rowsOfStep(documents.length, recipe, step!) : [...documents.keys()];
  const batches = recipe
    ? microBatchesOfStep(documents, recipe, step!, packing)
    : packDocuments(documents, packing);
  const place = rows.indexOf(row);
  const index = batches.findIndex(({ spans }) => spans.some((span) => span.index === place));
  const batch = batches[index];
  const ids = new Set([...batch.inputIds, ...batch.targets].filter((id) => id >= 0));
  return {
    step,
    index,
    of: batches.length,
    batch,
    tokens: new Map(
      [...ids].map((id) => [id, { text: tokenizer.tokenText(id), special: tokenizer.isSpecial(id) }]),
    ),
    rows: batch.spans.map((span) => ({
      row: rows[span.index],
      line: documents[rows[span.index]].line,
      start: span.start,
      length: span.length,
    })),
  };
}

/** What would be learned wrongly however well it is learned. */
export function maskChecks({ documents }: Dataset, tokenizer: ChatTokenizer): MaskChecks {
  // A raw text, which has no prompt, is a text to go on from: it need not end.
  const endless = documents.filter(
    (document) =>
      document.promptTokens > 0 &&
      document.truncatedTokens === 0 &&
      !endsItself(document, tokenizer.stopTokenIds),
  );
  return {
    withoutEnd: endless.length,
    firstWithoutEnd: endless[0]?.line ?? null,
    padIsEnd: tokenizer.endTokenIds.includes(tokenizer.padTokenId),
  };
}

/** Whether a token that ends answers is among what is learned. */
function endsItself({ inputIds, labels }: Document, stopTokenIds: readonly number[]): boolean {
  return inputIds.some((id, i) => labels[i] !== IGNORE_INDEX && stopTokenIds.includes(id));
}
