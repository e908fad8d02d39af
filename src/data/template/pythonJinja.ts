/**
 * Renders templates as Python's jinja2 does where @huggingface/jinja has JavaScript's ways or none: methods of strings, the `trim` filter,
 * equality, loops over a string or over nothing, members of what is not defined, and a `strftime_now` whose day is given.
 */
import { Environment, Interpreter, Template } from '@huggingface/jinja';

type Value = ReturnType<Interpreter['evaluate']>;
type Statement = NonNullable<Parameters<Interpreter['evaluate']>[0]>;

/** A node of a parsed template, by its `type`. */
interface Node extends Statement {
  [field: string]: unknown;
}

/** White space to str.isspace(). */
const WHITE_SPACE = '\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000';

const METHODS: Readonly<Record<string, (self: string, ...args: unknown[]) => string>> = {
  strip: (self, characters) => stripEnd(stripStart(self, characters), characters),
  lstrip: stripStart,
  rstrip: stripEnd,
  capitalize: (self) => {
    const [first = '', ...rest] = self;
    return first.toUpperCase() + rest.join('').toLowerCase();
  },
};
/** Begins the variables that hold the methods: no template can name them, as they are no identifiers. */
const PREFIX = 'str.';

export class PythonTemplate {
  private readonly template: Template;

  /** @throws Error where the text is no template */
  constructor(source: string) {
    this.template = new Template(withoutGeneration(source.replace(/\r\n?/g, '\n')));
  }

  /** @param variables plain data @param now what strftime_now tells, in UTC @throws Error where the template raises an exception or uses what is not there */
  render(variables: Readonly<Record<string, unknown>>, now: Date): string {
    const environment = new Environment();
    const constants = { true: true, True: true, false: false, False: false, none: null, None: null };
    const functions = {
      raise_exception: raise,
      range,
      strftime_now: (format: string) => strftime(now, format),
    };
    const methods = Object.fromEntries(
      Object.entries(METHODS).map(([name, method]) => [PREFIX + name, method]),
    );
    for (const [name, value] of Object.entries({ ...constants, ...functions, ...methods, ...variables }))
      environment.set(name, value);
    return new PythonInterpreter(environment).run(this.template.parsed).value as string;
  }
}

/**
 * The tags of transformers' `generation` block, which only marks text, as blocks that do nothing: taken out altogether, they would join the
 * white space on their two sides.
 */
function withoutGeneration(source: string): string {
  return source.replace(
    /\{%(-?)\s*(end)?generation\s*(-?)%\}/g,
    (_, before: string, end: string | undefined, after: string) =>
      `{%${before} ${end ? 'endif' : 'if true'} ${after}%}`,
  );
}

/** A node that is evaluated already. */
function held(value: Value): Node {
  return { type: 'Held', value };
}

class PythonInterpreter extends Interpreter {
  override evaluate(statement: Statement | undefined, scope: Environment): Value {
    const node = statement as Node | undefined;
    switch (node?.type) {
      case 'Held':
        return node.value as Value;
      case 'MemberExpression':
        return this.member(node, scope);
      case 'CallExpression':
        return this.call(node, scope);
      case 'FilterExpression':
        return this.filter(node, scope);
      case 'BinaryExpression':
        return this.binary(node, scope);
      case 'For':
        return super.evaluate(
          { ...node, iterable: this.iterable(node.iterable as Node, scope) } as Node,
          scope,
        );
      default:
        return super.evaluate(node, scope);
    }
  }

  /** Of something undefined there are no members. */
  private member(node: Node, scope: Environment): Value {
    const object = this.evaluate(node.object as Node, scope);
    if (object.type === 'UndefinedValue') throw new Error(`${nameOf(node.object as Node)} is undefined`);
    return super.evaluate({ ...node, object: held(object) } as Node, scope);
  }

  private call(node: Node, scope: Environment): Value {
    const callee = node.callee as Node;
    const name = (callee.property as Node | undefined)?.value as string;
    if (callee.type !== 'MemberExpression' || callee.computed || !Object.hasOwn(METHODS, name))
      return super.evaluate(node, scope);
    const self = this.evaluate(callee.object as Node, scope);
    if (self.type === 'StringValue') return this.method(name, self, node.args as Node[], scope);
    return super.evaluate({ ...node, callee: { ...callee, object: held(self) } } as Node, scope);
  }

