/** `npm run inspect`: roles, sets, rows and documents of data files, by the page's own data path. */
import { describe, expect, it } from 'vitest';
import { inspectFile } from '../../scripts/lib/inspectFile.ts';
import { ChatTokenizer } from '../../src/data/tokenizer/chatTokenizer.ts';
import { parseRecipe } from '../../src/training/recipe.ts';
import { TINY_TOKENIZER, TINY_TOKENIZER_CONFIG } from '../helpers/tinyModel.ts';

const tokenizer = new ChatTokenizer({
  'tokenizer.json': TINY_TOKENIZER,
  'tokenizer_config.json': TINY_TOKENIZER_CONFIG,
});
const inspect = (text: string, path: string, options: object = {}) =>
  inspectFile(new Blob([text]), path, tokenizer, {
    recipe: parseRecipe({ system_prompt: null }),
    withDocuments: true,
    ...options,
  });

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
});
