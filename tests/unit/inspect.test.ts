/** `npm run inspect`: roles, sets, rows and documents of data files, by the page's own data path. */
import { describe, expect, it } from 'vitest';
import { inspectFiles, type InspectOptions } from '../../scripts/lib/inspectFile.ts';
import { ChatTokenizer } from '../../src/data/tokenizer/chatTokenizer.ts';
import { parseRows } from '../../src/data/rows/parseRows.ts';
import { rowKey } from '../../src/data/rows/rowStatistics.ts';
import { parseRecipe } from '../../src/training/recipe.ts';
import { TINY_TOKENIZER, TINY_TOKENIZER_CONFIG } from '../helpers/tinyModel.ts';

const tokenizer = new ChatTokenizer({
  'tokenizer.json': TINY_TOKENIZER,
  'tokenizer_config.json': TINY_TOKENIZER_CONFIG,
});
const inspect = async (
  text: string,
  path: string,
  { role, ...options }: { role?: 'train' | 'validation' } & Partial<InspectOptions> = {},
) => (await inspectAll([{ path, text, role }], options))[0];
const inspectAll = (
  files: { path: string; text: string; role?: 'train' | 'validation' }[],
  options: Partial<InspectOptions> = {},
) =>
  inspectFiles(
    files.map(({ path, text, role }) => ({ path, blob: new Blob([text]), role })),
    tokenizer,
    { recipe: parseRecipe({ system_prompt: null }), withDocuments: true, ...options },
  );
const row = (i: number) => `{"query":"q${i}","response":"a${i}"}\n`;
const rows = (...numbers: number[]) => numbers.map(row).join('');

describe('inspect', () => {
  it('gives rows, those used, problems by line and documents by value', async () => {
    const found = await inspect('{"query":"Hi","response":"Yo"}\n{"query":1,"response":"b"}\n', 'a/t.jsonl');
    expect(found).toMatchObject({
      file: 't.jsonl',
      role: 'train',
      set: null,
      format: 'query/response',
      rows: 2,
      used: 1,
      problems: [{ line: 2, message: expect.stringContaining('"query" that is not text') as string }],
    });
    expect(found.documents).toEqual([
      {
        line: 1,
        input_ids: [256, 258, 72, 105, 259, 89, 111, 257],
        labels: [-100, -100, -100, -100, -100, 89, 111, 257],
      },
    ]);
  });

  it('has no documents unless they are asked for, and the settings of the recipe', async () => {
    const row = '{"query":"Hi","response":"Yo"}';
    expect(await inspect(row, 't.jsonl', { withDocuments: false })).not.toHaveProperty('documents');
    const recipe = parseRecipe({ system_prompt: 'S', max_length: 8 });
    const { documents } = await inspect(row, 't.jsonl', { recipe });
    expect(documents![0]).toMatchObject({ input_ids: [256, 260, 83, 258, 72, 105, 259, 89] });
  });

  it('takes the role from the recipe, else from the name', async () => {
    const row = '{"query":"Hi","response":"Yo"}';
    expect(await inspect(row, 'math.val.jsonl')).toMatchObject({ role: 'validation', set: 'math' });
    expect(await inspect(row, 'math.val.jsonl', { role: 'train' })).toMatchObject({
      role: 'train',
      set: null,
    });
    expect(await inspect(row, 't.jsonl', { role: 'validation' })).toMatchObject({ set: 't' });
  });

  it('says which training files are joined, and gives a second set of one name its own', async () => {
    const found = await inspectAll([
      { path: 'a.jsonl', text: rows(1) },
      { path: 'x/test/b.jsonl', text: rows(2) },
      { path: 'b.val.jsonl', text: rows(3) },
      { path: 'c.jsonl', text: rows(4) },
    ]);
    expect(found.map(({ role, set }) => [role, set])).toEqual([
      ['train', null],
      ['validation', 'b'],
      ['validation', 'b_2'],
      ['train', null],
    ]);
    expect(found[0].notes).toContain('joined with c.jsonl: they are trained on as one file.');
    expect(found[1].notes).toEqual([]);
  });

  it('holds rows out by the seed, those that say the same on one side, whatever file they are in', async () => {
    const texts = [
      rows(...Array.from({ length: 30 }, (_, i) => i)),
      rows(...Array.from({ length: 30 }, (_, i) => i + 20)),
    ];
    const split = async (seed: number, files = texts) =>
      inspectAll(
        files.map((text, i) => ({ path: `${i}.jsonl`, text })),
        { recipe: parseRecipe({ system_prompt: null, val_set_size: 0.2, training: { seed } }) },
      );
    const idsOf = (found: Awaited<ReturnType<typeof split>>, role: string) =>
      found
        .filter((file) => file.role === role)
        .flatMap(({ documents }) => documents as { input_ids: number[] }[])
        .map(({ input_ids }) => tokenizer.decode(input_ids));
    const found = await split(1);
    expect(found.map(({ file, role, set }) => [file, role, set])).toEqual([
      ['0.jsonl', 'train', null],
      ['0.jsonl', 'validation', 'held_out'],
      ['1.jsonl', 'train', null],
      ['1.jsonl', 'validation', 'held_out'],
    ]);
    const [trained, held] = [idsOf(found, 'train'), idsOf(found, 'validation')];
    expect(trained.length + held.length).toBe(60);
    expect(held.length).toBe(12);
    expect(held.filter((text) => trained.includes(text))).toEqual([]);
    // Neither the order of the files nor a second reading changes it; another seed does.
    expect(idsOf(await split(1, [texts[1], texts[0]]), 'validation').sort()).toEqual(held.toSorted());
    expect(idsOf(await split(2), 'validation').sort()).not.toEqual(held.toSorted());
  });

  it('leaves rows out by their keys, and says how many', async () => {
    const parsed = await parseRows(new Blob([rows(1, 2, 3)]), 't.jsonl');
    const recipe = parseRecipe({ system_prompt: null, left_out_rows: [rowKey(parsed.rows[1])] });
    const found = await inspect(rows(1, 2, 3, 2), 't.jsonl', { recipe });
    expect(found).toMatchObject({
      rows: 4,
      used: 2,
      notes: ['2 rows are left out by the recipe (left_out_rows).'],
    });
    expect((found.documents as { line: number }[]).map(({ line }) => line)).toEqual([1, 3]);
  });
});
