/**
 * The tokenizer of a GGUF as the Hub's files: tokenizer.json, tokenizer_config.json with the chat template,
 * and the ends of an answer in generation_config.json. Ids are those of llama.cpp (llama-vocab.cpp).
 */
import type { GgufMetadata } from './ggufMetadata.ts';
import { preTokenizerOf } from './ggufPreTokenizers.ts';

/** `tokenizer.ggml.token_type` (llama.h, llama_token_type). */
const enum TokenType {
  Normal = 1,
  Unknown,
  Control,
  UserDefined,
  Unused,
  Byte,
}

interface Vocabulary {
  tokens: string[];
  types: number[];
}

/** The word boundary of SentencePiece. */
const SPACE = '▁';

/**
 * @returns texts by file name; none where the file says that it has no tokenizer
 * @throws UserError naming the metadata key that is missing or not supported
 */
export function ggufTokenizer(m: GgufMetadata): Record<string, string> {
  const model = m.text('tokenizer.ggml.model');
  if (model === 'none' || model === 'no_vocab') return {};
  const vocabulary = readVocabulary(m);
  const names = { bos: tokenOf(m, vocabulary, 'bos'), eos: tokenOf(m, vocabulary, 'eos') };
  const tokenizer =
    model === 'gpt2'
      ? byteLevel(m, vocabulary)
      : model === 'llama' || model === 'gemma4'
        ? sentencePiece(m, vocabulary, model === 'gemma4')
        : m.fail(
            `tokenizer.ggml.model is "${model}", which Finetab does not read ("gpt2", "llama" and "gemma4" are read). Use the model's own tokenizer.json with its safetensors files.`,
          );
  const addsBos = m.boolean('tokenizer.ggml.add_bos_token', tokenizer.addsBos);
  const files: Record<string, unknown> = {
    'tokenizer.json': {
      version: '1.0',
      truncation: null,
      padding: null,
      added_tokens: addedTokens(m, vocabulary),
      normalizer: tokenizer.normalizer,
      pre_tokenizer: tokenizer.preTokenizer,
      post_processor: addsBos && names.bos ? bosProcessor(names.bos) : null,
      decoder: tokenizer.decoder,
      model: tokenizer.model,
    },
    'tokenizer_config.json': {
      tokenizer_class: 'PreTrainedTokenizerFast',
      bos_token: names.bos?.content ?? null,
      eos_token: names.eos?.content ?? null,
      unk_token: tokenOf(m, vocabulary, 'unknown')?.content ?? null,
      pad_token: tokenOf(m, vocabulary, 'padding')?.content ?? null,
      add_bos_token: addsBos,
      clean_up_tokenization_spaces: false,
      ...(m.has('tokenizer.chat_template') ? { chat_template: m.text('tokenizer.chat_template') } : {}),
    },
    'generation_config.json': {
      bos_token_id: names.bos?.id ?? null,
      eos_token_id: ['eos', 'eot', 'eom'].flatMap((name) => tokenOf(m, vocabulary, name)?.id ?? []),
    },
  };
  return Object.fromEntries(Object.entries(files).map(([name, value]) => [name, JSON.stringify(value)]));
}

function readVocabulary(m: GgufMetadata): Vocabulary {
  const tokens = m.texts('tokenizer.ggml.tokens');
  const key = 'tokenizer.ggml.token_type';
  const types = m.has(key) ? m.numbers(key) : tokens.map(() => TokenType.Normal as number);
  if (types.length !== tokens.length)
    m.fail(`${key} has ${types.length} entries for ${tokens.length} tokens. Convert the model again.`);
  return { tokens, types };
}

/** The token that `tokenizer.ggml.<name>_token_id` names, null where the file names none. */
function tokenOf(
  m: GgufMetadata,
  { tokens }: Vocabulary,
  name: string,
): { id: number; content: string } | null {
  const key = `tokenizer.ggml.${name}_token_id`;
  const id = m.numberOrNull(key);
  // llama.cpp writes all ones for "none".
  if (id === null || id === 0xffffffff || id === -1) return null;
  const content = tokens[id];
  if (content === undefined)
    return m.fail(`${key} is ${id}, but there are ${tokens.length} tokens. Convert the model again.`);
  return { id, content };
}

/**
 * Control tokens are special; user-defined ones are found in the text before anything else, but are plain
 * text.
 */
function addedTokens(m: GgufMetadata, { tokens, types }: Vocabulary): object[] {
  // Phi-3's control tokens take the white space after them, as in its tokenizer.json (llama-vocab.cpp).
  const strips = (content: string) =>
    m.architecture === 'phi3' && !['<unk>', '<s>', '<|endoftext|>'].includes(content);
  return tokens.flatMap((content, id) => {
    const special = types[id] === TokenType.Control || types[id] === TokenType.Unknown;
    if (!special && types[id] !== TokenType.UserDefined) return [];
    return [
      {
        id,
        content,
        single_word: false,
        lstrip: false,
        rstrip: special && strips(content),
        normalized: false,
        special,
      },
    ];
  });
}

