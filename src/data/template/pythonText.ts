/**
 * How Python writes values and changes texts, where JavaScript does it otherwise. Values are those of
 * @huggingface/jinja.
 */
import { WholeFloat } from '../files/exactJson.ts';

/** A value of the interpreter, by its `type`. */
export interface JinjaValue {
  type: string;
  value?: unknown;
}

/** str(): what `{{ … }}` prints. @throws Error for what cannot be written as Python writes it */
export function pythonStr({ type, value }: JinjaValue): string {
  if (type === 'StringValue') return value as string;
  if (type === 'UndefinedValue') return '';
  return pythonRepr({ type, value });
}

/** repr() */
export function pythonRepr({ type, value }: JinjaValue): string {
  switch (type) {
    case 'StringValue':
      return quoted(value as string);
    case 'NullValue':
      return 'None';
    case 'BooleanValue':
      return value ? 'True' : 'False';
    case 'IntegerValue':
      return integer(value as number);
    case 'FloatValue':
      return pythonFloat(value as number);
    case 'ArrayValue':
      return `[${(value as JinjaValue[]).map(pythonRepr).join(', ')}]`;
    case 'TupleValue': {
      const items = (value as JinjaValue[]).map(pythonRepr);
      return items.length === 1 ? `(${items[0]},)` : `(${items.join(', ')})`;
    }
    case 'ObjectValue':
      return `{${[...(value as Map<string, JinjaValue>)].map(([key, item]) => `${quoted(key)}: ${pythonRepr(item)}`).join(', ')}}`;
    default:
      throw new Error(`the template prints a ${type}, which is not known to be printed as Python prints it`);
  }
}

/** A whole number; JSON's of 2^53 and more have lost digits, or were floats. */
function integer(value: number): string {
  if (!Number.isSafeInteger(value))
    throw new Error(
      `the template prints the number ${value}, which is too large to be printed as Python prints it`,
    );
  return String(value);
}

/** A float: exponents from 1e-5 down and 1e16 up, with two digits at least, and `.0` on whole ones. */
export function pythonFloat(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf';
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e16))
    return value.toExponential().replace(/e([+-])(\d)$/, 'e$10$2');
  if (Object.is(value, -0)) return '-0.0';
  return Number.isInteger(value) ? `${value}.0` : String(value);
}

/**
 * The numbers of a value, in the order in which JSON writes them, whose JSON is not what Python's json.dumps
 * writes.
 * @throws Error for one that cannot be written as Python writes it
 */
export function numbersUnlikePythonJson({ type, value }: JinjaValue): JinjaValue[] {
  switch (type) {
    case 'IntegerValue':
      integer(value as number);
      return [];
    case 'FloatValue':
      if (!Number.isFinite(value))
        throw new Error(`the number ${String(value)} is not known to be written as Python writes it in JSON`);
      return pythonFloat(value as number) === String(value) ? [] : [{ type, value }];
    case 'ArrayValue':
    case 'TupleValue':
      return (value as JinjaValue[]).flatMap(numbersUnlikePythonJson);
    case 'ObjectValue':
      return [...(value as Map<string, JinjaValue>).values()].flatMap(numbersUnlikePythonJson);
    default:
      return [];
  }
}

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['\\', '\\\\'],
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['\t', '\\t'],
]);

function quoted(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  let out = quote;
  for (const character of text) {
    const escape = ESCAPES.get(character);
    if (escape) out += escape;
    else if (character === quote) out += `\\${quote}`;
    else out += /[\p{C}\p{Z}]/u.test(character) && character !== ' ' ? escaped(character) : character;
  }
  return out + quote;
}

function escaped(character: string): string {
  const code = character.codePointAt(0)!;
  const hex = (digits: number) => code.toString(16).padStart(digits, '0');
  return code < 0x100 ? `\\x${hex(2)}` : code < 0x10000 ? `\\u${hex(4)}` : `\\U${hex(8)}`;
}

/** The `title` filter of jinja: words end at white space, hyphens and opening brackets. */
export function titleFilter(text: string): string {
  return text
    .split(/([-\s({[<]+)/)
    .map((word) => {
      const [first = '', ...rest] = word;
      return first.toUpperCase() + rest.join('').toLowerCase();
    })
    .join('');
}

/** str.title(): every run of letters is a word. */
export function titleMethod(text: string): string {
  return text.replace(/\p{L}+/gu, (word) => {
    const [first = '', ...rest] = word;
    return first.toUpperCase() + rest.join('').toLowerCase();
  });
}

/** White space to str.isspace(). */
const WHITE_SPACE = '\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000';

/** Methods of strings by name. */
export const STRING_METHODS: Readonly<Record<string, (self: string, ...args: unknown[]) => string>> = {
  strip: (self, characters) => stripEnd(stripStart(self, characters), characters),
  lstrip: stripStart,
  rstrip: stripEnd,
  capitalize: (self) => {
    const [first = '', ...rest] = self;
    return first.toUpperCase() + rest.join('').toLowerCase();
  },
  title: titleMethod,
};
function stripStart(self: string, characters?: unknown): string {
  return self.replace(new RegExp(`^${characterClass(characters)}+`, 'u'), '');
}

function stripEnd(self: string, characters?: unknown): string {
  const white = new RegExp(`^${characterClass(characters)}$`, 'u');
  let end = self.length;
  for (const character of [...self].reverse()) {
    if (!white.test(character)) break;
    end -= character.length;
  }
  return self.slice(0, end);
}

/** One of `characters`, or of white space. */
function characterClass(characters: unknown): string {
  if (typeof characters !== 'string') return `[${WHITE_SPACE}]`;
  return characters === '' ? '(?!)' : `[${characters.replace(/[\\\]^-]/g, '\\$&')}]`;
}

/** As Python's json.dumps writes it without escaping what is not ASCII. */
export function pythonJson(value: unknown): string {
  if (value instanceof WholeFloat) return pythonFloat(value.value);
  if (typeof value === 'number' && !Number.isInteger(value)) return pythonFloat(value);
  if (Array.isArray(value)) return `[${value.map(pythonJson).join(', ')}]`;
  if (typeof value === 'object' && value !== null)
    return `{${Object.entries(value)
      .map(([key, inner]) => `${JSON.stringify(key)}: ${pythonJson(inner)}`)
      .join(', ')}}`;
  return JSON.stringify(value) ?? 'null';
}
