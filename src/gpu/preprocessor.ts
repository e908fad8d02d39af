/**
 * The preprocessor of the WGSL files: `#include`, `#if`, `#repeat` (shaders/README.md describes them). A file is parsed once; expanding it
 * for a set of constants then only walks its tree.
 */
import type { ShaderConstant } from './dispatch.ts';

/** Text lines, or a directive with the line it stands on (1-based). */
type Item =
  | { type: 'text'; text: string; line: number }
  | { type: 'include'; path: string; line: number }
  | { type: 'if'; branches: { condition: Condition | null; line: number; items: Item[] }[] }
  | { type: 'repeat'; letter: string; count: string; line: number; items: Item[] };

interface Condition {
  name: string;
  /** What NAME must equal, as written; null: NAME must be true or not 0. */
  value: string | null;
}

export interface ParsedFile {
  /** Path from shaders/, for messages. */
  path: string;
  items: Item[];
}

export type Constants = Readonly<Record<string, ShaderConstant>>;

/** @throws Error that names file and line, for an unknown directive, bad syntax, or a block that is not closed */
export function parse(path: string, text: string): ParsedFile {
  const lines = text.split('\n');
  let at = 0;
  const fail = (line: number, message: string): never => {
    throw new Error(`shaders/${path}:${line}: ${message}`);
  };

  /** Items up to one of the directives in `ends`, which is left to be read. */
  const block = (ends: readonly string[], opened: string, openedAt: number): Item[] => {
    const items: Item[] = [];
    for (; at < lines.length; at++) {
      const line = at + 1;
      const text = lines[at];
      const directive = /^\s*#(\w*)\s*(.*?)\s*$/.exec(text);
      if (!directive) {
        items.push({ type: 'text', text, line });
        continue;
      }
      const [, name, rest] = directive;
      if (ends.includes(name)) return items;
      if (name === 'include') {
        const include = /^"([^"{}]+\.wgsl)"$/.exec(rest);
        if (!include) return fail(line, '#include needs "path/from/shaders.wgsl"');
        items.push({ type: 'include', path: include[1], line });
      } else if (name === 'if') items.push(conditional(rest, line));
      else if (name === 'repeat') items.push(repetition(rest, line));
      else return fail(line, `#${name} does not belong here`);
    }
    return opened === '' ? items : fail(openedAt, `${opened} is not closed`);
  };

  const condition = (text: string, line: number): Condition => {
    const match = /^(\w+)(?:\s*==\s*(\w+))?$/.exec(text);
    return match
      ? { name: match[1], value: match[2] ?? null }
      : fail(line, `a condition is NAME or NAME == value, not '${text}'`);
  };

  const conditional = (first: string, line: number): Item => {
    const branches: { condition: Condition | null; line: number; items: Item[] }[] = [];
    let next: Condition | null = condition(first, line);
    let nextLine = line;
    for (;;) {
      at++;
      const ends = next ? ['elif', 'else', 'endif'] : ['endif'];
      branches.push({ condition: next, line: nextLine, items: block(ends, '#if', line) });
      const [, end, rest] = /^\s*#(\w+)\s*(.*?)\s*$/.exec(lines[at])!;
      if (end === 'endif') return { type: 'if', branches };
      nextLine = at + 1;
      next = end === 'elif' ? condition(rest, nextLine) : null;
    }
  };

  const repetition = (rest: string, line: number): Item => {
    const match = /^([a-z])\s+(\w+)$/.exec(rest);
    if (!match) return fail(line, '#repeat needs a letter and a count: #repeat i NAME');
    at++;
    const items = block(['endrepeat'], '#repeat', line);
    return { type: 'repeat', letter: match[1], count: match[2], line, items };
  };

  return { path, items: block([], '', 0) };
}

/**
 * The lines of a file with includes, conditions and repetitions carried out.
 * @param find a parsed file by its path from shaders/, undefined where there is none
 * @throws Error that names file and line, for a file or constant that is missing or of the wrong type, and for files that include each other
 */
export function expand(
  file: ParsedFile,
  constants: Constants,
  find: (path: string) => ParsedFile | undefined,
): string[] {
  const out: string[] = [];
  const open: string[] = [];

  const expandFile = (each: ParsedFile): void => {
    open.push(each.path);
    walk(each.path, each.items, {});
    open.pop();
  };

  const walk = (path: string, items: readonly Item[], turns: Readonly<Record<string, number>>): void => {
    const fail = (line: number, message: string): never => {
      throw new Error(`shaders/${path}:${line}: ${message}`);
    };
    const constant = (name: string, line: number): ShaderConstant =>
      Object.hasOwn(constants, name) ? constants[name] : fail(line, `the constant ${name} is not given`);

    const holds = ({ name, value }: Condition, line: number): boolean => {
      const given = constant(name, line);
      if (value === null) {
        if (typeof given === 'boolean') return given;
        return typeof given === 'number'
          ? given !== 0
          : fail(line, `${name} is neither true, false nor a number`);
      }
      if (typeof given === 'number' && /^\d+$/.test(value)) return given === Number(value);
      return typeof given === 'string'
        ? given === value
        : fail(line, `${name} cannot be compared with ${value}`);
    };

    const countOf = (count: string, line: number): number => {
      if (/^\d+$/.test(count)) return Number(count);
      const given = constant(count, line);
      return typeof given === 'number' ? given : fail(line, `#repeat needs a number; ${count} is none`);
    };

    const withTurns = (text: string, line: number): string =>
      text.replace(/\$(?:([a-z])|\(([a-z])([/%])(\d+)\)|)/g, (written, plain, letter, operator, by) => {
        const name: string = plain ?? letter ?? '';
        if (!Object.hasOwn(turns, name))
          return fail(line, `${written} is not the letter of a #repeat around it`);
        if (plain) return String(turns[name]);
        return String(operator === '/' ? Math.floor(turns[name] / Number(by)) : turns[name] % Number(by));
      });

    for (const item of items) {
      switch (item.type) {
        case 'text':
          out.push(item.text.includes('$') ? withTurns(item.text, item.line) : item.text);
          break;
        case 'include': {
          const included = find(item.path) ?? fail(item.line, `there is no shaders/${item.path}`);
          if (open.includes(item.path)) fail(item.line, `${item.path} includes itself`);
          expandFile(included);
          break;
        }
        case 'if': {
          const taken = item.branches.find(
            (branch) => !branch.condition || holds(branch.condition, branch.line),
          );
          if (taken) walk(path, taken.items, turns);
          break;
        }
        case 'repeat': {
          const count = countOf(item.count, item.line);
          for (let turn = 0; turn < count; turn++) walk(path, item.items, { ...turns, [item.letter]: turn });
          break;
        }
      }
    }
  };

  expandFile(file);
  return out;
}
