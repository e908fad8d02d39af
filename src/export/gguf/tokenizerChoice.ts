/**
 * The tokenizer's part of a GGUF model's metadata, chosen so that llama.cpp gives the ids that were trained:
 * candidates are read back by our own GGUF reader and compared on texts and conversations.
 */
import { templateSource } from '../../data/template/templateSource.ts';
import { parseFile, specialTokensOf, type TokenizerFiles } from '../../data/tokenizer/modelFiles.ts';
import type { GgufValue as PlainValue } from '../../formats/gguf/gguf.ts';
import { GgufMetadata } from '../../formats/gguf/ggufMetadata.ts';
import { WRITTEN_PRE_TOKENIZERS } from '../../formats/gguf/ggufPreTokenizers.ts';
import { ggufTokenizer } from '../../formats/gguf/ggufTokenizer.ts';
import { UserError } from '../../lib/errors.ts';
import { modelTokenizer, type ModelTokenizer } from './modelTokenizer.ts';
import { compareTokenizers, startsWithBos, type Comparison } from './tokenizerComparison.ts';
import { endVariants, pinned, type Keys, type Written } from './tokenizerEnds.ts';
import { vocabularyKeys } from './tokenizerKeys.ts';

/** Metadata as the reader has them. */
type Plain = ReadonlyMap<string, PlainValue>;

export interface ChosenTokenizer {
  keys: Keys;
  /** What a person must know of the tokenizer in the file. */
  notes: string[];
}

/**
 * @param rows of the embedding table @param architecture `general.architecture`
 * @throws UserError where no metadata that llama.cpp reads gives the ids that were trained
 */
export function chooseTokenizer(
  trained: ModelTokenizer,
  rows: number,
  architecture: string,
): ChosenTokenizer {
  const { chat, plain, files } = trained;
  const { model, keys } = vocabularyKeys(files, plain.added.tokens, rows, chat?.endTokenIds ?? []);
  const common: Keys = new Map<string, Written>([
    ['tokenizer.ggml.model', { type: 'string', value: model }],
    ...(keys as Keys),
    ...specialKeys(trained),
  ]);
  const candidates = model === 'gpt2' ? preTokenizers(files) : [spacePrefix(true), spacePrefix(false)];
  const tried: Tried[] = [];
  for (const candidate of candidates)
    for (const ends of endVariants(trained)) {
      const keys: Keys = new Map([...common, ...candidate, ...ends]);
      const attempt = tryOut(trained, keys, plainOf(keys), architecture);
      if (attempt.comparison.different === 0) return attempt.chosen();
      tried.push(attempt);
    }
  return nearest(tried, trained);
}

/**
 * The template's key and those of the ends of an answer, for a file whose other keys are copied.
 * @throws UserError where prompts would have other ids than those that were trained
 */
export function copiedTokenizer(
  trained: ModelTokenizer,
  copied: Plain,
  architecture: string,
): ChosenTokenizer {
  const tried = endVariants(trained).map((ends) =>
    tryOut(trained, ends, new Map([...copied, ...plainOf(ends)]), architecture),
  );
  return nearest(tried, trained);
}

/** Metadata that were compared with what was trained. */
interface Tried {
  comparison: Comparison;
  chosen(): ChosenTokenizer;
}

/** @param keys that are written @param all with those that are copied */
function tryOut(trained: ModelTokenizer, keys: Keys, all: Plain, architecture: string): Tried {
  const exported = readBack(all, architecture);
  // SentencePiece's space ahead of a text depends on what stands before it: in prompts, a special token.
  const special = trained.plain.added.tokens.find((token) => token.special && !token.rstrip)?.content ?? '';
  const comparison = compareTokenizers(trained, exported, {
    ahead: all.get('tokenizer.ggml.model') === 'llama' ? special : '',
    addsBos: all.get('tokenizer.ggml.add_bos_token') === true,
  });
  return { comparison, chosen: () => ({ keys, notes: notesOf(trained, exported) }) };
}

/** Of the texts that are compared: unusual ones may differ, and then the file says so. */
const MOST_DIFFERENT = 1 / 3;

/**
 * The attempt with the fewest differences, which are noted.
 * @throws UserError where even a plain question, or much else, has other ids than in the training
 */
function nearest(tried: readonly Tried[], { files }: ModelTokenizer): ChosenTokenizer {
  const best = tried.reduce((a, b) => (b.comparison.different < a.comparison.different ? b : a));
  const { different, compared, what, plainQuestionDiffers } = best.comparison;
  if (!plainQuestionDiffers && different <= MOST_DIFFERENT * compared) {
    const { keys, notes } = best.chosen();
    const warning =
      `Warning: llama.cpp splits ${different} of the ${compared} texts that were compared otherwise than the ` +
      `training did: ${what}. Answers to such texts can differ from those here.`;
    return { keys, notes: different === 0 ? notes : [warning, ...notes] };
  }
  const parts = parseFile(files, 'tokenizer.json');
  const name = (part: unknown) => JSON.stringify((part as { type?: string } | null)?.type ?? null);
  throw new UserError(
    `This model's tokenizer (normalizer ${name(parts.normalizer)}, pre_tokenizer ${name(parts.pre_tokenizer)}) ` +
      `cannot be exported as GGUF: nothing that Finetab can write makes llama.cpp give its ids. What comes ` +
      `nearest differs on ${what}. Export the merged safetensors instead.`,
  );
}

