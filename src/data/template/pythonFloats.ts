/** Floats among the interpreter's values, as Python has them: whole ones stay floats, and JSON shows it. */
import { WHOLE_FLOAT_KEY } from '../files/exactJson.ts';
import { pythonFloat, type JinjaValue } from './pythonText.ts';

/**
 * Puts floats in the place of the objects by which whole ones are held.
 * @param made makes the interpreter's value of a float
 * @returns the value to use, which is the given one, changed inside, where it is no such object itself
 */
export function withFloats<T extends JinjaValue>(value: T, made: (float: number) => T): T {
  if (value.type === 'ArrayValue') {
    const items = value.value as T[];
    for (const [i, item] of items.entries()) items[i] = withFloats(item, made);
  } else if (value.type === 'ObjectValue') {
    const fields = value.value as Map<string, T>;
    const float = fields.get(WHOLE_FLOAT_KEY);
    if (float) return made(float.value as number);
    for (const [key, item] of fields) fields.set(key, withFloats(item, made));
  }
  return value;
}

/**
 * Writes JSON in which floats stand as Python's json.dumps writes them.
 * @param toJson what the interpreter makes of a value
 * @param text makes the interpreter's value of a text
 */
export function jsonWithFloats<T extends JinjaValue>(
  value: T,
  toJson: (value: T) => string,
  text: (value: string) => T,
): string {
  // Marks a float's text: chosen so that no text of the value has it.
  let mark = 'float ';
  for (const plain = toJson(value); plain.includes(mark);) mark += '-';
  const marked = (inner: T): T => {
    switch (inner.type) {
      case 'FloatValue':
        return text(mark + pythonFloat(inner.value as number));
      case 'ArrayValue':
        return copyOf(inner, (inner.value as T[]).map(marked));
      case 'ObjectValue':
        return copyOf(
          inner,
          new Map([...(inner.value as Map<string, T>)].map(([key, item]) => [key, marked(item)])),
        );
      default:
        return inner;
    }
  };
  return toJson(marked(value)).replace(new RegExp(`"${mark}([^"]*)"`, 'g'), '$1');
}

function copyOf<T extends JinjaValue>(value: T, contents: unknown): T {
  return Object.assign(Object.create(Object.getPrototypeOf(value) as object) as T, value, {
    value: contents,
  });
}
