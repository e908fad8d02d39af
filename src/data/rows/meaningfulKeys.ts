/**
 * Keys beside a row's own columns that change what is learned of it: each is honoured or refuses the row by
 * its name.
 */
import { plainNumber } from '../files/exactJson.ts';
import type { Conversation, RowContent } from './conversation.ts';
import type { Fields, Format } from './rowFields.ts';
import { isGiven, readTools } from './toolCalls.ts';
import { flagOf, MEDIA_KEYS, readReasoning, REASONING_KEYS, rowWeightFault } from './turns.ts';

const KINDS = { text: 'raw text', preference: 'preference row', prompt: 'prompt' };

/** Whether an answer is a wanted one: as TRL and as LLaMA-Factory name it. */
const LABEL_KEYS = ['label', 'kto_tag'];

/** Keys that change what is learned, in rows of any format. */
const MEANINGFUL: readonly string[] = [
  ...['tools', 'weight', 'train', 'training', 'loss', 'loss_weight', ...LABEL_KEYS],
  ...REASONING_KEYS,
  ...MEDIA_KEYS,
];

/**
 * Honours the keys of a row that change what is learned.
 * @returns why the row is refused where that cannot be done
 */
export function withMeaningfulKeys(row: RowContent, fields: Fields, format: Format): RowContent | string {
  const isColumn = (key: string) => format.keys.includes(key) || format.optional.includes(key);
  const given = (key: string) => !isColumn(key) && isGiven(fields[key]);
  if (!MEANINGFUL.some(given)) return row;
  const media = MEDIA_KEYS.find(given);
  if (media !== undefined)
    return `has "${media}": pictures, sounds and films cannot be trained. Remove the row, or the key.`;
  const weight = rowWeightFault(Object.fromEntries(Object.entries(fields).filter(([key]) => given(key))));
  if (weight !== null) return weight;
  const reasoning = REASONING_KEYS.some(given) ? readReasoning(fields) : null;
  if (typeof reasoning === 'object' && reasoning !== null) return reasoning.fault;
  const tools = given('tools') ? readTools(fields.tools) : null;
  if (typeof tools === 'string') return tools;
  if (row.kind !== 'chat') {
    const key = MEANINGFUL.find((name) => given(name) && !(name === 'tools' && row.kind !== 'text'));
    if (key !== undefined && !['weight', 'train', 'training', 'loss', 'loss_weight'].includes(key))
      return `has "${key}", which a ${KINDS[row.kind]} cannot have. Remove the key, or write the row as messages.`;
    if (row.kind === 'prompt') return tools ? { ...row, tools } : row;
    return row.kind === 'preference' && tools
      ? { ...row, chosen: { ...row.chosen, tools }, rejected: { ...row.rejected, tools } }
      : row;
  }
  const made: Conversation = { ...row, ...(tools ? { tools } : {}) };
  if (reasoning !== null) {
    const last = made.messages.at(-1);
    if (last?.role !== 'assistant' || last.reasoning !== undefined)
      return 'has reasoning beside its turns and in them. Keep it in the turns.';
    made.messages = [...made.messages.slice(0, -1), { ...last, reasoning }];
  }
  const label = LABEL_KEYS.find(given);
  return label === undefined ? made : labelled(made, label, plainNumber(fields[label]));
}

/** A row for KTO: a wanted or an unwanted answer. */
function labelled(row: Conversation, key: string, label: unknown): Conversation | string {
  const wanted = flagOf(label);
  return wanted === null
    ? `has a "${key}": ${(JSON.stringify(label) ?? '').slice(0, 40)}; only true and false (a wanted and an unwanted answer) can be honoured. Remove the key if it is something else.`
    : { ...row, label: wanted };
}

/** Keys of a record that nothing reads. */
export function unknownKeys(fields: Fields, format: Format): string[] {
  return Object.keys(fields).filter(
    (key) =>
      isGiven(fields[key]) &&
      !format.keys.includes(key) &&
      !format.optional.includes(key) &&
      !MEANINGFUL.includes(key),
  );
}
