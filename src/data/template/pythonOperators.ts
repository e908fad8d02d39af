/** Operators of templates as Python has them, where @huggingface/jinja follows JavaScript. */
import { Interpreter, type Environment } from '@huggingface/jinja';
import { isEqual, isIn } from './pythonTests.ts';
import { pythonStr } from './pythonText.ts';

export type Value = ReturnType<Interpreter['evaluate']>;
export type Statement = NonNullable<Parameters<Interpreter['evaluate']>[0]>;

/** A node of a parsed template, by its `type`. */
export interface Node extends Statement {
  [field: string]: unknown;
}

/** A node that is evaluated already. */
export function held(value: Value): Node {
  return { type: 'Held', value };
}

export class PythonOperators extends Interpreter {
  /** The interpreter's value of a float. */
  float(value: number): Value {
    return super.evaluate({ type: 'FloatLiteral', value } as Node, this.global);
  }

  protected text(value: string): Value {
    return super.evaluate({ type: 'StringLiteral', value } as Node, this.global);
  }

  /** `~`, `+` and `%` where JavaScript's differ. */
  private arithmetic(node: Node, operator: string, scope: Environment): Value {
    const [left, right] = [this.evaluate(node.left as Node, scope), this.evaluate(node.right as Node, scope)];
    if (operator === '~') return this.text(pythonStr(left) + pythonStr(right));
    const isText = [left, right].map(({ type }) => type === 'StringValue');
    const isTuple = left.type === 'TupleValue' || right.type === 'TupleValue';
    if (operator === '+' && (isText[0] !== isText[1] || isTuple))
      throw new Error(`a ${left.type} and a ${right.type} cannot be added`);
    if (operator === '+' && isText[0] && isText[1])
      return this.text((left.value as string) + (right.value as string));
    if (
      operator === '%' &&
      [left, right].every(({ type }) => ['IntegerValue', 'FloatValue'].includes(type))
    ) {
      const [a, b] = [left.value as number, right.value as number];
      const isFloat = left.type === 'FloatValue' || right.type === 'FloatValue';
      if (b === 0) throw new Error('a remainder of a division by zero');
      const value = a - b * Math.floor(a / b);
      return super.evaluate({ type: isFloat ? 'FloatLiteral' : 'IntegerLiteral', value } as Node, scope);
    }
    return super.evaluate({ ...node, left: held(left), right: held(right) } as Node, scope);
  }

  protected binary(node: Node, scope: Environment): Value {
    const operator = (node.operator as { value: string }).value;
    if (['~', '+', '%'].includes(operator)) return this.arithmetic(node, operator, scope);
    if (operator === 'in' || operator === 'not in') {
      const [left, right] = [
        this.evaluate(node.left as Node, scope),
        this.evaluate(node.right as Node, scope),
      ];
      const found = isIn(left, right);
      return found === null
        ? super.evaluate({ ...node, left: held(left), right: held(right) } as Node, scope)
        : this.global.lookupVariable(found === (operator === 'in') ? 'true' : 'false');
    }
    if (operator !== '==' && operator !== '!=') return super.evaluate(node, scope);
    const equal = isEqual(this.evaluate(node.left as Node, scope), this.evaluate(node.right as Node, scope));
    return this.global.lookupVariable(equal === (operator === '==') ? 'true' : 'false');
  }
}
