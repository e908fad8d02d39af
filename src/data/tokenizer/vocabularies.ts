/**
 * Words to ids: BPE and WordPiece by @huggingface/tokenizers, Unigram by our own, what a vocabulary lacks as
 * Rust's tokenizers has it.
 */
import { BPE, WordPiece } from '@huggingface/tokenizers';
import { UserError } from '../../lib/errors.ts';
import { mergeLongWord, mergeRanks, type MergeRanks } from './longWords.ts';
import type { TokenizerJson } from './tokenizerJson.ts';
import type { BpeModel, UnigramModel, WordPieceModel } from './tokenizerModels.ts';
import { UnigramCutter } from './unigram.ts';

export interface Vocabulary {
  /** Ids by text, without added tokens. */
  ids: ReadonlyMap<string, number>;
  idsOf(word: string): readonly number[];
}

/** Words kept with their ids: most words of a text come again. */
const WORDS_KEPT = 50_000;
const LONGEST_KEPT = 64;
/** Beyond this a word's merges take the library long. */
const LONG_WORD = 512;

/** @throws UserError for a vocabulary that cannot be used */
export function makeVocabulary(model: TokenizerJson['model']): Vocabulary {
  const made =
    model.kind === 'BPE' ? bpe(model) : model.kind === 'Unigram' ? unigram(model) : wordPiece(model);
  const kept = new Map<string, readonly number[]>();
  return {
    ids: made.ids,
    idsOf(word) {
      const known = kept.get(word);
      if (known) return known;
      const ids = made.idsOf(word);
      if (word.length <= LONGEST_KEPT) {
        if (kept.size >= WORDS_KEPT) kept.clear();
        kept.set(word, ids);
      }
      return ids;
    },
  };
}

function bpe({ kind: _, ...model }: { kind: 'BPE' } & BpeModel): Vocabulary {
  const ids = idsByText(model.vocab);
  const unknown = unknownId(ids, model.unk_token);
  const bytes = model.byte_fallback ? byteTokens(ids) : null;
  // A character that has no token at all is gone before its neighbours are merged.
  const dropsUnknown = unknown === undefined && bytes === null;
  if (dropsUnknown && model.end_of_word_suffix)
    throw new UserError(
      'tokenizer.json cannot be used: end_of_word_suffix without unk_token is not known to give the token ids that Python gives. Use another model.',
    );
  const pairs = checkedMerges(model.merges, bytes !== null);
  const merges = new BPE({
    ...model,
    type: 'BPE',
    merges: pairs,
  } as unknown as ConstructorParameters<typeof BPE>[0]);
  let ranks: MergeRanks | null = null;
  const piecesOf = (word: string) => {
    if (word.length <= LONG_WORD) return merges.bpe(word);
    ranks ??= mergeRanks(pairs);
    return mergeLongWord(word, model.end_of_word_suffix ?? '', ranks);
  };
  // Each piece is looked up here, so that fusing unknown ones ends with the word.
  return {
    ids,
    idsOf(word) {
      const whole = model.ignore_merges ? ids.get(word) : undefined;
      if (whole !== undefined) return [whole];
      const out: number[] = [];
      let pending: number | null = null;
      for (const piece of piecesOf(dropsUnknown ? withoutUnknown(word, ids) : word)) {
        const id = ids.get(piece);
        if (id !== undefined) {
          if (pending !== null) out.push(pending);
          pending = null;
          out.push(id);
          continue;
        }
        const fallback = bytes && bytesOf(piece, bytes);
        if (fallback) for (const byte of fallback) out.push(byte);
        else if (unknown !== undefined) {
          if (pending !== null && !model.fuse_unk) out.push(pending);
          pending = unknown;
        }
      }
      if (pending !== null) out.push(pending);
      return out;
    },
  };
}

function withoutUnknown(word: string, ids: ReadonlyMap<string, number>): string {
  let out = '';
  for (const character of word) if (ids.has(character)) out += character;
  return out;
}

/** UTF-16 code units of a Unigram piece: SentencePiece makes none of more than a few hundred. */
const LONGEST_PIECE = 4096;

function unigram({ vocab, unk_id, byte_fallback }: UnigramModel): Vocabulary {
  const ids = new Map(vocab.map(([piece], id) => [piece, id]));
  const bytes = byte_fallback ? byteTokens(ids) : null;
  const long = vocab.find(([piece]) => piece.length > LONGEST_PIECE);
  if (long)
    throw new UserError(
      `tokenizer.json cannot be used: a piece of its vocabulary (${long[0].slice(0, 20)}…) has ${long[0].length} characters; with pieces of more than ${LONGEST_PIECE} the time grows with the square of a text. Use the model's original tokenizer.json.`,
    );
  const cutter = new UnigramCutter(vocab, unk_id ?? null);
  return {
    ids,
    idsOf: (word) =>
      cutter.cut(word).flatMap((piece) => {
        const id = ids.get(piece);
        if (id !== undefined) return [id];
        const fallback = bytes && bytesOf(piece, bytes);
        if (fallback) return fallback;
        if (unk_id === null || unk_id === undefined)
          throw new UserError(
            `The tokenizer has no token for ${JSON.stringify(piece)} and none for what is unknown. Take it out of the text, or use another model.`,
          );
        return [unk_id];
      }),
  };
}

function wordPiece({ kind: _, ...model }: { kind: 'WordPiece' } & WordPieceModel): Vocabulary {
  const ids = idsByText(model.vocab);
  const unknown = unknownId(ids, model.unk_token)!;
  const pieces = new WordPiece({ ...model, type: 'WordPiece' } as unknown as ConstructorParameters<
    typeof WordPiece
  >[0]);
  return { ids, idsOf: (word) => pieces.encode([word]).map((piece) => ids.get(piece) ?? unknown) };
}

function idsByText(vocab: Readonly<Record<string, number>>): Map<string, number> {
  return new Map(Object.entries(vocab));
}

/** @throws UserError where the unknown token is not in the vocabulary */
function unknownId(ids: ReadonlyMap<string, number>, token: string | null | undefined): number | undefined {
  if (token === null || token === undefined) return undefined;
  const id = ids.get(token);
  if (id === undefined)
    throw new UserError(
      `tokenizer.json cannot be used: its unk_token ${JSON.stringify(token)} is not in its vocabulary. Use a model whose tokenizer is whole.`,
    );
  return id;
}

/**
 * Pairs to merge, in either form of the file.
 * @throws UserError for a pair of bytes, which the library would never merge
 */
function checkedMerges(merges: BpeModel['merges'], byteFallback: boolean): [string, string][] {
  return merges.map((merge) => {
    const pair = typeof merge === 'string' ? merge.split(' ') : merge;
    if (pair.length !== 2 || (byteFallback && pair.some((part) => /^<0x[0-9A-F]{2}>$/.test(part))))
      throw new UserError(
        `tokenizer.json cannot be used: the merge ${JSON.stringify(merge)} is not known to be applied as Python applies it. Use another model.`,
      );
    return pair as [string, string];
  });
}

/** Ids of the 256 byte tokens; undefined for those that the vocabulary lacks. */
function byteTokens(ids: ReadonlyMap<string, number>): (number | undefined)[] {
  return Array.from({ length: 256 }, (_, byte) =>
    ids.get(`<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`),
  );
}

const utf8 = new TextEncoder();

/** The bytes of a text as tokens; null where one of them is not in the vocabulary. */
function bytesOf(text: string, bytes: readonly (number | undefined)[]): number[] | null {
  const ids = Array.from(utf8.encode(text), (byte) => bytes[byte]);
  return ids.every((id) => id !== undefined) ? ids : null;
}
