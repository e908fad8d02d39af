/** Tokenizer files for an exported folder, so that transformers 4 and 5 read them as the page did. */
import { parseFile } from '../data/tokenizer/modelFiles.ts';

/**
 * transformers 5 rebuilds the tokenizers of some classes (GPT2Tokenizer, LlamaTokenizer …) and drops what
 * tokenizer.json says; PreTrainedTokenizerFast reads it as it is in both. Version 4 sets add_prefix_space
 * again, to false where tokenizer_config.json has none: it gets tokenizer.json's own.
 * @param texts the model's files by name
 */
export function exportedTokenizerTexts(texts: Readonly<Record<string, string>>): Record<string, string> {
  if (texts['tokenizer.json'] === undefined || texts['tokenizer_config.json'] === undefined)
    return { ...texts };
  const config = parseFile(texts, 'tokenizer_config.json');
  const { pre_tokenizer } = parseFile(texts, 'tokenizer.json') as { pre_tokenizer?: object | null };
  const spaced =
    pre_tokenizer && 'add_prefix_space' in pre_tokenizer ? pre_tokenizer.add_prefix_space : false;
  const kept = Object.entries(config).filter(([key]) => !REBUILDING.includes(key));
  const written = {
    ...Object.fromEntries(kept),
    add_prefix_space: spaced,
    tokenizer_class: 'PreTrainedTokenizerFast',
  };
  return { ...texts, 'tokenizer_config.json': `${JSON.stringify(written, null, 2)}\n` };
}

/** Keys by which a class of its own would be loaded, or the tokenizer built again. */
const REBUILDING = [
  'auto_map',
  'tokenizer_file',
  'vocab_file',
  'legacy',
  'from_slow',
  'add_prefix_space',
  'tokenizer_class',
];
