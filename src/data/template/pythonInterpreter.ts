/**
 * Evaluates a parsed template as Python's jinja2 does, where @huggingface/jinja follows JavaScript or has
 * nothing.
 */
import type { Environment } from '@huggingface/jinja';
import { held, type Node, type Statement, type Value } from './pythonOperators.ts';
import { isBeyond16Bits, PythonSequences } from './pythonSequences.ts';
import { TemplateLimitError, type RenderBudget } from './renderBudget.ts';
import { refuseUnlike } from './pythonTests.ts';
import { jsonWithFloats } from './pythonFloats.ts';
import { numbersUnlikePythonJson, pythonStr, STRING_METHODS, titleFilter } from './pythonText.ts';

/** Begins the variables that hold the methods: no template can name them, as they are no identifiers. */
export const METHOD_PREFIX = 'str.';
/** Spaces a level of JSON. */
const MOST_INDENT = 64;

export class PythonInterpreter extends PythonSequences {
  constructor(
    environment: Environment,
    private readonly budget: RenderBudget,
  ) {
    super(environment);
  }

  override evaluate(statement: Statement | undefined, scope: Environment): Value {
    this.budget.spend(1);
    const value = this.evaluateNode(statement as Node | undefined, scope);
    if (value?.type === 'StringValue') this.checkText(value.value as string);
    else if (value?.type === 'ArrayValue' && value !== this.lastList) {
      this.lastList = value;
      this.budget.checkList((value.value as Value[]).length);
    }
    return value;
  }

  /** The list that was looked at last: a variable that is read again costs nothing. */
  private lastList: Value | null = null;
  private lastText = '';

  private checkText(text: string): void {
    if (text === this.lastText) return;
    this.lastText = text;
    this.budget.checkText(text.length);
  }

  private evaluateNode(node: Node | undefined, scope: Environment): Value {
    switch (node?.type) {
      case 'Held':
        return node.value as Value;
      // No template changes a value: a literal is made once.
      case 'StringLiteral':
      case 'IntegerLiteral':
        return (node.made ??= super.evaluate(node, scope)) as Value;
      case 'Output':
        return this.text(pythonStr(this.printed(node.value as Node, scope)));
      case 'MemberExpression':
        return this.member(node, scope);
      case 'CallExpression':
        return this.call(node, scope);
      case 'FilterExpression':
        return this.filter(node, scope);
      case 'BinaryExpression':
        return this.binary(node, scope);
      case 'For':
        return this.loop(node, scope);
      default:
        return super.evaluate(node, scope);
    }
  }

  private loop(node: Node, scope: Environment): Value {
    const iterable = this.iterable(node.iterable as Node, scope);
    const items = (iterable.type === 'Held' ? (iterable.value as Value).value : iterable.value) as unknown;
    if (Array.isArray(items)) this.budget.spendTurns(items.length);
    return super.evaluate({ ...node, iterable } as Node, scope);
  }

  /**
   * What is printed. @throws Error for what Python prints as an object with an address or of a type of its
   * own
   */
  private printed(node: Node, scope: Environment): Value {
    const value = this.evaluate(node, scope);
    const called = (node.filter ?? (node.callee as Node | undefined)?.property) as Node | undefined;
    if (
      ['reverse', 'items', 'keys', 'values'].includes(called?.value as string) &&
      Array.isArray(value.value)
    )
      throw new Error(`what "${String(called!.value)}" gives is no list to be printed`);
    return value;
  }

  /** Of something undefined there are no members. */
  private member(node: Node, scope: Environment): Value {
    const object = this.evaluate(node.object as Node, scope);
    if (object.type === 'UndefinedValue') throw new Error(`${nameOf(node.object as Node)} is undefined`);
    const property = node.property as Node;
    if (object.type === 'ObjectValue' && property.type === (node.computed ? 'StringLiteral' : 'Identifier')) {
      const found = (object.value as Map<string, Value>).get(property.value as string);
      if (found) return found;
    }
    if (node.computed && property.type === 'SliceExpression') refuseUnlike('slice', object);
    if (node.computed && object.type === 'StringValue' && isBeyond16Bits(object.value as string))
      return this.characters(object.value as string, node, scope);
    return super.evaluate({ ...node, object: held(object) } as Node, scope);
  }

  private call(node: Node, scope: Environment): Value {
    const callee = node.callee as Node;
    const name = (callee.property as Node | undefined)?.value as string;
    if (callee.type === 'MemberExpression' && name === 'replace') this.checkReplaced(node, scope);
    if (
      callee.type !== 'MemberExpression' ||
      callee.computed ||
      ![...Object.keys(STRING_METHODS), ...METHODS].includes(name)
    )
      return super.evaluate(node, scope);
    const self = this.evaluate(callee.object as Node, scope);
    if (name === 'split' && self.type === 'StringValue')
      this.budget.checkSplit(self.value as string, this.argument((node.args as Node[])[0], scope));
    if (name !== 'split' || (node.args as Node[]).length === 0) refuseUnlike(name, self);
    if (self.type === 'StringValue' && Object.hasOwn(STRING_METHODS, name))
      return this.method(name, self, node.args as Node[], scope);
    const found = super.evaluate({ ...node, callee: { ...callee, object: held(self) } } as Node, scope);
    return name === 'items' && self.type === 'ObjectValue' ? this.pairs(found, scope) : found;
  }

