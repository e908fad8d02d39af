/** The preprocessor of the WGSL files, the assembly of a kernel, and what every file of shaders/ keeps to. */
import { describe, expect, it } from 'vitest';
import { expand, parse, type Constants } from '../../src/gpu/preprocessor.ts';
import { declaredBindings } from '../../src/gpu/bindings.ts';
import { assembleShader, shaderSources } from '../../src/gpu/shaders.ts';

const LORA_UP = { T: 5, WIDTH: 8, ROW: 24, OFFSET: 8, RANK: 8, RANK_QUADS: 2, TOKENS: 4, ALPHA: { f32: 2 } };

/** Expands `files['main.wgsl']`. */
function expanded(files: Record<string, string>, constants: Constants = {}): string {
  const parsed = new Map(Object.entries(files).map(([path, text]) => [path, parse(path, text)]));
  return expand(parsed.get('main.wgsl')!, constants, (path) => parsed.get(path)).join('\n');
}

function lines(...text: string[]): { 'main.wgsl': string } {
  return { 'main.wgsl': text.join('\n') };
}

describe('#if', () => {
  const text = lines('#if KIND == f32', 'a', '#elif KIND == nf4', 'b', '#else', 'c', '#endif', 'd');

  it.each([
    ['f32', 'a\nd'],
    ['nf4', 'b\nd'],
    ['bf16', 'c\nd'],
  ])('takes the first branch that holds: %s', (KIND, wanted) => {
    expect(expanded(text, { KIND })).toBe(wanted);
  });

  it.each([
    [true, 'yes'],
    [false, 'no'],
    [0, 'no'],
    [1, 'yes'],
    [3, 'yes'],
  ])('takes a bare name for true or not 0: %s', (NAME, wanted) => {
    expect(expanded(lines('#if NAME', 'yes', '#else', 'no', '#endif'), { NAME })).toBe(wanted);
  });

  it('compares numbers', () => {
    const file = lines('#if WIDTH == 4', 'four', '#elif WIDTH == 2', 'two', '#endif');
    expect([4, 2, 8].map((WIDTH) => expanded(file, { WIDTH }))).toEqual(['four', 'two', '']);
  });

  it('nests, and asks for nothing in a branch that is not taken', () => {
    const file = lines('#if OUTER', '#if INNER', '#include "missing.wgsl"', '#endif', '#endif', 'rest');
    expect(expanded(file, { OUTER: false })).toBe('rest');
    expect(expanded(file, { OUTER: true, INNER: false })).toBe('rest');
  });
});

describe('#repeat', () => {
  it('writes its lines out once a turn, by a constant or a number', () => {
    expect(expanded(lines('#repeat i N', 'x$i = $iu;', '#endrepeat'), { N: 2 })).toBe('x0 = 0u;\nx1 = 1u;');
    expect(expanded(lines('#repeat i 3', '$i', '#endrepeat'))).toBe('0\n1\n2');
    expect(expanded(lines('#repeat i N', '$i', '#endrepeat'), { N: 0 })).toBe('');
  });

  it('nests, and takes quotients and remainders of a turn', () => {
    const file = lines('#repeat i 5', '#repeat j 2', 's$i_$j a$(i/3)[$(i%3)]', '#endrepeat', '#endrepeat');
    const wanted = [0, 1, 2, 3, 4].flatMap((i) =>
      [0, 1].map((j) => `s${i}_${j} a${Math.floor(i / 3)}[${i % 3}]`),
    );
    expect(expanded(file)).toBe(wanted.join('\n'));
  });

  it('is not seen by a file that it includes', () => {
    const files = { ...lines('#repeat i 1', '#include "lib/x.wgsl"', '#endrepeat'), 'lib/x.wgsl': 'a\nb$i' };
    expect(() => expanded(files)).toThrow(
      'shaders/lib/x.wgsl:2: $i is not the letter of a #repeat around it',
    );
  });
});

describe('the preprocessor names file and line', () => {
  it.each<[string, string[], Constants, string]>([
    ['a block that is not closed', ['a', '#if X', 'b'], { X: true }, '2: #if is not closed'],
    ['a repetition that is not closed', ['#repeat i 2', '#if X', '#endif'], {}, '1: #repeat is not closed'],
    ['an end without a beginning', ['a', '', '#endif'], {}, '3: #endif does not belong here'],
    ['a second #else', ['#if X', '#else', '#else', '#endif'], {}, '3: #else does not belong here'],
    ['an unknown directive', ['#define X 1'], {}, '1: #define does not belong here'],
    [
      'a condition of another form',
      ['#if X > 1', '#endif'],
      {},
      "1: a condition is NAME or NAME == value, not 'X > 1'",
    ],
    ['a constant that is not given', ['a', '#if X', '#endif'], {}, '2: the constant X is not given'],
    [
      'an #elif of a constant that is not given',
      ['#if X', '#elif Y', '#endif'],
      { X: false },
      '2: the constant Y is not given',
    ],
    [
      'a string that is no condition',
      ['#if X', '#endif'],
      { X: 'yes' },
      '1: X is neither true, false nor a number',
    ],
    ['a comparison of two types', ['#if X == nf4', '#endif'], { X: 1 }, '1: X cannot be compared with nf4'],
    [
      'a count that is no number',
      ['#repeat i N', '#endrepeat'],
      { N: true },
      '1: #repeat needs a number; N is none',
    ],
    [
      'a repetition without a letter',
      ['#repeat N', '#endrepeat'],
      {},
      '1: #repeat needs a letter and a count: #repeat i NAME',
    ],
    ['a letter of no repetition', ['a', 'x$j'], {}, '2: $j is not the letter of a #repeat around it'],
    ['an include that is not there', ['#include "lib/y.wgsl"'], {}, '1: there is no shaders/lib/y.wgsl'],
    [
      'an include with a placeholder',
      ['#include "lib/{X}.wgsl"'],
      {},
      '1: #include needs "path/from/shaders.wgsl"',
    ],
    ['an include of itself', ['#include "main.wgsl"'], {}, '1: main.wgsl includes itself'],
  ])('of %s', (_, text, constants, message) => {
    expect(() => expanded(lines(...text), constants)).toThrow(`shaders/main.wgsl:${message}`);
  });
});

