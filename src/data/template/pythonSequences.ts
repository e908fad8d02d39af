/** Texts, lists and dictionaries of templates taken apart as Python does. */
import type { Environment } from '@huggingface/jinja';
import { held, PythonOperators, type Node, type Value } from './pythonOperators.ts';

export class PythonSequences extends PythonOperators {
  /** What an argument is, where it is given by its place; null otherwise. */
  protected argument(node: Node | undefined, scope: Environment): unknown {
    return node && node.type !== 'KeywordArgumentExpression' ? this.evaluate(node, scope).value : null;
  }

  /** A character or a slice of a text that has characters of two UTF-16 code units. */
  protected characters(text: string, node: Node, scope: Environment): Value {
    const list = {
      type: 'ArrayLiteral',
      value: [...text].map((value) => ({ type: 'StringLiteral', value })),
    };
    const found = super.evaluate({ ...node, object: list } as Node, scope);
    return found.type === 'ArrayValue'
      ? this.text((found.value as Value[]).map(({ value }) => value as string).join(''))
      : found;
  }

  /** Keys with their values, which Python has as tuples. */
  protected pairs(list: Value, scope: Environment): Value {
    const items = (list.value as Value[]).map((pair) =>
      super.evaluate({ type: 'TupleLiteral', value: (pair.value as Value[]).map(held) } as Node, scope),
    );
    return super.evaluate({ type: 'ArrayLiteral', value: items.map(held) } as Node, scope);
  }

  /** A string is the list of its characters, something undefined an empty list. */
  protected iterable(node: Node, scope: Environment): Node {
    if (node.type === 'SelectExpression') return { ...node, lhs: this.iterable(node.lhs as Node, scope) };
    const value = this.evaluate(node, scope);
    // The interpreter takes lists apart, but no tuples.
    if (value.type === 'ArrayValue')
      return {
        type: 'ArrayLiteral',
        value: (value.value as Value[]).map((item) =>
          item.type === 'TupleValue'
            ? { type: 'ArrayLiteral', value: (item.value as Value[]).map(held) }
            : held(item),
        ),
      } as Node;
    if (value.type === 'StringValue')
      return {
        type: 'ArrayLiteral',
        value: [...(value.value as string)].map((character) => ({ type: 'StringLiteral', value: character })),
      };
    return value.type === 'UndefinedValue' ? { type: 'ArrayLiteral', value: [] } : held(value);
  }
}

/** Whether a text has characters of two UTF-16 code units. */
export function isBeyond16Bits(text: string): boolean {
  return /[\ud800-\udfff]/.test(text);
}
