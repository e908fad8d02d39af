/**
 * The models of a tokenizer.json that are known to give the ids of Python's library: BPE, Unigram, WordPiece.
 */
import * as v from 'valibot';

const flag = v.optional(v.boolean());

/** No vocabulary is larger: an id beyond it, below 0 or between two is damage. */
const MOST_IDS = 16_777_216;

function isTokenId(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) < MOST_IDS;
}

function isMerge(value: unknown): boolean {
  return (
    typeof value === 'string' ||
    (Array.isArray(value) && value.length === 2 && value.every((part) => typeof part === 'string'))
  );
}

function isPiece(value: unknown): boolean {
  return (
    Array.isArray(value) && value.length === 2 && typeof value[0] === 'string' && Number.isFinite(value[1])
  );
}

/** Vocabularies and merges are large: they are checked where they are read. */
const vocabulary = v.custom<Record<string, number>>(
  (value) =>
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    Object.values(value).every(isTokenId),
);
export const tokenId = v.custom<number>(isTokenId);
export const bpe = v.strictObject({
  type: v.optional(v.literal('BPE')),
  // Drops merges at random.
  dropout: v.nullish(v.literal(0)),
  unk_token: v.nullish(v.string()),
  continuing_subword_prefix: v.nullish(v.literal('')),
  end_of_word_suffix: v.nullish(v.string()),
  fuse_unk: flag,
  byte_fallback: flag,
  ignore_merges: flag,
  vocab: vocabulary,
  merges: v.custom<(string | [string, string])[]>((value) => Array.isArray(value) && value.every(isMerge)),
});
export const unigram = v.strictObject({
  type: v.optional(v.literal('Unigram')),
  unk_id: v.nullish(tokenId),
  byte_fallback: flag,
  vocab: v.custom<[string, number][]>((value) => Array.isArray(value) && value.every(isPiece)),
});
export const wordPiece = v.strictObject({
  type: v.optional(v.literal('WordPiece')),
  unk_token: v.string(),
  continuing_subword_prefix: v.string(),
  max_input_chars_per_word: tokenId,
  vocab: vocabulary,
});
export type BpeModel = v.InferOutput<typeof bpe>;
export type UnigramModel = v.InferOutput<typeof unigram>;
export type WordPieceModel = v.InferOutput<typeof wordPiece>;
