/** Data files and tokenizers that would fill the memory, or take time without measure. */
import { readFileSync } from 'node:fs';
import { BPE } from '@huggingface/tokenizers';
import { describe, expect, it } from 'vitest';
import { inspectFiles } from '../../scripts/lib/inspectFile.ts';
import { parseRecipe } from '../../src/training/recipe.ts';
import { openRecords } from '../../src/data/files/readRecords.ts';
import { ChatTokenizer } from '../../src/data/tokenizer/chatTokenizer.ts';
import { mergeLongWord, mergeRanks } from '../../src/data/tokenizer/longWords.ts';
import { PythonTokenizer } from '../../src/data/tokenizer/pythonTokenizer.ts';
import { TINY_TOKENIZER, TINY_TOKENIZER_CONFIG } from '../helpers/tinyModel.ts';

const fixture = (name: string) =>
  new Uint8Array(readFileSync(new URL(`../fixtures/${name}`, import.meta.url)));
const reasonOf = async (bytes: Uint8Array<ArrayBuffer>) => {
  for await (const record of (await openRecords(new Blob([bytes]), 'a.parquet')).read())
    if ('reason' in record) return record.reason;
  return 'accepted';
};

describe('a Parquet file', () => {
  it('whose run of equal values claims to be longer than its page is read as far as the page goes', async () => {
    const long = fixture('pairs.snappy.parquet');
    // Found by fuzz: the length of a run, as a varint of 5 bytes.
    long.set([136, 138, 189, 185, 81, 222], Math.floor(0.376055 * long.length));
    const before = performance.now();
    await reasonOf(long);
    // Without the bound it does not end; the rest is how busy the machine is.
    expect(performance.now() - before).toBeLessThan(10_000);
  });

  it.each(['pairs.snappy.parquet', 'chat.zstd.parquet'])('%s is within its bounds', async (name) => {
    expect(await reasonOf(fixture(name))).toBe('accepted');
  });

  it('that claims gigabytes or 2^62 rows is refused before they are made', { timeout: 20_000 }, async () => {
    const good = fixture('pairs.snappy.parquet');
    let refused = 0;
    // Every byte of the first page's header and of the footer, with its highest bits set.
    const places = [
      ...Array.from({ length: 60 }, (_, i) => 4 + i),
      ...Array.from({ length: 400 }, (_, i) => good.length - 400 + i),
    ];
    for (const at of places) {
      const bad = good.slice();
      bad[at] = 0xff;
      const before = process.memoryUsage().arrayBuffers;
      if ((await reasonOf(bad)) !== 'accepted') refused++;
      expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(100 * 2 ** 20);
    }
    expect(refused).toBeGreaterThan(60);
  });
});

