/** Shader texts and their assembly: `#include` lines and constants. */
import type { ShaderConstant } from './dispatch.ts';

const files = import.meta.glob<string>('../../shaders/**/*.wgsl', {
  query: '?raw',
  import: 'default',
  eager: true,
});

const ROOT = '../../shaders/';

/** Kernels by the name of their file, whatever folder it lies in; shared text by its path from shaders/ (`lib/x`). */
const texts = new Map<string, string>();
for (const [path, text] of Object.entries(files)) {
  const name = path.slice(ROOT.length, -'.wgsl'.length);
  const key = name.startsWith('lib/') ? name : name.slice(name.lastIndexOf('/') + 1);
  if (texts.has(key)) throw new Error(`two shaders are named ${key}`);
  texts.set(key, text);
}

function read(name: string): string {
  const text = texts.get(name);
  if (text === undefined) throw new Error(`there is no shader ${name}.wgsl`);
  return text;
}

/** Every kernel's text with its name, in the order of the names. */
export function shaderSources(): [name: string, text: string][] {
  return [...texts].sort(([a], [b]) => (a < b ? -1 : 1));
}

/**
 * The complete WGSL of a kernel: `enable` and `diagnostic` lines, a `const` for each number and boolean, then the file with `#include "lib/x"`
 * replaced by that file (`{NAME}` in an include line by the string constant NAME), and the lines from `#repeat i NAME` to `#end` written NAME times
 * (`$i` in them is the turn, `$(i/4)` and `$(i%4)` its quarter and rest; loops nest): compilers need not unroll what is written out.
 */
export function assembleShader(name: string, constants: Readonly<Record<string, ShaderConstant>>): string {
  const header: string[] = [];
  for (const [key, constant] of Object.entries(constants)) {
    if (typeof constant === 'number') {
      if (!Number.isInteger(constant) || constant < 0 || constant > 0xffffffff)
        throw new Error(`${name}: constant ${key} = ${constant} is not a u32`);
      header.push(`const ${key}: u32 = ${constant}u;`);
    } else if (typeof constant === 'boolean') header.push(`const ${key}: bool = ${constant};`);
    else if (typeof constant === 'object') header.push(`const ${key}: f32 = ${floatLiteral(constant.f32)};`);
  }
  const expand = (file: string): string =>
    read(file).replace(/^#include "(.+)\.wgsl"$/gm, (_, path: string) =>
      expand(
        path.replace(/\{(\w+)\}/g, (_match, key: string) => {
          const choice = constants[key];
          if (typeof choice !== 'string')
            throw new Error(`${name}: #include needs the string constant ${key}`);
          return choice;
        }),
      ),
    );
  const lines = unroll(expand(name).split('\n'), (count) => {
    const times = constants[count];
    if (typeof times !== 'number') throw new Error(`${name}: #repeat needs the number ${count}`);
    return times;
  });
  const isDirective = (line: string) => /^(?:enable|diagnostic)\b/.test(line);
  return [...lines.filter(isDirective), ...header, ...lines.filter((line) => !isDirective(line))].join('\n');
}

/** Writes `#repeat` … `#end` blocks out. */
function unroll(lines: readonly string[], timesOf: (constant: string) => number): string[] {
  const out: string[] = [];
  for (let at = 0; at < lines.length; at++) {
    const repeat = /^#repeat (\w) (\w+)$/.exec(lines[at]);
    if (!repeat) {
      out.push(lines[at]);
      continue;
    }
    let end = at + 1;
    for (let depth = 1; ; end++) {
      if (end === lines.length) throw new Error(`${lines[at]} has no #end`);
      if (lines[end].startsWith('#repeat ')) depth++;
      if (lines[end] === '#end' && --depth === 0) break;
    }
    const [, letter, count] = repeat;
    const body = lines.slice(at + 1, end);
    for (let turn = 0; turn < timesOf(count); turn++) {
      const put = (line: string) =>
        line
          .replaceAll(`$(${letter}/4)`, String(Math.floor(turn / 4)))
          .replaceAll(`$(${letter}%4)`, String(turn % 4))
          .replaceAll(`$${letter}`, String(turn));
      out.push(...unroll(body.map(put), timesOf));
    }
    at = end;
  }
  return out;
}

function floatLiteral(number: number): string {
  const rounded = Math.fround(number);
  if (!Number.isFinite(rounded)) throw new Error(`${number} has no f32 literal`);
  const text = rounded.toString();
  return `${/[.e]/.test(text) ? text : `${text}.0`}f`;
}

export interface BindingDeclaration {
  binding: number;
  access: 'read' | 'read_write';
}

/** The storage bindings of an assembled shader, from its `@group(0) @binding(n) var<storage, …>` lines. */
export function shaderBindings(code: string): BindingDeclaration[] {
  return [...code.matchAll(/@group\(0\)\s*@binding\((\d+)\)\s*var<storage,\s*(read_write|read)>/g)].map(
    (match) => ({
      binding: Number(match[1]),
      access: match[2] as BindingDeclaration['access'],
    }),
  );
}
