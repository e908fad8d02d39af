/**
 * What the files beside tokenizer.json say: special tokens, tokens that only they name, where answers end,
 * how many ids the model has.
 */
import { UserError } from '../../lib/errors.ts';
import { PythonTokenizer } from './pythonTokenizer.ts';

/** Files of a model's folder that its tokenizer and chat template are made from. */
export const TOKENIZER_FILES = [
  'tokenizer.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'chat_template.jinja',
  'chat_template.json',
  'generation_config.json',
  'config.json',
] as const;

/** Texts of a model's files by name; tokenizer.json and tokenizer_config.json are needed. */
export type TokenizerFiles = Readonly<Record<string, string | undefined>>;

/** The files of a model that is stored: its texts, and its configuration where the texts do not have it. */
export function filesOfModel(model: {
  texts: Readonly<Record<string, string>>;
  config: unknown;
}): TokenizerFiles {
  return { 'config.json': JSON.stringify(model.config), ...model.texts };
}

/** @throws UserError where the file is missing or no JSON object */
export function parseFile(files: TokenizerFiles, name: string): Record<string, unknown> {
  const text = files[name];
  if (text === undefined)
    throw new UserError(
      `${name} is missing. Drop the whole folder of the model, its tokenizer files included.`,
    );
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new UserError(`${name} is not JSON. Download it again.`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new UserError(`${name} is not a JSON object. Download it again.`);
  return value as Record<string, unknown>;
}

function parseOptional(files: TokenizerFiles, name: string): Record<string, unknown> {
  return files[name] === undefined ? {} : parseFile(files, name);
}

/** A token as configuration files write it: its text, or an object with flags. */
type TokenEntry = string | { content?: unknown; [flag: string]: unknown } | null | undefined;

const NAMED_TOKENS = [
  'bos_token',
  'eos_token',
  'unk_token',
  'pad_token',
  'sep_token',
  'cls_token',
  'mask_token',
] as const;

export interface SpecialTokens {
  /** Texts by the names that templates know them by (bos_token …). */
  named: Map<string, string>;
  /** All of them with their flags, in the order in which transformers adds those that the tokenizer lacks. */
  entries: { content: string; entry: TokenEntry }[];
}

/** Special tokens of tokenizer_config.json, and of special_tokens_map.json where that says nothing. */
export function specialTokensOf(files: TokenizerFiles): SpecialTokens {
  const config = parseOptional(files, 'tokenizer_config.json');
  const extra = parseOptional(files, 'special_tokens_map.json');
  const named = new Map<string, string>();
  const entries: SpecialTokens['entries'] = [];
  const take = (entry: TokenEntry, name?: string) => {
    const content = contentOf(entry);
    if (content === null) return;
    if (name !== undefined) named.set(name, content);
    entries.push({ content, entry });
  };
  for (const name of NAMED_TOKENS) take((config[name] ?? extra[name]) as TokenEntry, name);
  const additional = config.additional_special_tokens ?? extra.additional_special_tokens;
  if (Array.isArray(additional)) for (const entry of additional) take(entry as TokenEntry);
  const more = config.extra_special_tokens;
  if (Array.isArray(more)) for (const entry of more) take(entry as TokenEntry);
  else if (typeof more === 'object' && more !== null)
    for (const [name, entry] of Object.entries(more)) take(entry as TokenEntry, name);
  return { named, entries };
}

function contentOf(entry: TokenEntry): string | null {
  const content = typeof entry === 'object' ? entry?.content : entry;
  return typeof content === 'string' && content !== '' ? content : null;
}

/**
 * The tokenizer of a model's files, without its chat template.
 * @throws UserError where it is not known to give Python's ids
 */
export function makeTokenizer(files: TokenizerFiles, special: SpecialTokens): PythonTokenizer {
  const tokenizer = new PythonTokenizer(parseFile(files, 'tokenizer.json'));
  addMissingTokens(tokenizer, files, special);
  return tokenizer;
}

/**
 * Adds the tokens that tokenizer.json lacks, as transformers does when it loads the folder: those of
 * added_tokens_decoder by their ids, then special tokens that are no added tokens yet.
 * @throws UserError where Python would give one another id than the file says
 */
function addMissingTokens(
  tokenizer: PythonTokenizer,
  files: TokenizerFiles,
  { entries }: SpecialTokens,
): void {
  const config = parseOptional(files, 'tokenizer_config.json');
  const special = new Set(entries.map(({ content }) => content));
  const decoder = Object.entries((config.added_tokens_decoder ?? {}) as Record<string, TokenEntry>)
    .map(([id, entry]) => ({ id: Number(id), content: contentOf(entry), entry }))
    .sort((a, b) => a.id - b.id);
  for (const { id, content, entry } of decoder) {
    if (content === null) continue;
    const added = tokenizer.addToken({ content, ...flagsOf(entry, special.has(content)) });
    if (added && added.id !== id)
      throw new UserError(
        `tokenizer_config.json gives the token ${JSON.stringify(content)} the id ${id}, but Python would give it ${added.id}: tokenizer.json lacks it. Use the model's own tokenizer files.`,
      );
  }
  for (const { content, entry } of entries) tokenizer.addToken({ content, ...flagsOf(entry, true) });
}

function flagsOf(entry: TokenEntry, isSpecial: boolean) {
  const flags = typeof entry === 'object' && entry !== null ? entry : {};
  const special = flags.special === true || isSpecial;
  return {
    single_word: flags.single_word === true,
    lstrip: flags.lstrip === true,
    rstrip: flags.rstrip === true,
    normalized: typeof flags.normalized === 'boolean' ? flags.normalized : !special,
    special,
  };
}

/**
 * Where generation_config.json ends answers, or config.json where there is none: what transformers' generate
 * stops at.
 */
export function generationEnds(files: TokenizerFiles): number[] {
  const config = parseOptional(files, 'config.json');
  const generation =
    files['generation_config.json'] === undefined ? config : parseFile(files, 'generation_config.json');
  const nested = (config.text_config as Record<string, unknown> | undefined)?.eos_token_id;
  const ends = generation.eos_token_id ?? (generation === config ? nested : undefined);
  return [ends].flat().filter((id): id is number => Number.isInteger(id));
}

/**
 * Ids that the model has a row of its embedding table for; null where config.json is not there or does not
 * say.
 */
export function vocabularySizeOf(files: TokenizerFiles): number | null {
  const config = parseOptional(files, 'config.json');
  const text = config.text_config as Record<string, unknown> | undefined;
  const size = config.vocab_size ?? text?.vocab_size;
  return Number.isInteger(size) ? (size as number) : null;
}