  private method(name: string, self: Value, args: readonly Node[], scope: Environment): Value {
    return super.evaluate(
      {
        type: 'CallExpression',
        callee: { type: 'Identifier', value: PREFIX + name },
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
    if (name !== 'trim' && name !== 'selectattr') return super.evaluate(node, scope);
    const operand = this.evaluate(node.operand as Node, scope);
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
    return super.evaluate({ ...node, operand: held(operand) } as Node, scope);
  }

  private binary(node: Node, scope: Environment): Value {
    const operator = (node.operator as { value: string }).value;
    if (operator !== '==' && operator !== '!=') return super.evaluate(node, scope);
    const equal = isEqual(this.evaluate(node.left as Node, scope), this.evaluate(node.right as Node, scope));
    return this.global.lookupVariable(equal === (operator === '==') ? 'true' : 'false');
  }

  /** A string is the list of its characters, something undefined an empty list. */
  private iterable(node: Node, scope: Environment): Node {
    if (node.type === 'SelectExpression') return { ...node, lhs: this.iterable(node.lhs as Node, scope) };
    const value = this.evaluate(node, scope);
    if (value.type === 'StringValue')
      return {
        type: 'ArrayLiteral',
        value: [...(value.value as string)].map((character) => ({ type: 'StringLiteral', value: character })),
      };
    return value.type === 'UndefinedValue' ? { type: 'ArrayLiteral', value: [] } : held(value);
  }
}

function nameOf({ type, value, property }: Node): string {
  return type === 'Identifier'
    ? String(value)
    : type === 'MemberExpression'
      ? nameOf(property as Node)
      : 'a value';
}

const NUMBERS = ['IntegerValue', 'FloatValue', 'BooleanValue'];

/** Python's ==: nothing of one kind equals something of another, but numbers and truth values do. */
function isEqual(a: Value, b: Value): boolean {
  if (NUMBERS.includes(a.type) && NUMBERS.includes(b.type)) return Number(a.value) === Number(b.value);
  if (a.type !== b.type) return false;
  if (Array.isArray(a.value)) {
    const [left, right] = [a.value, b.value as Value[]];
    return left.length === right.length && left.every((item, i) => isEqual(item, right[i]));
  }
  if (a.value instanceof Map) {
    const [left, right] = [a.value, b.value as Map<string, Value>];
    return (
      left.size === right.size &&
      [...left].every(([key, item]) => right.has(key) && isEqual(item, right.get(key)!))
    );
  }
  return a.value === b.value;
}

function raise(text: unknown): never {
  throw new Error(String(text));
}

function range(from: number, to?: number, step = 1): number[] {
  const [start, stop] = to === undefined ? [0, from] : [from, to];
  return Array.from({ length: Math.max(0, Math.ceil((stop - start) / step)) }, (_, i) => start + i * step);
}

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

const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];
const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];

/** datetime.strftime in the C locale. */
function strftime(date: Date, format: string): string {
  const two = (value: number) => String(value).padStart(2, '0');
  const [month, day] = [MONTHS[date.getUTCMonth()], DAYS[date.getUTCDay()]];
  const hour = date.getUTCHours();
  const fields: Record<string, string> = {
    Y: String(date.getUTCFullYear()),
    y: two(date.getUTCFullYear() % 100),
    m: two(date.getUTCMonth() + 1),
    d: two(date.getUTCDate()),
    B: month,
    b: month.slice(0, 3),
    A: day,
    a: day.slice(0, 3),
    H: two(hour),
    I: two(hour % 12 || 12),
    p: hour < 12 ? 'AM' : 'PM',
    M: two(date.getUTCMinutes()),
    S: two(date.getUTCSeconds()),
    '%': '%',
  };
  return format.replace(/%(-?)([a-zA-Z%])/g, (all, dash: string, key: string) =>
    Object.hasOwn(fields, key) ? (dash ? fields[key].replace(/^0(?=.)/, '') : fields[key]) : all,
  );
}
