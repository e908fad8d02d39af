/**
 * tokenizer.json files drawn from the components that are read, and texts from all of Unicode: ids and texts
 * as Python's tokenizers gives them (tests/interop/tokenizer_components.py wrote the fixture); everything
 * else is refused by name.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { PythonTokenizer } from '../../src/data/tokenizer/pythonTokenizer.ts';

const read = <T>(name: string) =>
  JSON.parse(readFileSync(new URL(`../fixtures/${name}`, import.meta.url), 'utf8')) as T;
type Json = Record<string, unknown> & { model: Record<string, unknown> };
const bases = read<{ tokenizers: Record<string, { tokenizer: Json }> }>('tokenizers.json').tokenizers;
const cases =
  read<{ base: string; change: Json; rows: [string, number[], string][] }[]>('tokenizerComponents.json');
const changed = (base: string, change: Partial<Json>): Json => {
  const { tokenizer } = bases[base];
  return { ...tokenizer, ...change, model: { ...tokenizer.model, ...change.model } };
};

describe('components of tokenizer.json', () => {
  it('give the ids and texts of Python', () => {
    let compared = 0;
    const refused: string[] = [];
    for (const { base, change, rows } of cases) {
      let made: PythonTokenizer;
      try {
        made = new PythonTokenizer(changed(base, change));
      } catch (error) {
        refused.push((error as Error).message);
        continue;
      }
      for (const [text, ids, decoded] of rows) {
        const where = JSON.stringify([base, change, text]);
        expect(made.encode(text), where).toEqual(ids);
        expect(made.decode(ids), where).toBe(decoded);
        compared++;
      }
    }
    expect(refused).toEqual([]);
    expect(compared).toBe(8 * cases.length);
  });

  it.each([
    [
      'an unknown pre-tokenizer',
      { pre_tokenizer: { type: 'UnicodeScripts' } },
      /pre_tokenizer.*UnicodeScripts/,
    ],
    [
      'one within a sequence',
      { pre_tokenizer: { type: 'Sequence', pretokenizers: [{ type: 'FixedLength', length: 3 }] } },
      /pre_tokenizer.pretokenizers.0.*FixedLength/,
    ],
    [
      'an unknown normalizer',
      { normalizer: { type: 'Precompiled', precompiled_charsmap: '' } },
      /Precompiled/,
    ],
    [
      'an unknown option',
      { pre_tokenizer: { type: 'Digits', individual_digits: true, scripts: ['Latn'] } },
      /pre_tokenizer.scripts/,
    ],
    ['dropout', { model: { dropout: 0.1 } }, /model.dropout is 0.1/],
    [
      'a prefix of subwords',
      { model: { continuing_subword_prefix: '##' } },
      /model.continuing_subword_prefix/,
    ],
    [
      'an atomic group',
      {
        pre_tokenizer: {
          type: 'Split',
          pattern: { Regex: '(?>a|ab)c' },
          behavior: 'Isolated',
          invert: false,
        },
      },
      /regular expression \(\?>a\|ab\)c cannot be read/,
    ],
    [
      'a place in the text after a normalizer that moves it',
      {
        normalizer: { type: 'Prepend', prepend: '▁' },
        pre_tokenizer: { type: 'Metaspace', replacement: '▁', prepend_scheme: 'first', split: false },
      },
      /prepend_scheme "first"/,
    ],
  ])('refuses %s by name', (_, change, message) => {
    expect(() => new PythonTokenizer(changed('GPT-2', change as Partial<Json>))).toThrow(message);
  });

  it('encodes a text of 300,000 pieces in one word', () => {
    for (const name of ['Llama 2', 'Unigram'])
      expect(new PythonTokenizer(bases[name].tokenizer).encode('ж'.repeat(150_000)).length).toBeGreaterThan(
        0,
      );
  });

  it('decodes ids that have no token as nothing', () => {
    const made = new PythonTokenizer(bases['Llama 2'].tokenizer);
    const ids = made.encode('The fox');
    expect(made.decode([...ids, 99_999])).toBe(made.decode(ids));
  });
});
