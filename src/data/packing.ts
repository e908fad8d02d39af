/** Packing: documents laid end to end in micro-batches of T tokens, best fit decreasing. */
import { UserError } from '../lib/errors.ts';
import { IGNORE_INDEX, type Document, type MicroBatch } from './types.ts';

export type PackedDocument = Pick<Document, 'inputIds' | 'labels'>;

/** T is a multiple of this: kernels work on whole blocks of rows. */
const TOKENS_MULTIPLE = 32;

/**
 * Packs documents best-fit decreasing: the longest first, each into the fullest batch that still holds it. Equal input gives equal output.
 * @param indices what each document is called in `spans` and keys its dropout mask with; its place in the list where absent
 * @throws UserError where a document is longer than `tokens`
 */
export function packDocuments(
  documents: readonly PackedDocument[],
  { tokens, padTokenId, indices }: { tokens: number; padTokenId: number; indices?: readonly number[] },
): MicroBatch[] {
  const bins: { members: number[]; used: number }[] = [];
  const order = documents
    .map((_, i) => i)
    .sort((a, b) => documents[b].inputIds.length - documents[a].inputIds.length || a - b);
  for (const i of order) {
    const length = documents[i].inputIds.length;
    if (length > tokens)
      throw new UserError(
        `A row has ${length} tokens, more than the ${tokens} of a micro-batch. Lower max_length so that rows are cut.`,
      );
    let best: (typeof bins)[number] | undefined;
    for (const bin of bins) if (bin.used + length <= tokens && (!best || bin.used > best.used)) best = bin;
    if (!best) bins.push((best = { members: [], used: 0 }));
    best.members.push(i);
    best.used += length;
  }
  return bins.map(({ members }) => layOut(documents, members, tokens, padTokenId, indices));
}

function layOut(
  documents: readonly PackedDocument[],
  members: readonly number[],
  tokens: number,
  padTokenId: number,
  indices?: readonly number[],
): MicroBatch {
  const batch: MicroBatch = {
    tokens,
    inputIds: new Uint32Array(tokens).fill(padTokenId),
    positions: new Uint32Array(tokens),
    documentStart: Uint32Array.from({ length: tokens }, (_, t) => t),
    documentEnd: Uint32Array.from({ length: tokens }, (_, t) => t + 1),
    documentIndex: new Uint32Array(tokens),
    targets: new Int32Array(tokens).fill(-1),
    spans: [],
    supervisedTokens: 0,
  };
  let start = 0;
  for (const member of members) {
    const { inputIds, labels } = documents[member];
    const length = inputIds.length;
    const index = indices?.[member] ?? member;
    batch.spans.push({ index, start, length });
    batch.inputIds.set(inputIds, start);
    batch.documentStart.fill(start, start, start + length);
    batch.documentEnd.fill(start + length, start, start + length);
    batch.documentIndex.fill(index, start, start + length);
    for (let p = 0; p < length; p++) {
      batch.positions[start + p] = p;
      if (p + 1 < length && labels[p + 1] !== IGNORE_INDEX) {
        batch.targets[start + p] = labels[p + 1];
        batch.supervisedTokens++;
      }
    }
    start += length;
  }
  return batch;
}

/** Targets of a document: its supervised labels but for one on the first position, which nothing predicts. */
export function supervisedTokens({ labels }: Pick<Document, 'labels'>): number {
  let count = 0;
  for (let p = 1; p < labels.length; p++) if (labels[p] !== IGNORE_INDEX) count++;
  return count;
}

/**
 * T for a run: what nine of ten batches of `examplesPerBatch` neighbouring documents fit in one micro-batch with, at least the longest
 * document, at most `limit` (but never less than the longest document), rounded up to a multiple of 32.
 */
export function chooseTokensPerMicroBatch(
  lengths: readonly number[],
  examplesPerBatch: number,
  limit: number,
): number {
  const longest = Math.max(1, ...lengths);
  const sums: number[] = [];
  for (let i = 0; i < lengths.length; i += examplesPerBatch)
    sums.push(lengths.slice(i, i + examplesPerBatch).reduce((a, b) => a + b, 0));
  sums.sort((a, b) => a - b);
  const typical = sums[Math.min(sums.length - 1, Math.floor(sums.length * 0.9))] ?? longest;
  return Math.ceil(Math.max(longest, Math.min(typical, limit)) / TOKENS_MULTIPLE) * TOKENS_MULTIPLE;
}