  /** A replacement is measured before it is made. */
  private checkReplaced(node: Node, scope: Environment): void {
    const [text, old, by] = [(node.callee as Node).object as Node, ...(node.args as Node[])].map((part) =>
      this.argument(part, scope),
    );
    if (typeof text !== 'string' || typeof old !== 'string' || typeof by !== 'string') return;
    const times = old === '' ? text.length + 1 : text.split(old).length - 1;
    this.budget.checkText(text.length + times * by.length);
  }

  private method(name: string, self: Value, args: readonly Node[], scope: Environment): Value {
    return super.evaluate(
      {
        type: 'CallExpression',
        callee: { type: 'Identifier', value: METHOD_PREFIX + name },
        args: [held(self), ...args],
      } as Node,
      scope,
    );
  }

  private filter(node: Node, scope: Environment): Value {
    const filter = node.filter as Node;
    const [name, args] =
      filter.type === 'CallExpression'
        ? [(filter.callee as Node).value, filter.args as Node[]]
        : [filter.value, []];
    if (!FILTERS.includes(name as string)) return super.evaluate(node, scope);
    const operand = this.evaluate(node.operand as Node, scope);
    const evaluated = { ...node, operand: held(operand) } as Node;
    refuseUnlike(name as string, operand);
    switch (name) {
      case 'items':
      case 'dictsort':
        return this.pairs(super.evaluate(evaluated, scope), scope);
      case 'string':
        return this.text(pythonStr(operand));
      case 'title':
      case 'capitalize': {
        if (operand.type !== 'StringValue') return super.evaluate(evaluated, scope);
        const text = operand.value as string;
        return this.text(name === 'title' ? titleFilter(text) : STRING_METHODS.capitalize!(text));
      }
      case 'length':
        return operand.type === 'StringValue' && isBeyond16Bits(operand.value as string)
          ? super.evaluate(
              { type: 'IntegerLiteral', value: [...(operand.value as string)].length } as Node,
              scope,
            )
          : super.evaluate(evaluated, scope);
      case 'tojson': {
        if (operand.type === 'UndefinedValue')
          throw new Error('what is not defined cannot be written as JSON');
        this.checkIndent(args, scope);
        if (numbersUnlikePythonJson(operand).length === 0) return super.evaluate(evaluated, scope);
        const toJson = (value: Value) =>
          super.evaluate({ ...node, operand: held(value) } as Node, scope).value as string;
        return this.text(jsonWithFloats(operand, toJson, (value) => this.text(value)));
      }
      case 'join':
        return this.joined(operand, args, scope);
    }
    if (name !== 'trim' && name !== 'selectattr') return super.evaluate(evaluated, scope);
    if (operand.type === 'StringValue' && name === 'trim') return this.method('strip', operand, args, scope);
    // No character of a string has attributes; the string of something undefined is empty.
    if (operand.type === 'StringValue')
      return this.evaluate({ type: 'ArrayLiteral', value: [] } as Node, scope);
    if (operand.type === 'UndefinedValue')
      return this.evaluate(
        {
          type: name === 'trim' ? 'StringLiteral' : 'ArrayLiteral',
          value: name === 'trim' ? '' : [],
        } as Node,
        scope,
      );
    return super.evaluate(evaluated, scope);
  }

  /** Each line of JSON begins with as many spaces a level. */
  private checkIndent(args: readonly Node[], scope: Environment): void {
    for (const arg of args) {
      const isNamed = arg.type === 'KeywordArgumentExpression';
      const value = this.argument(isNamed ? (arg.value as Node) : arg, scope);
      if (typeof value === 'number' && value > MOST_INDENT)
        throw new TemplateLimitError(`indents JSON by ${value} spaces`);
    }
  }

  private joined(operand: Value, args: readonly Node[], scope: Environment): Value {
    if (args.length > 1 || args[0]?.type === 'KeywordArgumentExpression')
      throw new Error('the filter "join" is known with a separator alone');
    const items =
      operand.type === 'StringValue'
        ? [...(operand.value as string)]
        : operand.type === 'ArrayValue' || operand.type === 'TupleValue'
          ? (operand.value as Value[]).map(pythonStr)
          : null;
    if (!items) throw new Error(`the filter "join" does not know a ${operand.type}`);
    const separator = args[0] ? pythonStr(this.evaluate(args[0], scope)) : '';
    this.budget.checkText(items.reduce((sum, item) => sum + item.length + separator.length, 0));
    return this.text(items.join(separator));
  }
}

/** Methods that differ from Python's, beside those of strings. */
const METHODS = ['items', 'split', 'splitlines'];
/** Filters that differ from Python's. */
const FILTERS = [
  ...['trim', 'selectattr', 'string', 'title', 'capitalize', 'length', 'tojson', 'join'],
  ...['indent', 'wordcount', 'int', 'float', 'list', 'unique', 'items', 'dictsort'],
];

function nameOf({ type, value, property }: Node): string {
  return type === 'Identifier'
    ? String(value)
    : type === 'MemberExpression'
      ? nameOf(property as Node)
      : 'a value';
}
