/**
 * A recipe from a file: our own as JSON or YAML, or one of TRL, axolotl or LLaMA-Factory, whose keys are
 * converted to ours.
 */
import { UserError, messageOf } from '../../lib/errors.ts';
import { parseRecipe, type Recipe } from '../recipe.ts';
import { convertAxolotl } from './axolotl.ts';
import { Conversion, type Found } from './conversion.ts';
import { convertLlamaFactory } from './llamaFactory.ts';
import { convertTrl } from './trl.ts';

export interface ReadRecipe {
  recipe: Recipe;
  /** Whose recipe it is; null: our own. */
  tool: string | null;
  /** What a person must know: keys that were not understood, and what is meant otherwise here. */
  notes: string[];
}

/** A long system prompt and thousands of rows that are left out are far fewer. */
const MOST_CHARACTERS = 2 ** 20;
/** The library takes the square of some texts' lengths. */
const MOST_IN_YAML = 2 ** 15;

/** Keys that only the file of one tool has. */
const SIGNS: readonly [tool: string, keys: readonly string[], convert: (made: Conversion) => void][] = [
  ['LLaMA-Factory', ['stage', 'finetuning_type', 'cutoff_len'], convertLlamaFactory],
  ['axolotl', ['base_model', 'micro_batch_size', 'sequence_len', 'num_epochs'], convertAxolotl],
  [
    'TRL',
    [
      'model_name_or_path',
      'learning_rate',
      'per_device_train_batch_size',
      'use_peft',
      'lora_r',
      'dataset_name',
    ],
    convertTrl,
  ],
];

/** Keys of our own recipes that are objects of keys. */
const OWN_GROUPS = ['lora', 'training', 'evaluation'];

/** @throws UserError where the text is no recipe, or asks for what there is not */
export async function readRecipe(text: string): Promise<ReadRecipe> {
  if (text.length > MOST_CHARACTERS)
    throw new UserError(
      `A recipe has at most ${MOST_CHARACTERS} characters, this one has ${text.length}. Is it a data file? Drop it as one.`,
    );
  const found = await parsed(text);
  const isObject = typeof found === 'object' && found !== null && !Array.isArray(found);
  const isOwn = !isObject || OWN_GROUPS.some((key) => key in found);
  const sign = isOwn ? undefined : SIGNS.find(([, keys]) => keys.some((key) => key in found));
  if (!sign) return { recipe: parseRecipe(found as object), tool: null, notes: [] };
  const [tool, , convert] = sign;
  const made = new Conversion(tool, found as Found);
  convert(made);
  const { recipe, notes } = made.end();
  return { recipe: parseRecipe(recipe), tool, notes };
}

/** JSON, or YAML as PyYAML reads it. The library of YAML is loaded for the latter alone. */
async function parsed(text: string): Promise<unknown> {
  if (/^\s*[{[]/.test(text)) {
    try {
      return JSON.parse(text);
    } catch (error) {
      throw new UserError(`The recipe is not JSON: ${messageOf(error)}. Check commas and quotation marks.`);
    }
  }
  if (text.length > MOST_IN_YAML)
    throw new UserError(
      `A recipe in YAML has at most ${MOST_IN_YAML} characters, this one has ${text.length}. Write a longer one as JSON.`,
    );
  const { LineCounter, parseDocument } = await import('yaml');
  const lineCounter = new LineCounter();
  // Its own places cost the square of their number where a text is nothing but faults.
  const settings = {
    version: '1.1',
    merge: true,
    uniqueKeys: true,
    prettyErrors: false,
    lineCounter,
  } as const;
  const document = parseDocument(text, settings);
  const fault = document.errors[0] ?? document.warnings[0];
  if (fault) {
    const { line, col } = lineCounter.linePos(fault.pos[0]);
    const what = /call stack/.test(fault.message) ? 'it is nested too deep' : fault.message;
    throw new UserError(`The recipe is neither JSON nor YAML: ${what} at line ${line}, column ${col}.`);
  }
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    throw new UserError(`The recipe's YAML cannot be read: ${messageOf(error)}.`);
  }
}