/** Puts the first token before a text. */
function bosProcessor({ id, content }: { id: number; content: string }): object {
  const special = { SpecialToken: { id: content, type_id: 0 } };
  const text = (name: string, type_id: number) => ({ Sequence: { id: name, type_id } });
  return {
    type: 'TemplateProcessing',
    single: [special, text('A', 0)],
    pair: [special, text('A', 0), { SpecialToken: { id: content, type_id: 1 } }, text('B', 1)],
    special_tokens: { [content]: { id: content, ids: [id], tokens: [content] } },
  };
}

interface Parts {
  normalizer: object | null;
  preTokenizer: object | null;
  decoder: object;
  model: object;
  /** Whether a file that does not say has the first token added. */
  addsBos: boolean;
}

/** Byte-level BPE: the merges are in the file, how texts are split before them is a name. */
function byteLevel(m: GgufMetadata, { tokens, types }: Vocabulary): Parts {
  const { normalizer, preTokenizer, ignoreMerges, addsBos } = preTokenizerOf(m);
  return {
    normalizer,
    preTokenizer,
    decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: ignoreMerges,
      vocab: vocab(tokens, (id) => types[id] !== TokenType.Unused),
      merges: mergesOf(m),
    },
    addsBos,
  };
}

function mergesOf(m: GgufMetadata): [string, string][] {
  return m.texts('tokenizer.ggml.merges').map((merge) => {
    const at = merge.indexOf(' ', 1);
    if (at < 1)
      m.fail(`tokenizer.ggml.merges has ${JSON.stringify(merge)}, which is no pair. Convert again.`);
    return [merge.slice(0, at), merge.slice(at + 1)];
  });
}

/**
 * SentencePiece's BPE: the piece of the highest score is merged first; characters that are no piece become
 * bytes. @param listed the merges are in the file, as Gemma 4's are
 */
function sentencePiece(m: GgufMetadata, { tokens, types }: Vocabulary, listed: boolean): Parts {
  const scores = listed ? [] : m.numbers('tokenizer.ggml.scores');
  if (!listed && scores.length !== tokens.length)
    m.fail(`tokenizer.ggml.scores has ${scores.length} entries for ${tokens.length} tokens. Convert again.`);
  const prefix = m.boolean('tokenizer.ggml.add_space_prefix', !listed);
  const replace = { type: 'Replace', pattern: { String: ' ' }, content: SPACE };
  const decoders = [
    { type: 'Replace', pattern: { String: SPACE }, content: ' ' },
    { type: 'ByteFallback' },
    { type: 'Fuse' },
    ...(prefix ? [{ type: 'Strip', content: ' ', start: 1, stop: 0 }] : []),
  ];
  return {
    normalizer: prefix
      ? { type: 'Sequence', normalizers: [{ type: 'Prepend', prepend: SPACE }, replace] }
      : replace,
    preTokenizer: null,
    decoder: { type: 'Sequence', decoders },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: tokenOf(m, { tokens, types }, 'unknown')?.content ?? null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: true,
      byte_fallback: true,
      ignore_merges: false,
      vocab: vocab(tokens, (id) => types[id] !== TokenType.Unused),
      merges: listed ? mergesOf(m) : mergesByScore({ tokens, types }, scores),
    },
    addsBos: true,
  };
}

function vocab(tokens: readonly string[], keeps: (id: number) => boolean): Record<string, number> {
  return Object.fromEntries(tokens.flatMap((token, id) => (keeps(id) ? [[token, id] as const] : [])));
}

/**
 * Every split of a piece into two pieces, those of the highest score first; of one score the longer left part
 * first.
 */
function mergesByScore({ tokens, types }: Vocabulary, scores: readonly number[]): [string, string][] {
  const ids = new Map(
    tokens.flatMap((token, id) => (types[id] === TokenType.Normal ? [[token, id] as const] : [])),
  );
  const merges: { left: string; right: string; score: number; order: [number, number] }[] = [];
  for (const [token, id] of ids) {
    const letters = [...token];
    let left = '';
    for (let i = 0; i < letters.length - 1; i++) {
      left += letters[i];
      const right = token.slice(left.length);
      if (ids.has(left) && ids.has(right))
        merges.push({ left, right, score: scores[id]!, order: [i + 1, letters.length - i - 1] });
    }
  }
  merges.sort((a, b) => b.score - a.score || b.order[0] - a.order[0] || b.order[1] - a.order[1]);
  return merges.map(({ left, right }) => [left, right]);
}
