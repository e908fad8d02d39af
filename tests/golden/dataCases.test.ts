/**
 * Data files of ../shared/cases as `npm run inspect` reads them, by the values that their case.json says are
 * right.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { inspectFiles } from '../../scripts/lib/inspectFile.ts';
import { tokenizerFilesOf, tokenizerOfModel } from '../../scripts/lib/modelTokenizer.ts';
import { ChatTokenizer } from '../../src/data/tokenizer/chatTokenizer.ts';
import { parseRecipe } from '../../src/training/recipe.ts';
import { TINY_TOKENIZER, TINY_TOKENIZER_CONFIG } from '../helpers/tinyModel.ts';
import { sharedPath } from '../helpers/shared.ts';

const stories = sharedPath('models/stories260K');
const folderOf = (name: string) => sharedPath(`cases/${name}`);
const inspected = async (folder: string, file: string, tokenizer: ChatTokenizer) => {
  const [found] = await inspectFiles(
    [{ path: file, blob: new Blob([readFileSync(join(folder, file))]) }],
    tokenizer,
    { recipe: parseRecipe({ system_prompt: null }), withDocuments: true },
  );
  const documents = found.documents as { line: number; input_ids: number[]; labels: number[] }[];
  const learned = documents.map(({ labels }) => tokenizer.decode(labels.filter((id) => id >= 0)));
  return { ...found, documents, learned };
};

describe.skipIf(!stories)('cases of data', () => {
  const file = async (name: string, path: string) =>
    inspected(folderOf(name)!, path, await tokenizerOfModel(stories!));

  it('01: a text that is a JSON list is a text', async () => {
    const { rows, problems, learned } = await file('01-json-list-answer', 'train.jsonl');
    expect([rows, problems]).toEqual([4, []]);
    expect(learned.map((text) => text.replace('</s>', '').trim())).toEqual([
      '["white", "red"]',
      '[1, 2, 3]',
      '["e", "a"]',
      'Hello!',
    ]);
  });

  it('05: turns of weight 0 and train false are not learned', async () => {
    const tiny = new ChatTokenizer({
      'tokenizer.json': TINY_TOKENIZER,
      'tokenizer_config.json': TINY_TOKENIZER_CONFIG,
    });
    const { documents } = await inspected(folderOf('05-message-weight')!, 'train.jsonl', tiny);
    expect(documents.map(({ labels }) => labels.filter((id) => id >= 0).length)).toEqual([9, 5]);
  });

  it('08: a column that is null everywhere is none', async () => {
    expect(await file('08-null-columns', 'train.jsonl')).toMatchObject({
      format: 'Alpaca',
      rows: 2,
      used: 2,
      problems: [],
    });
  });

  it('12: instruction and input are joined where both say something', async () => {
    const tokenizer = await tokenizerOfModel(stories!);
    const { documents } = await inspected(
      folderOf('12-alpaca-without-instruction')!,
      'train.json',
      tokenizer,
    );
    const texts = documents.map(({ input_ids }) => tokenizer.decode(input_ids));
    for (const [i, user] of [
      "Translate 'bread' to French.",
      'Translate to French.\nbread',
      'Say hi.',
    ].entries())
      expect(texts[i]).toContain(`\n${user}`);
    expect(texts[0]).not.toContain("\n\nTranslate 'bread'");
  });

  it('49: files named as on the hub have their roles', async () => {
    const roles = ['train', 'validation', 'valid', 'test'].map(async (name) => {
      const { role, set } = await file('49-splits-as-on-the-hub', `${name}.jsonl`);
      return [role, set];
    });
    expect(await Promise.all(roles)).toEqual([
      ['train', null],
      ['validation', 'validation'],
      ['validation', 'valid'],
      ['validation', 'test'],
    ]);
  });
});

const thinking = sharedPath('tokenizers/qwen2.5');
const qwen3 = sharedPath('reference/trl-chat-templates/qwen3.jinja');
it.skipIf(!thinking || !qwen3)('06: reasoning in its own key reaches the template', async () => {
  const tokenizer = new ChatTokenizer({
    ...(await tokenizerFilesOf(thinking!)),
    'chat_template.jinja': readFileSync(qwen3!, 'utf8'),
  });
  const { documents, learned } = await inspected(folderOf('06-reasoning-content')!, 'train.jsonl', tokenizer);
  const { values } = JSON.parse(
    readFileSync(join(folderOf('06-reasoning-content')!, 'case.json'), 'utf8'),
  ) as {
    values: { with_key: string };
  };
  expect(tokenizer.decode(documents[0].input_ids)).toBe(values.with_key);
  expect(learned).toEqual(['<think>\n2+2 makes 4\n</think>\n\n4<|im_end|>\n']);
});

const beyond = folderOf('21-id-beyond-the-table');
it.skipIf(!beyond)(
  '21: a row with an id that the model does not have is refused, and none pads with one',
  async () => {
    const tokenizer = await tokenizerOfModel(join(beyond!, 'model'));
    const { used, problems } = await inspected(beyond!, 'train.jsonl', tokenizer);
    expect(used).toBe(1);
    expect(problems).toMatchObject([{ line: 2, message: expect.stringContaining('<|note|>') as string }]);
    expect(tokenizer.padTokenId).toBeLessThanOrEqual(261);
  },
);

const ends = folderOf('47-end-tokens-of-config');
it.skipIf(!ends)('47: answers stop at the end tokens of config.json', async () => {
  const tokenizer = await tokenizerOfModel(join(ends!, 'model'));
  expect(tokenizer.stopTokenIds.toSorted((a, b) => a - b)).toEqual([257, 259]);
});
