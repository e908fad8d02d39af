/** The recipe's `rewards` and `metrics`: functions that give an answer a number. */
import * as v from 'valibot';
import { positive, text } from './recipeValues.ts';

export const SCORING_TYPES = [
  'code',
  'exact_match',
  'number_equals',
  'regex',
  'json_schema',
  'length',
  'contains',
] as const;

const entries = {
  /** Of the metric or the reward, in curves and tables; the type where absent. */
  name: v.optional(
    v.pipe(text, v.regex(/^[A-Za-z][\w-]{0,60}$/, 'must be a letter, then letters, digits, _ or -')),
  ),
  /**
   * code: a person's own function · exact_match: 1 where the answer is the reference · number_equals: 1 where
   * the last numbers of both are equal · regex: 1 where `pattern` is found · json_schema: 1 where the answer
   * is JSON as `schema` has it · length: 1 from `min` to `max`, less the further off · contains: 1 where
   * `text`, or the reference without it, is in the answer.
   */
  type: v.optional(v.picklist(SCORING_TYPES, `must be one of ${SCORING_TYPES.join(', ')}`), 'code'),
  /** JavaScript: (answer, reference, row) => number, true, false, or null for no score. */
  code: v.optional(v.pipe(text, v.maxLength(100_000, 'must be at most 100,000 characters'))),
  pattern: v.optional(text),
  flags: v.optional(v.pipe(text, v.regex(/^[imsu]*$/, 'must be letters of i, m, s and u'))),
  schema: v.optional(v.union([v.boolean(), v.record(text, v.unknown())], 'must be an object')),
  text: v.optional(text),
  min: v.optional(positive),
  max: v.optional(positive),
  unit: v.optional(v.picklist(['tokens', 'characters', 'words'], 'must be tokens, characters or words')),
  /** Of number_equals: how far apart the numbers may be; 0 where absent. */
  tolerance: v.optional(positive),
  /** What happens where it fails on an answer: the run stops, or the answer has no score of it. */
  on_error: v.optional(v.picklist(['stop', 'skip'], 'must be "stop" or "skip"'), 'stop'),
};

const metric = v.strictObject(entries);
const reward = v.strictObject({ ...entries, weight: v.optional(v.number('must be a number'), 1) });

export const metrics = v.array(metric, 'must be a list of objects');
export const rewards = v.array(reward, 'must be a list of objects');

export type ScoringFunction = v.InferOutput<typeof metric>;
export type Reward = v.InferOutput<typeof reward>;

/** Keys that each type reads beside the common ones; those with an exclamation mark it needs. */
const KEYS: Record<ScoringFunction['type'], readonly string[]> = {
  code: ['code!'],
  exact_match: [],
  number_equals: ['tolerance'],
  regex: ['pattern!', 'flags'],
  json_schema: ['schema!'],
  length: ['min', 'max', 'unit'],
  contains: ['text', 'flags'],
};
const COMMON = ['name', 'type', 'weight', 'on_error'];

/** What a function is called in curves and tables. */
export function nameOf({ name, type }: Pick<ScoringFunction, 'name' | 'type'>): string {
  return name ?? type;
}

/** @param key `rewards` or `metrics` @param taken names that are not free @returns null where all can run */
export function scoringFault(
  key: string,
  functions: readonly ScoringFunction[],
  taken: readonly string[] = [],
): string | null {
  const names = new Set(taken);
  for (const [i, made] of functions.entries()) {
    const name = nameOf(made);
    const at = `"${key}[${i}]" (${name})`;
    // As `eval_math_my_loss` would be read as the loss of a set math_my.
    if (names.has(name) || taken.some((other) => name.endsWith(`_${other}`)))
      return `${at} has a name that is taken. Give it a "name" of its own.`;
    names.add(name);
    const keys = KEYS[made.type].map((each) => each.replace('!', ''));
    const missing = KEYS[made.type].find(
      (each) => each.endsWith('!') && (made as Record<string, unknown>)[each.slice(0, -1)] === undefined,
    );
    if (missing) return `${at} is of type ${made.type} and has no "${missing.slice(0, -1)}". Write it.`;
    const other = Object.keys(made).find((each) => !COMMON.includes(each) && !keys.includes(each));
    if (other)
      return `${at} has "${other}", which the type ${made.type} does not read (${keys.join(', ') || 'no key'}). Remove it, or change "type".`;
    if (made.type === 'length' && made.min === undefined && made.max === undefined)
      return `${at} has neither "min" nor "max". Write one of them, or both.`;
    if (made.min !== undefined && made.max !== undefined && made.min > made.max)
      return `${at} has a "min" above its "max". Exchange them.`;
    const pattern = patternFault(made);
    if (pattern) return `${at} has a "pattern" that is no regular expression: ${pattern}. Mend it.`;
  }
  return null;
}

function patternFault({ pattern, flags }: ScoringFunction): string | null {
  if (pattern === undefined) return null;
  try {
    new RegExp(pattern, flags);
    return null;
  } catch (error) {
    return error instanceof SyntaxError ? error.message : String(error);
  }
}
