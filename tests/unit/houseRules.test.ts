/** The rules that `npm run check` holds beside those of the tools. */
import { describe, expect, it } from 'vitest';
import { fullFolders, longFile, longLines, privateWords } from '../../scripts/lib/houseRules.ts';

const file = (text: string, path = 'src/a/b.ts') => ({ path, text });
const long = (length: number) => 'word '.repeat(length / 5);

describe('house rules', () => {
  it('find lines over 110 columns, comments included', () => {
    expect(longLines(file(`${'a'.repeat(109)};`))).toEqual([]);
    for (const line of [
      `// ${long(110)}`,
      ` * ${long(110)}`,
      `const a = 1; // ${long(100)}`,
      `f(${long(110)})`,
    ])
      expect(longLines(file(`x\n${line}`)), line).toEqual([
        { path: 'src/a/b.ts', line: 2, message: `${line.length} columns, more than 110` },
      ]);
  });

  it('leave a message, a pattern or an address in one piece', () => {
    for (const line of [
      `throw new UserError('${long(150)}');`,
      `  \`${long(150)}`,
      `const a = /${'[a-z]+'.repeat(30)}/u;`,
      `// https://example.org/${'a'.repeat(120)}`,
    ])
      expect(longLines(file(line)), line).toEqual([]);
    // Not so where the code around it is too long by itself, or a comment follows.
    expect(longLines(file(`call(${long(120)}, 'text')`)).length).toBe(1);
    expect(longLines(file(`a('${long(100)}'); // because`)).length).toBe(1);
  });

  it('find files of src over 250 lines, over 300 where they are named', () => {
    const lines = (count: number) => 'x\n'.repeat(count);
    expect(longFile(file(lines(250)))).toEqual([]);
    expect(longFile(file(lines(251)))).toEqual([
      { path: 'src/a/b.ts', message: '251 lines, more than 250: split it' },
    ]);
    expect(longFile(file(lines(301), 'tests/a.ts'))).toEqual([]);
    expect(longFile(file(lines(300), 'src/page/recipe/recipeFields.ts'))).toEqual([]);
    expect(longFile(file(lines(301), 'src/page/recipe/recipeFields.ts'))).toHaveLength(1);
    expect(longFile(file(lines(900), 'src/page/language/de.ts'))).toEqual([]);
    expect(longFile(file(lines(301), 'src/page/language/numbers.ts'))).toHaveLength(1);
  });

  it('find private words in names and comments, and not within others', () => {
    expect(
      privateWords(file('const toldOnce = adapterStrength;\n// what is turned')).map((found) => found.line),
    ).toEqual([1, 1, 2]);
    expect(privateWords(file('// returned, untold, residential, shelves'))).toEqual([]);
  });

  it('find folders of more than 16 files', () => {
    const paths = Array.from({ length: 17 }, (_, i) => `src/a/${i}.ts`);
    expect(fullFolders(paths.slice(1))).toEqual([]);
    expect(fullFolders([...paths, 'src/a/b/c.ts'])).toEqual([
      { path: 'src/a', message: '17 files, more than 16: make sub-folders' },
    ]);
  });
});
