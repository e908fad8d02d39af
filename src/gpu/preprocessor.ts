/**
 * The preprocessor of the WGSL files: `#include`, `#if`, `#repeat` (shaders/README.md describes them). A file
 * is parsed once; expanding it for a set of constants then only walks its tree.
 */
import type { ShaderConstant } from './dispatch.ts';

/** Text, or a directive with the line it stands on (1-based). */
type Item =
  /** Lines without turns; an `enable` or `diagnostic` line is an item of its own. */
  | { type: 'text'; text: string }
  /** A line with turns of repetitions between its pieces. */
  | { type: 'turns'; pieces: (string | Turn)[]; line: number }
  | { type: 'include'; path: string; line: number }
  | { type: 'if'; branches: { condition: Condition | null; line: number; items: Item[] }[] }
  | { type: 'repeat'; letter: string; count: string; line: number; items: Item[] };

/** `$i`, `$(i/4)` or `$(i%4)`. */
interface Turn {
  written: string;
  letter: string;
  operator?: '/' | '%';
  by: number;
}

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

/** WGSL directives, which must stand ahead of all else in a module. */
export const MODULE_DIRECTIVE = /^(?:enable|diagnostic)\b/;

const TURN = /\$(?:([a-z])|\(([a-z])([/%])([1-9]\d*)\)|)/g;

function piecesOf(text: string): (string | Turn)[] {
  const pieces: (string | Turn)[] = [];
  let end = 0;
  for (const match of text.matchAll(TURN)) {
    const [written, plain, letter, operator, by] = match;
    pieces.push(text.slice(end, match.index), {
      written,
      letter: plain ?? letter ?? '',
      operator: operator as Turn['operator'],
      by: Number(by),
    });
    end = match.index + written.length;
  }
  return [...pieces, text.slice(end)];
}

/**
 * @throws Error that names file and line, for an unknown directive, bad syntax, or a block that is not closed
 */
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
        const last = items.at(-1);
        if (text.includes('$')) items.push({ type: 'turns', pieces: piecesOf(text), line });
        else if (last?.type === 'text' && !MODULE_DIRECTIVE.test(text) && !MODULE_DIRECTIVE.test(last.text))
          last.text += `\n${text}`;
        else items.push({ type: 'text', text });
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
 * The text of a file with includes, conditions and repetitions carried out: pieces of one or more lines, of
 * which `enable` and `diagnostic` lines are pieces of their own.
 * @param find a parsed file by its path from shaders/, undefined where there is none
 * @throws Error that names file and line, for a file or constant that is missing or of the wrong type, and
 * for files that include each other
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

    const turnOf = ({ written, letter, operator, by }: Turn, line: number): number => {
      if (!Object.hasOwn(turns, letter))
        return fail(line, `${written} is not the letter of a #repeat around it`);
      const turn = turns[letter];
      return operator === '/' ? Math.floor(turn / by) : operator === '%' ? turn % by : turn;
    };

    for (const item of items) {
      switch (item.type) {
        case 'text':
          out.push(item.text);
          break;
        case 'turns': {
          let text = '';
          for (const piece of item.pieces)
            text += typeof piece === 'string' ? piece : turnOf(piece, item.line);
          out.push(text);
          break;
        }
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
