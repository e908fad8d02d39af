/** Packing: documents laid end to end in micro-batches of T tokens, best-fit decreasing. */
import { UserError } from '../lib/errors.ts';
import { largest } from '../lib/extremes.ts';
import { shuffled } from '../lib/random.ts';
import { bestFitDecreasing } from './bestFit.ts';
import { IGNORE_INDEX, type MicroBatch } from './types.ts';

/** Ids and labels of equal length. */
export interface PackedDocument {
  inputIds: ArrayLike<number>;
  labels: ArrayLike<number>;
}

/** A list of documents that are made when they are asked for, such as a `DocumentTable`. */
export interface PackableDocuments {
  /** Tokens of each. */
  readonly lengths: ArrayLike<number>;
  at(index: number): PackedDocument;
}

/** T, and the id that fills what no document needs. */
export interface BatchShape {
  tokens: number;
  padTokenId: number;
}

/** T is a multiple of this: kernels work on whole blocks of rows. */
const TOKENS_MULTIPLE = 32;

/**
 * Packs documents best-fit decreasing: the longest first, each into the fullest batch that still holds it.
 * Equal input gives equal output.
 * @param indices the index of each document in `spans`, which also keys its dropout mask; its place in the
 * list where absent
 * @throws UserError where a document is longer than `tokens`
 */
export function packDocuments(
  documents: readonly PackedDocument[],
  { tokens, padTokenId, indices }: BatchShape & { indices?: readonly number[] },
): MicroBatch[] {
  const lengths = documents.map(({ inputIds }) => inputIds.length);
  const packed = new Packing({ lengths, at: (i) => documents[i]! }, { tokens, padTokenId }, indices);
  return [...packed];
}

/** The same packing, of any number of documents: each batch is made when it is asked for. */
export class Packing {
  private readonly bins;

  /** @throws UserError where a document is longer than `tokens` */
  constructor(
    private readonly documents: PackableDocuments,
    private readonly shape: BatchShape,
    private readonly indices?: readonly number[],
  ) {
    const longest = largest(documents.lengths, 0);
    if (longest > shape.tokens)
      throw new UserError(
        `A row has ${longest} tokens, more than the ${shape.tokens} of a micro-batch. Lower max_length so that rows are cut.`,
      );
    this.bins = bestFitDecreasing(documents.lengths, shape.tokens);
  }

  /** How many batches there are. */
  get length(): number {
    return this.bins.count;
  }

  /** @returns a new batch each time */
  at(batch: number): MicroBatch {
    return layOut(this.documents, this.documentsOf(batch), this.shape, this.indices);
  }

  /** The batch that a document is in. */
  batchOf(document: number): number {
    const place = this.bins.items.indexOf(document);
    return this.bins.starts.findLastIndex((start) => start <= place);
  }

  *[Symbol.iterator](): Generator<MicroBatch> {
    for (let batch = 0; batch < this.length; batch++) yield this.at(batch);
  }

  private documentsOf(batch: number): Uint32Array {
    return this.bins.items.subarray(this.bins.starts[batch], this.bins.starts[batch + 1]);
  }
}

function layOut(
  documents: PackableDocuments,
  chosen: Iterable<number>,
  { tokens, padTokenId }: BatchShape,
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
  for (const document of chosen) {
    const { inputIds, labels } = documents.at(document);
    const length = inputIds.length;
    const index = indices?.[document] ?? document;
    batch.spans.push({ index, start, length });
    batch.inputIds.set(inputIds, start);
    batch.documentStart.fill(start, start, start + length);
    batch.documentEnd.fill(start + length, start, start + length);
    batch.documentIndex.fill(index, start, start + length);
    for (let p = 0; p < length; p++) {
      batch.positions[start + p] = p;
      const next = labels[p + 1] ?? IGNORE_INDEX;
      if (next !== IGNORE_INDEX) {
        batch.targets[start + p] = next;
        batch.supervisedTokens++;
      }
    }
    start += length;
  }
  return batch;
}

/** Targets of a document: its supervised labels but for one on the first position, which nothing predicts. */
export function supervisedTokens({ labels }: Pick<PackedDocument, 'labels'>): number {
  let count = 0;
  for (let p = 1; p < labels.length; p++) if (labels[p] !== IGNORE_INDEX) count++;
  return count;
}

/**
 * T for a run: nine of ten batches of `examplesPerBatch` documents, in the order in which the first epoch
 * trains them, fit into one micro-batch. At least the longest document, otherwise at most `limit`; rounded up
 * to a multiple of 32.
 */
export function chooseTokensPerMicroBatch(
  lengths: ArrayLike<number>,
  { seed, examplesPerBatch, limit }: { seed: number; examplesPerBatch: number; limit: number },
): number {
  const longest = largest(lengths, 1);
  const order = shuffled(lengths.length, seed, 0);
  const sums = new Float64Array(Math.ceil(lengths.length / examplesPerBatch));
  order.forEach((row, place) => (sums[Math.floor(place / examplesPerBatch)]! += lengths[row]!));
  sums.sort();
  const typical = sums[Math.min(sums.length - 1, Math.floor(sums.length * 0.9))] ?? longest;
  return Math.ceil(Math.max(longest, Math.min(typical, limit)) / TOKENS_MULTIPLE) * TOKENS_MULTIPLE;
}
