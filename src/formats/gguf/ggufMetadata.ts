/** Typed access to the metadata of a GGUF, with errors that name the key. */
import { UserError } from '../../lib/errors.ts';
import type { GgufValue } from './gguf.ts';

export class GgufMetadata {
  /** `general.architecture`, the prefix of the model's own keys. */
  readonly architecture: string;

  /** @param file its name, for messages */
  constructor(
    readonly values: ReadonlyMap<string, GgufValue>,
    readonly file: string,
  ) {
    this.architecture = this.text('general.architecture');
  }

  fail(what: string): never {
    throw new UserError(`${this.file}: ${what}`);
  }

  has(key: string): boolean {
    return this.values.has(key);
  }

  /** @param fallback where the key is absent; without one that is an error */
  number(key: string, fallback?: number): number {
    const value = this.values.get(key) ?? fallback;
    if (typeof value !== 'number' || !Number.isFinite(value))
      this.fail(
        `the metadata key ${key} must be a number, found ${describe(value)}. Convert the model again.`,
      );
    return value;
  }

  numberOrNull(key: string): number | null {
    return this.has(key) ? this.number(key) : null;
  }

  text(key: string, fallback?: string): string {
    const value = this.values.get(key) ?? fallback;
    if (typeof value !== 'string')
      this.fail(`the metadata key ${key} must be a text, found ${describe(value)}. Convert the model again.`);
    return value;
  }

  boolean(key: string, fallback: boolean): boolean {
    const value = this.values.get(key) ?? fallback;
    if (typeof value !== 'boolean')
      this.fail(`the metadata key ${key} must be true or false, found ${describe(value)}.`);
    return value;
  }

  texts(key: string): string[] {
    return this.list(key, 'string');
  }

  numbers(key: string): number[] {
    return this.list(key, 'number');
  }

  booleans(key: string): boolean[] {
    return this.list(key, 'boolean');
  }

  /** A list of numbers, or one number for all of `count`. */
  numberOrEach(key: string, count: number): number[] {
    if (!Array.isArray(this.values.get(key))) return Array<number>(count).fill(this.number(key));
    const each = this.numbers(key);
    if (each.length !== count) this.fail(`${key} has ${each.length} numbers for ${count} layers.`);
    return each;
  }

  /** A key of the model's own, `<architecture>.<key>`. */
  own(key: string): string {
    return `${this.architecture}.${key}`;
  }

  private list<T extends GgufValue>(key: string, type: 'string' | 'number' | 'boolean'): T[] {
    const value = this.values.get(key);
    if (!Array.isArray(value) || value.some((entry) => typeof entry !== type))
      this.fail(`the metadata key ${key} must be a list of ${type}s, found ${describe(value)}.`);
    return value as T[];
  }
}

function describe(value: GgufValue | undefined): string {
  if (value === undefined) return 'nothing';
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