function preTokenizers(files: TokenizerFiles): Keys[] {
  // The one with the same components first: most often it is the only one that has to be tried.
  const own = components(parseFile(files, 'tokenizer.json').pre_tokenizer);
  const order = WRITTEN_PRE_TOKENIZERS.toSorted(
    (a, b) => Number(sameSplit(b, own)) - Number(sameSplit(a, own)),
  );
  return order.map((value) => new Map([['tokenizer.ggml.pre', { type: 'string', value }]]));
}

/** Whether the pre-tokenizer that llama.cpp has under this name splits as `own` does. */
function sameSplit(name: string, own: string): boolean {
  const json = JSON.parse(
    ggufTokenizer(
      new GgufMetadata(
        new Map<string, PlainValue>([
          ['general.architecture', 'llama'],
          ['tokenizer.ggml.model', 'gpt2'],
          ['tokenizer.ggml.pre', name],
          ['tokenizer.ggml.tokens', []],
          ['tokenizer.ggml.merges', []],
        ]),
        'a candidate',
      ),
    )['tokenizer.json'],
  ) as { pre_tokenizer: unknown };
  return components(json.pre_tokenizer) === own;
}

/** The parts of a pre-tokenizer that decide how it splits, as a text to compare. */
function components(preTokenizer: unknown): string {
  const text = JSON.stringify(preTokenizer);
  return JSON.stringify(text.match(/"Regex":"(?:[^"\\]|\\.)*"|"individual_digits":\w+|"use_regex":\w+/g));
}

function spacePrefix(value: boolean): Keys {
  return new Map<string, Written>([
    ['tokenizer.ggml.pre', { type: 'string', value: 'default' }],
    ['tokenizer.ggml.add_space_prefix', { type: 'bool', value }],
  ]);
}

function plainOf(keys: Keys): Plain {
  return new Map([...keys].map(([key, { value }]) => [key, value as PlainValue]));
}

/** The tokenizer that our reader makes of metadata. */
function readBack(keys: Plain, architecture: string): ModelTokenizer {
  const values = new Map<string, PlainValue>([...keys, ['general.architecture', architecture]]);
  return modelTokenizer(ggufTokenizer(new GgufMetadata(values, 'the exported file')))!;
}

/** Special tokens by llama.cpp's names, without the ends of an answer. */
function specialKeys({ chat, plain, files }: ModelTokenizer): Keys {
  const { named } = specialTokensOf(files);
  const keys = new Map<string, Written>();
  const put = (key: string, id: number | null | undefined) => {
    if (id !== null && id !== undefined)
      keys.set(`tokenizer.ggml.${key}_token_id`, { type: 'uint32', value: id });
  };
  const idOf = (name: string) => {
    const text = named.get(name);
    return text === undefined ? undefined : plain.idOf(text);
  };
  const bos = idOf('bos_token');
  put('bos', bos);
  put('eos', idOf('eos_token'));
  put('unknown', idOf('unk_token'));
  // A reader takes it for a special token, which a word of the vocabulary is not.
  const padding = chat?.padTokenId ?? idOf('pad_token');
  put('padding', plain.added.tokens.some(({ id, special }) => special && id === padding) ? padding : null);
  const addsBosToTexts = bos !== undefined && plain.aroundText.before[0] === bos;
  keys.set('tokenizer.ggml.add_bos_token', {
    type: 'bool',
    // A runtime that adds it to every text must not add it to prompts that were trained without it.
    value: addsBosToTexts && (chat === null || startsWithBos(chat)),
  });
  keys.set('tokenizer.ggml.add_eos_token', { type: 'bool', value: false });
  return keys;
}

function notesOf({ chat, files }: ModelTokenizer, exported: ModelTokenizer): string[] {
  if (chat === null) return ['The model has no chat template: the file completes plain texts.'];
  const notes = chat.notes.filter((note) => !note.startsWith('Thinking'));
  const lost = chat.stopTokenIds.filter((id) => !exported.chat!.stopTokenIds.includes(id));
  if (lost.length > 0)
    notes.push(
      `Name these stop tokens to your runtime, since GGUF files have no place for them: ${lost.map((id) => chat.tokenText(id)).join(' ')}.`,
    );
  if (JSON.stringify(parseFile(files, 'tokenizer.json').normalizer ?? null).includes('"NFC"'))
    notes.push(
      'llama.cpp does not compose characters, as this tokenizer does: give it texts in the composed form (NFC).',
    );
  const template = templateSource(files, (name) => parseFile(files, name));
  if (pinned(template) !== template)
    notes.push(
      "The template in the file is fixed to the training's date, and to thinking switched off, where it has these.",
    );
  return notes;
}
