/**
 * Tests (`is …`), comparison and membership as Python has them, where @huggingface/jinja has them otherwise.
 */
import type { JinjaValue } from './pythonText.ts';

const NUMBERS = ['IntegerValue', 'FloatValue', 'BooleanValue'];
const LISTS = ['ArrayValue', 'TupleValue'];

/** Tests by name. They throw for values of which it is not known what Python says. */
export const PYTHON_TESTS: Readonly<Record<string, (value: JinjaValue) => boolean>> = {
  number: ({ type }) => NUMBERS.includes(type),
  iterable: ({ type }) => ['StringValue', 'ObjectValue', 'UndefinedValue', ...LISTS].includes(type),
  sequence: ({ type }) => ['StringValue', 'ObjectValue', 'UndefinedValue', ...LISTS].includes(type),
  callable: ({ type }) => {
    if (type === 'UndefinedValue') throw new Error('it is not known whether what is undefined is callable');
    return type === 'FunctionValue';
  },
  lower: (value) => hasCase(value, (text) => text.toLowerCase()),
  upper: (value) => hasCase(value, (text) => text.toUpperCase()),
};

function hasCase({ type, value }: JinjaValue, change: (text: string) => string): boolean {
  if (type !== 'StringValue') throw new Error(`the case of a ${type} is not known`);
  const text = value as string;
  return change(text) === text && text.toLowerCase() !== text.toUpperCase();
}

/** Python's ==: nothing of one kind equals something of another, but numbers and truth values do. */
export function isEqual(a: JinjaValue, b: JinjaValue): boolean {
  if (NUMBERS.includes(a.type) && NUMBERS.includes(b.type)) return Number(a.value) === Number(b.value);
  if (a.type !== b.type) return false;
  if (Array.isArray(a.value)) {
    const [left, right] = [a.value as JinjaValue[], b.value as JinjaValue[]];
    return left.length === right.length && left.every((item, i) => isEqual(item, right[i]!));
  }
  if (a.value instanceof Map) {
    const [left, right] = [a.value as Map<string, JinjaValue>, b.value as Map<string, JinjaValue>];
    return (
      left.size === right.size &&
      [...left].every(([key, item]) => right.has(key) && isEqual(item, right.get(key)!))
    );
  }
  return a.value === b.value;
}

/** Python's `in`. @returns null where the interpreter may decide */
export function isIn(needle: JinjaValue, { type, value }: JinjaValue): boolean | null {
  return LISTS.includes(type) ? (value as JinjaValue[]).some((item) => isEqual(item, needle)) : null;
}

/** White space and ends of lines that Python and JavaScript do not agree on. */
const DISPUTED = new RegExp(`[${['\\v\\f', '\\x1c-\\x1f', '\\x85', '\\u2028\\u2029', '\\ufeff'].join('')}]`);

/**
 * Refuses what the interpreter would compute otherwise than Python.
 * @param name of a filter, or of a method of a text
 * @throws Error which says so
 */
export function refuseUnlike(name: string, { type, value }: JinjaValue): void {
  const refuse = (what: string): never => {
    throw new Error(`"${name}" of ${what} is not known to be computed as Python computes it`);
  };
  if (type === 'StringValue') {
    const text = value as string;
    if (['indent', 'split', 'splitlines', 'wordcount', 'title'].includes(name) && DISPUTED.test(text))
      refuse('a text with unusual white space');
    if (name === 'indent' && text === '') refuse('an empty text');
    if ((name === 'int' || name === 'float') && !/^\s*[+-]?(\d+|\d*\.\d+|\d+\.)\s*$/.test(text))
      refuse('a text that is no plain number');
    if (['title', 'capitalize'].includes(name) && TITLED.test(text)) refuse('such letters');
  }
  if (type === 'TupleValue' && ['list', 'slice'].includes(name)) refuse('a tuple');
  if (
    name === 'unique' &&
    (value as JinjaValue[]).some?.(({ value: item }) => typeof item === 'object' && item)
  )
    refuse('what cannot be hashed');
}

/**
 * First letters whose form at the beginning of a word is not their capital, or which become two; and the
 * sigma that has two small forms.
 */
const TITLED = /(?<!\p{L})[ßŉǄ-ǌǰǱ-ǳΐΰևẖ-ẚᾀ-ᾯᾲ-ᾷῂ-ῇῒ-ῗῢ-ῧῲ-ῷﬀ-ﬗİ]|Σ/u;
