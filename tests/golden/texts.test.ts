/** Ids of ../shared/texts by eleven real tokenizers, and of the cases of tokenizers, as Python gives them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { tokenizerFilesOf } from '../../scripts/lib/modelTokenizer.ts';
import { textsReference, type TextsFile } from '../../scripts/lib/textsReference.ts';
import { sharedPath } from '../helpers/shared.ts';

const read = <T>(path: string) => JSON.parse(readFileSync(path, 'utf8')) as T;

describe.each([
  'falcon',
  'gpt2',
  'lfm2.5',
  'minicpm4',
  'minimind',
  'mistral-v3-new',
  'neox-20b',
  'olmo2',
  'phi3-mini',
  'smollm2',
  'tinyllama-chat-v0.1-ft',
])('%s', (name) => {
  const [file, folder] = [sharedPath(`texts/${name}.json`), sharedPath(`tokenizers/real/${name}`)];
  it.skipIf(!file || !folder)('gives every id', { timeout: 60_000 }, async () => {
    const expected = read<{ rows: { text: string; input_ids: number[] }[] }>(file!);
    expect(expected.rows.length).toBeGreaterThan(200);
    const made = textsReference(expected, await tokenizerFilesOf(folder!));
    for (const [i, row] of expected.rows.entries()) expect(made.rows[i]).toMatchObject(row);
  });
});

describe.each(['14-unigram-byte-fallback', '15-digits-of-other-scripts', '19-token-only-in-config'])(
  'case %s',
  (name) => {
    const folder = sharedPath(`cases/${name}`);
    it.skipIf(!folder)('gives every id, and the texts again', async () => {
      const { values } = read<{
        values: { ids: number[] | number[][]; decoded?: string[]; text?: string };
      }>(join(folder!, 'case.json'));
      const texts = values.text === undefined ? read<TextsFile>(join(folder!, 'texts.json')) : [values.text];
      const made = textsReference(texts, await tokenizerFilesOf(join(folder!, 'model')));
      const ids = made.rows.map(({ input_ids }) => input_ids);
      expect(values.text === undefined ? ids : ids[0]).toEqual(values.ids);
      if (values.decoded) expect(made.rows.map(({ decoded }) => decoded)).toEqual(values.decoded);
    });
  },
);