describe('assembleShader', () => {
  it('declares numbers, booleans and f32 constants, and leaves no directive', () => {
    const code = assembleShader('lora_up', LORA_UP);
    expect(code).not.toMatch(/^\s*#|\$/m);
    expect(code).toContain('const T: u32 = 5u;');
    expect(code).toContain('const ALPHA: f32 = 2.0f;');
    for (const turn of [0, 1])
      for (const row of [0, 1, 2, 3])
        expect(code.match(new RegExp(`let b${turn}_${row} = `, 'g'))).toHaveLength(1);
    expect(code).not.toContain('b2_0');
    expect(declaredBindings(code)).toEqual([
      { name: 'y', binding: 0, access: 'read_write' },
      { name: 'down', binding: 1, access: 'read' },
      { name: 'b', binding: 2, access: 'read' },
    ]);
  });

  it('puts enable and diagnostic lines ahead of the constants', () => {
    const words = { COUNT: 64, TILE_F16: true, WEIGHT_KIND: 'nf4', PROBLEMS: 0 };
    const code = assembleShader('dequantize_nf4_words', words).split('\n');
    expect(code[0]).toBe('enable f16;');
    expect(code[1]).toBe('const COUNT: u32 = 64u;');
    expect(code.join('\n')).not.toContain('WEIGHT_KIND:');
  });

  it('names what is missing', () => {
    expect(() => assembleShader('lora_up', { ...LORA_UP, RANK_QUADS: true })).toThrow(
      /shaders\/lora\/lora_up\.wgsl:\d+: #repeat needs a number; RANK_QUADS is none/,
    );
    expect(() => assembleShader('dequantize_nf4_words', { COUNT: 64, PROBLEMS: 0, TILE_F16: false })).toThrow(
      /shaders\/lib\/weight\/nf4_scales\.wgsl:\d+: the constant WEIGHT_KIND is not given/,
    );
    expect(() => assembleShader('lora_up', { ...LORA_UP, T: -1 })).toThrow(
      'lora_up: constant T = -1 is not a u32',
    );
    expect(() => assembleShader('lib/grid', {})).toThrow('there is no shader lib/grid.wgsl');
  });
});

describe('every file of shaders/', () => {
  it.each(shaderSources())('%s parses, and what it includes is there', (path, text) => {
    parse(path, text);
    const paths = new Set(shaderSources().map(([each]) => each));
    for (const [, included] of text.matchAll(/^#include "(.+)"$/gm))
      expect(paths, included).toContain(included);
  });

  it('is a kernel with one entry point, or included by another', () => {
    const included = new Set(
      shaderSources().flatMap(([, text]) =>
        [...text.matchAll(/^#include "(.+)"$/gm)].map(([, path]) => path),
      ),
    );
    for (const [path, text] of shaderSources()) {
      expect(text.match(/@compute/g)?.length ?? 0, path).toBe(path.startsWith('lib/') ? 0 : 1);
      if (path.startsWith('lib/')) expect(included, path).toContain(path);
    }
  });

  it.each(shaderSources())('%s has lines of at most 110 columns', (path, text) => {
    text.split('\n').forEach((line, i) => expect(line.length, `${path}:${i + 1}`).toBeLessThanOrEqual(110));
  });

  it.each(shaderSources().filter(([path]) => !path.startsWith('lib/')))(
    '%s says in its header what it binds and what an invocation does',
    (path, text) => {
      const header = /^(?:\/\/.*\n)+/.exec(text)?.[0] ?? '';
      expect(header, path).toMatch(/^\/\/ Buffers\b/m);
      expect(header, path).toMatch(/^\/\/ Threads: /m);
      const sentences = header.slice(header.search(/^\/\/ Buffers\b/m));
      for (const [, name] of text.matchAll(/var<storage, \w+> (\w+\$?)/g))
        expect(sentences, path).toMatch(new RegExp(`\\b${name.replace(/\$.*/, '0')}\\b`));
    },
  );
});