describe('rows', () => {
  it('one nested 5,000 deep fails its line, not its file', async () => {
    const nest = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`;
    const rows = [
      '{"query":"x","response":"y"}',
      `{"query":"x","response":"y","tools":${nest(5000)}}`,
      `{"messages":${nest(5000)}}`,
      `{"query":${'{"a":'.repeat(5000)}1${'}'.repeat(5000)},"response":"y"}`,
      `{"messages":[{"role":"user","content":"x"},{"role":"assistant","content":"","tool_calls":[{"type":"function","function":{"name":"f","arguments":{"a":${nest(5000)}}}}]}]}`,
      '{"query":"x","response":"y"}',
    ];
    const tokenizer = new ChatTokenizer({
      'tokenizer.json': TINY_TOKENIZER,
      'tokenizer_config.json': TINY_TOKENIZER_CONFIG,
    });
    const file = { path: 'train.jsonl', blob: new Blob([rows.join('\n')]) };
    const [found] = await inspectFiles([file], tokenizer, { recipe: parseRecipe({}), withDocuments: false });
    expect(found.used).toBe(2);
    expect(found.problems.map(({ line }) => line)).toEqual([2, 3, 4, 5]);
    for (const { message } of found.problems) expect(message).not.toMatch(/call stack|undefined|null/);
  });
});

/** tokenizer.json as the changes below touch it. */
interface TinyTokenizer extends Record<string, unknown> {
  added_tokens: { content: unknown; id: unknown }[];
  pre_tokenizer: unknown;
  model: { vocab: Record<string, unknown>; merges: unknown; [key: string]: unknown };
}

describe('a tokenizer', () => {
  const json = JSON.parse(TINY_TOKENIZER) as TinyTokenizer;
  const made = (change: (copy: typeof json) => void) => {
    const copy = structuredClone(json);
    change(copy);
    return new PythonTokenizer(copy);
  };

  it.each<[string, (copy: typeof json) => void]>([
    ['an id below 0', ({ model }) => (model.vocab['!'] = -5)],
    ['an id of 1e12', ({ model }) => (model.vocab['!'] = 1e12)],
    ['an id between two', ({ model }) => (model.vocab['!'] = 0.5)],
    ['an id that is a text', ({ model }) => (model.vocab['!'] = '1')],
    ['an added token without a text', ({ added_tokens }) => (added_tokens[0].content = '')],
    ['an added token with the id -5', ({ added_tokens }) => (added_tokens[0].id = -5)],
    ['an added token with the id 1e12', ({ added_tokens }) => (added_tokens[0].id = 1e12)],
    ['a merge of null', ({ model }) => (model.merges = [null])],
    ['a merge of one', ({ model }) => (model.merges = [['a']])],
    [
      'a Unigram piece of null',
      (copy) => Object.assign(copy, { model: { type: 'Unigram', unk_id: 0, vocab: [null] } }),
    ],
  ])('with %s is refused', (_what, change) => {
    expect(() => made(change)).toThrow(/tokenizer.json cannot be used: /);
  });

  it.each(['(a+)+$', '(a|a)*b', '^(\\w+\\s?)*$', '(?:ab|a|b)*c', '([a-z]+)*[0-9]', '(\\p{L}+)+!'])(
    'whose pattern %s backtracks exponentially is refused',
    { timeout: 20_000 },
    (Regex) => {
      const split = { type: 'Split', pattern: { Regex }, behavior: 'Isolated', invert: false };
      expect(() => made((copy) => (copy.pre_tokenizer = split))).toThrow(/grows exponentially with the text/);
    },
  );

  it('whose pattern is the one of Llama 3, GPT-2 or merely slow is read', () => {
    for (const Regex of [
      "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
      "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
      'a*a*a*b',
    ]) {
      const split = { type: 'Split', pattern: { Regex }, behavior: 'Isolated', invert: false };
      expect(made((copy) => (copy.pre_tokenizer = split)).encode('It is 12345 aaaa').length).toBeGreaterThan(
        1,
      );
    }
  });

  it('cuts a word of a million characters in good time', { timeout: 30_000 }, () => {
    const tokenizer = made(({ model, pre_tokenizer }) => {
      model.vocab.aa = 300;
      model.vocab.aaaa = 301;
      model.merges = ['a a', 'aa aa'];
      Object.assign(pre_tokenizer as object, { use_regex: false });
    });
    const before = performance.now();
    expect(tokenizer.encode('a'.repeat(1_000_000))).toHaveLength(250_000);
    expect(performance.now() - before).toBeLessThan(15_000);
  });

  it('merges long words to the pieces of short ones', () => {
    const merges = ['a b', 'b a', 'ab a', 'a a', 'aa aa', 'b c', 'abab ab', 'ab ab', 'c aa', 'é 🙂'];
    const pairs = merges.map((merge) => merge.split(' ') as [string, string]);
    const library = new BPE({ type: 'BPE', vocab: {}, merges: pairs, end_of_word_suffix: '$' } as never);
    let state = 1;
    for (let i = 0; i < 300; i++) {
      const word = Array.from({ length: 1 + (i % 60) }, () => {
        state = (state * 48271) % 2147483647;
        return ['a', 'b', 'c', 'é', '🙂'][state % (i % 2 ? 2 : 5)];
      }).join('');
      expect(mergeLongWord(word, '$', mergeRanks(pairs)), word).toEqual(library.bpe(word));
    }
  });

  it('with merges that make one another ends', { timeout: 10_000 }, () => {
    const tokenizer = made(({ model }) => {
      model.vocab.ab = 300;
      model.vocab.ba = 301;
      model.vocab.aba = 302;
      model.merges = ['a b', 'b a', 'ab a', 'a ba', 'aba ba', 'ab aba'];
    });
    expect(tokenizer.encode('ab'.repeat(2000)).length).toBeGreaterThan(0);
  });
});
