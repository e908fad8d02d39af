/**
 * Renders templates as Python's jinja2 does where @huggingface/jinja follows JavaScript or has nothing: what
 * is printed, methods of strings, characters beyond 16 bits, filters, equality, remainders, loops over a
 * string or over nothing, members of what is not defined, and a `strftime_now` whose day is given. What
 * cannot be rendered as Python renders it raises.
 */
import { Environment, Template } from '@huggingface/jinja';
import { METHOD_PREFIX, PythonInterpreter } from './pythonInterpreter.ts';
import type { Node } from './pythonOperators.ts';
import { readableSource, RenderBudget } from './renderBudget.ts';
import { withFloats } from './pythonFloats.ts';
import { range, strftime } from './pythonFunctions.ts';
import { PYTHON_TESTS } from './pythonTests.ts';
import { STRING_METHODS } from './pythonText.ts';

export class PythonTemplate {
  private readonly template: Template;
  /** Names that the template may look up: a look-up that fails costs an exception. */
  private readonly names: ReadonlySet<string>;
  private shared: { at: number; environment: Environment } | null = null;

  /**
   * @param constants plain data that every rendering has, by the names under which the template knows them
   * @throws Error where the text is no template
   */
  constructor(
    source: string,
    private readonly constants: Readonly<Record<string, unknown>> = {},
  ) {
    this.template = new Template(readableSource(withoutGeneration(source.replace(/\r\n?/g, '\n'))));
    const parsed = this.template.parsed as unknown as Node;
    markOutputs(parsed);
    this.names = identifiersIn(parsed);
  }

  /**
   * @param variables plain data
   * @param now the time of strftime_now, in UTC
   * @throws Error where the template raises an exception or uses what is not there
   */
  render(variables: Readonly<Record<string, unknown>>, now: Date): string {
    const environment = new Environment(this.sharedAt(now));
    for (const [name, value] of Object.entries(variables)) environment.set(name, value);
    const interpreter = new PythonInterpreter(environment, new RenderBudget());
    for (const name of Object.keys(variables))
      withFloats(environment.lookupVariable(name), (float) => interpreter.float(float));
    return interpreter.run(this.template.parsed).value as string;
  }

  /** What every rendering on a day has in common: no template can change it, as it sets its own scope. */
  private sharedAt(now: Date): Environment {
    if (this.shared?.at === now.getTime()) return this.shared.environment;
    const environment = new Environment();
    const constants = { true: true, True: true, false: false, False: false, none: null, None: null };
    const functions = {
      raise_exception: raise,
      range,
      strftime_now: (format: string) => strftime(now, format),
    };
    const methods = Object.fromEntries(
      Object.entries(STRING_METHODS).map(([name, method]) => [METHOD_PREFIX + name, method]),
    );
    const shared = { ...constants, ...functions, ...methods, ...this.constants };
    for (const [name, value] of Object.entries(shared)) environment.set(name, value);
    for (const name of this.names) if (!environment.variables.has(name)) environment.set(name, undefined);
    for (const [name, test] of Object.entries(PYTHON_TESTS))
      (environment.tests as Map<string, unknown>).set(name, test);
    this.shared = { at: now.getTime(), environment };
    return environment;
  }
}

function identifiersIn(node: unknown, found = new Set<string>()): Set<string> {
  if (typeof node !== 'object' || node === null) return found;
  const { type, value } = node as { type?: unknown; value?: unknown };
  if (type === 'Identifier' && typeof value === 'string') found.add(value);
  const inner = node instanceof Map ? [...node].flat() : Object.values(node);
  for (const part of inner) identifiersIn(part, found);
  return found;
}

/**
 * The tags of transformers' `generation` block, which only marks text, as blocks that do nothing: taken out
 * altogether, they would join the white space on their two sides.
 */
function withoutGeneration(source: string): string {
  return source.replace(
    /\{%(-?)\s*(end)?generation\s*(-?)%\}/g,
    (_, before: string, end: string | undefined, after: string) =>
      `{%${before} ${end ? 'endif' : 'if true'} ${after}%}`,
  );
}

/**
 * Statements that print by what is in them, or nothing; all others are expressions, whose value is printed.
 */
const STATEMENTS = [
  ...['Program', 'If', 'For', 'Break', 'Continue', 'Set', 'Macro', 'Comment', 'CallStatement'],
  ...['FilterStatement', 'Output'],
];

/** Marks the expressions whose values a template prints, so that they are printed as Python prints them. */
function markOutputs(node: Node): void {
  for (const key of ['body', 'alternate', 'defaultBlock']) {
    const block = node[key];
    if (!Array.isArray(block)) continue;
    node[key] = (block as Node[]).map((inner) => {
      if (!STATEMENTS.includes(inner.type)) return { type: 'Output', value: inner };
      markOutputs(inner);
      return inner;
    });
  }
}
function raise(text: unknown): never {
  throw new Error(String(text));
}
