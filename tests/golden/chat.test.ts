/** Ids, labels and texts of ../shared/chat, as transformers gives them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { chatReference, type ChatFile } from '../../scripts/lib/chatReference.ts';
import { sharedPath } from '../helpers/shared.ts';

/** @param folder with the tokenizer's files */
function replayed(file: ChatFile, folder: string) {
  const text = (part: string) => readFileSync(join(folder, part), 'utf8');
  return chatReference(file, {
    'tokenizer.json': text('tokenizer.json'),
    'tokenizer_config.json': text('tokenizer_config.json'),
  });
}

describe.each([
  ['llama-3.2-1b-instruct', 'tokenizers/llama-3.2-1b-instruct'],
  ['qwen2.5', 'tokenizers/qwen2.5'],
  ['stories260K', 'models/stories260K'],
])('%s', (name, tokenizer) => {
  const [file, folder] = [sharedPath(`chat/${name}.json`), sharedPath(tokenizer)];
  it.skipIf(!file || !folder)('gives every row and chat as transformers does', () => {
    const expected = JSON.parse(readFileSync(file!, 'utf8')) as Required<ChatFile>;
    const made = replayed(expected, folder!);
    expect(made.rows.length).toBe(expected.rows.length);
    for (const [i, row] of expected.rows.entries()) {
      // The fixture has null where there are no labels; an error's wording is jinja's own.
      const { template_error, ...rest } = row as unknown as Record<string, unknown>;
      if (template_error === undefined) expect(made.rows[i]).toMatchObject(rest);
      else expect(made.rows[i]).toHaveProperty('template_error');
    }
    for (const [i, chat] of expected.chats.entries()) expect(made.chats[i]).toMatchObject(chat);
  });
});

describe.each([
  ['llama-3.2-1b-instruct.tools', 'tokenizers/llama-3.2-1b-instruct'],
  ['qwen2.5.tools', 'tokenizers/qwen2.5'],
])('%s', (name, tokenizer) => {
  const [file, folder] = [sharedPath(`chat/${name}.json`), sharedPath(tokenizer)];
  it.skipIf(!file || !folder)(
    'gives texts, ids and turns of conversations with tools',
    { timeout: 60_000 },
    () => {
      const expected = JSON.parse(readFileSync(file!, 'utf8')) as ChatFile;
      const made = replayed(expected, folder!);
      expect(made.rows.length).toBe(expected.rows.length);
      for (const [i, row] of expected.rows.entries()) {
        const { template_error, ...rest } = row as unknown as Record<string, unknown>;
        if (template_error === undefined) expect(made.rows[i]).toEqual(rest);
        else expect(made.rows[i]).toHaveProperty('template_error');
      }
    },
  );
});
