/**
 * A tokenizer.json as the metadata of a GGUF file (llama-vocab.cpp), the inverse of
 * formats/gguf/ggufTokenizer.ts.
 */
import { parseFile, specialTokensOf, type TokenizerFiles } from '../../data/tokenizer/modelFiles.ts';
import type { AddedToken } from '../../data/tokenizer/tokenizerJson.ts';
import type { GgufValue } from '../../formats/ggufWriter.ts';
import { UserError } from '../../lib/errors.ts';

/** `tokenizer.ggml.token_type` (llama.h, llama_token_type). */
const NORMAL = 1;
const UNKNOWN = 2;
const CONTROL = 3;
const USER_DEFINED = 4;
const UNUSED = 5;
const BYTE = 6;

export interface VocabularyKeys {
  /** `tokenizer.ggml.model`: byte-level BPE, or SentencePiece's. */
  model: 'gpt2' | 'llama';
  keys: Map<string, GgufValue>;
}

/**
 * Tokens, their types and what joins them; without special tokens' ids, pre-tokenizer and template.
 * @param added tokens that are found before a text is split, those of tokenizer_config.json among them
 * @param size rows of the embedding table
 * @param ends ids that end answers: they are control tokens whatever the file says
 * @throws UserError naming the part of tokenizer.json that GGUF files have no form for
 */
export function vocabularyKeys(
  files: TokenizerFiles,
  added: readonly AddedToken[],
  size: number,
  ends: readonly number[],
): VocabularyKeys {
  const json = parseFile(files, 'tokenizer.json');
  const model = json.model as { type?: string; vocab?: unknown; merges?: unknown; byte_fallback?: boolean };
  if (model.type !== undefined && model.type !== 'BPE')
    throw new UserError(
      `tokenizer.json: a tokenizer of the type ${model.type} has no form that Finetab writes into GGUF files ` +
        '(BPE has). Export the PEFT folder or the merged safetensors instead.',
    );
  const vocabulary = model.vocab as Record<string, number>;
  const unknown = specialTokensOf(files).named.get('unk_token');
  const sentencePiece = model.byte_fallback === true;

  const tokens = Array.from({ length: size }, (_, id) => `[PAD${id}]`);
  const types = Array<number>(size).fill(UNUSED);
  const put = (text: string, id: number, type: number) => {
    if (id >= size)
      throw new UserError(
        `The token ${JSON.stringify(text)} has the id ${id}, but the model has ${size} embeddings: llama.cpp ` +
          'would refuse the file. Export the merged safetensors instead.',
      );
    tokens[id] = text;
    types[id] = type;
  };
  for (const [text, id] of Object.entries(vocabulary))
    put(text, id, sentencePiece && /^<0x[0-9A-F]{2}>$/.test(text) ? BYTE : NORMAL);
  for (const { content, id, special: isSpecial } of added)
    put(content, id, isSpecial || ends.includes(id) ? CONTROL : USER_DEFINED);
  if (sentencePiece && unknown !== undefined) {
    const id = tokens.indexOf(unknown);
    if (id >= 0) types[id] = UNKNOWN;
  }

  const merges = mergesOf(model.merges);
  const keys = new Map<string, GgufValue>([
    ['tokenizer.ggml.tokens', { type: 'array', of: 'string', value: tokens }],
    ['tokenizer.ggml.token_type', { type: 'array', of: 'int32', value: types }],
  ]);
  if (sentencePiece)
    keys.set('tokenizer.ggml.scores', { type: 'array', of: 'float32', value: scores(tokens, types, merges) });
  else
    keys.set('tokenizer.ggml.merges', {
      type: 'array',
      of: 'string',
      value: merges.map(([left, right]) => `${left} ${right}`),
    });
  return { model: sentencePiece ? 'llama' : 'gpt2', keys };
}

/** Pairs, or texts of two parts as older files have them. */
function mergesOf(merges: unknown): [string, string][] {
  return ((merges ?? []) as (string | [string, string])[]).map((merge) => {
    if (typeof merge !== 'string') return merge;
    const at = merge.indexOf(' ', 1);
    return [merge.slice(0, at), merge.slice(at + 1)];
  });
}

/**
 * SentencePiece's scores: of two pieces the one that is merged earlier has the higher, as in the models that
 * tokenizer.json files were converted from. Pieces that no merge makes come last.
 */
function scores(
  tokens: readonly string[],
  types: readonly number[],
  merges: readonly (readonly [string, string])[],
): number[] {
  const order = new Map<string, number>();
  for (const [left, right] of merges) {
    const made = left + right;
    if (!order.has(made)) order.set(made, order.size);
  }
  return tokens.map((token, id) => (types[id] === NORMAL ? -(order.get(token) ?? order.size) : 0));
}
