/**
 * How byte-level texts are split before merging, by the name that GGUFs give (`tokenizer.ggml.pre`;
 * llama-vocab.cpp).
 */
import type { GgufMetadata } from './ggufMetadata.ts';

interface PreTokenizer {
  normalizer: object | null;
  preTokenizer: object;
  /** A whole piece that is a token is taken as it is, whether merges make it or not. */
  ignoreMerges: boolean;
  /** Whether a file that does not say has the first token added. */
  addsBos: boolean;
}

const CONTRACTIONS = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
const AFTER_NUMBERS = '| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+';
/** Llama 3's: numbers by three digits. */
const LLAMA3 = `${CONTRACTIONS}|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}${AFTER_NUMBERS}`;
/** Qwen2's: every digit of its own. */
const QWEN2 = `${CONTRACTIONS}|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}${AFTER_NUMBERS}`;
const QWEN3_5 =
  `${CONTRACTIONS}|[^\\r\\n\\p{L}\\p{N}]?[\\p{L}\\p{M}]+|\\p{N}` +
  '| ?[^\\s\\p{L}\\p{M}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+';
const UPPER = '[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]';
const LOWER = '[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]';
/** Mistral's Tekken. */
const TEKKEN =
  `[^\\r\\n\\p{L}\\p{N}]?${UPPER}*${LOWER}+|[^\\r\\n\\p{L}\\p{N}]?${UPPER}+${LOWER}*|\\p{N}` +
  '| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+';
/** OpenAI's o200k. */
const GPT_4O =
  `[^\\r\\n\\p{L}\\p{N}]?${UPPER}*${LOWER}+${CONTRACTIONS}?|` +
  `[^\\r\\n\\p{L}\\p{N}]?${UPPER}+${LOWER}*${CONTRACTIONS}?|\\p{N}{1,3}` +
  '| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+';

const byteLevel = (use_regex: boolean) => ({
  type: 'ByteLevel',
  add_prefix_space: false,
  trim_offsets: true,
  use_regex,
});

const NFC = { type: 'NFC' };

/** Splits by a regular expression. */
function splitBy(pattern: string, more: Partial<PreTokenizer> = {}): PreTokenizer {
  const split = { type: 'Split', pattern: { Regex: pattern }, behavior: 'Isolated', invert: false };
  const preTokenizer = { type: 'Sequence', pretokenizers: [split, byteLevel(false)] };
  return { normalizer: null, preTokenizer, ignoreMerges: false, addsBos: false, ...more };
}

const GPT2: PreTokenizer = {
  normalizer: null,
  preTokenizer: byteLevel(true),
  ignoreMerges: false,
  addsBos: false,
};
const DIGITS_THEN_GPT2: PreTokenizer = {
  ...GPT2,
  preTokenizer: {
    type: 'Sequence',
    pretokenizers: [{ type: 'Digits', individual_digits: true }, byteLevel(true)],
  },
};

const WHOLE_FIRST = { ignoreMerges: true, addsBos: true };
const KNOWN: [string[], PreTokenizer][] = [
  [['llama3', 'llama-v3', 'llama-bpe', 'falcon3', 'lfm2'], splitBy(LLAMA3, WHOLE_FIRST)],
  [['dbrx', 'smaug-bpe', 'chatglm-bpe', 'glm4'], splitBy(LLAMA3)],
  // Qwen's tokenizer.json composes characters first, which llama.cpp leaves out.
  [['qwen2', 'deepseek-r1-qwen'], splitBy(QWEN2, { normalizer: NFC })],
  [['stablelm2', 'hunyuan', 'megrez'], splitBy(QWEN2)],
  [['qwen35'], splitBy(QWEN3_5, { normalizer: NFC })],
  [['tekken'], splitBy(TEKKEN, WHOLE_FIRST)],
  [['gpt-4o'], splitBy(GPT_4O)],
  [['gpt-2', 'phi-2', 'mpt', 'olmo', 'jina-es', 'exaone4', 'gigachat'], GPT2],
  [['smollm', 'starcoder', 'refact', 'command-r', 'codeshell', 'exaone', 'minerva-7b'], DIGITS_THEN_GPT2],
];

/**
 * Names under which llama.cpp splits texts in different manners, one each, the commonest first: among them an
 * export looks for the one that gives a tokenizer's own ids.
 */
export const WRITTEN_PRE_TOKENIZERS = [
  'llama-bpe',
  'qwen2',
  'smollm',
  'gpt-2',
  'smaug-bpe',
  'stablelm2',
  'tekken',
  'gpt-4o',
  'qwen35',
] as const;

/** @throws UserError naming a pre-tokenizer that is not known */
export function preTokenizerOf(m: GgufMetadata): PreTokenizer {
  const name = m.text('tokenizer.ggml.pre', 'default');
  const known = KNOWN.find(([names]) => names.includes(name))?.[1];
  if (!known)
    return m.fail(
      `tokenizer.ggml.pre is "${name}": how this tokenizer splits texts is not known. Known: ${KNOWN.flatMap(([names]) => names).join(', ')}. Use the model's safetensors files, or a file converted by a newer llama.cpp.`,
    );
  return known;
}
