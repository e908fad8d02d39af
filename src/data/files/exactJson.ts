/** JSON as Python reads it: a number that is written as a float stays one, even where it is whole. */

/** The key under which a float is held: no text of JSON that this file reads has it. */
const HELD = '\u0000float';

/** A whole number that JSON writes as a float, such as 2.0 or 1e3: Python prints it otherwise than 2. */
export class WholeFloat {
  readonly [HELD]: number;

  constructor(value: number) {
    this[HELD] = value;
  }

  get value(): number {
    return this[HELD];
  }

  toJSON(): number {
    return this.value;
  }
}

/** The key of a `WholeFloat`'s number, for those who see its fields alone. */
export const WHOLE_FLOAT_KEY = HELD;

/** A value, or the number that it holds. */
export function plainNumber(value: unknown): unknown {
  return value instanceof WholeFloat ? value.value : value;
}

/** A record as JSON alone has it: numbers for floats, and for whole numbers that no float holds. */
export function plainRecord(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value);
  if (value instanceof WholeFloat) return value.value;
  if (Array.isArray(value)) return value.map(plainRecord);
  if (value instanceof Date) return value.toISOString();
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plainRecord(inner)]));
}

/** Texts, and numbers written as floats. */
const TEXT_OR_FLOAT = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/**
 * Parses JSON; whole numbers that are written as floats become `WholeFloat`.
 * @throws SyntaxError as JSON.parse does
 */
export function parseExactJson(text: string): unknown {
  // Most texts have none: they are parsed once, by the browser alone.
  if (!/\d(?:\.0|[eE])/.test(text)) return JSON.parse(text);
  const value: unknown = JSON.parse(text);
  let found = false;
  const marked = text.replace(TEXT_OR_FLOAT, (token) => {
    if (token.startsWith('"') || !/[.eE]/.test(token) || !isWhole(Number(token))) return token;
    found = true;
    return `{"\\u0000float":${token}}`;
  });
  return found ? JSON.parse(marked, revived) : value;
}

function isWhole(value: number): boolean {
  return Number.isInteger(value);
}

function revived(_: string, value: unknown): unknown {
  return typeof value === 'object' && value !== null && HELD in value
    ? new WholeFloat((value as Record<string, unknown>)[HELD] as number)
    : value;
}
