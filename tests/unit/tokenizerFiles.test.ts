/**
 * tokenizer.json in the forms of the families: ids and texts as Python's tokenizers gives them
 * (tests/interop/tokenizer_files.py wrote the fixture).
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ChatTokenizer } from '../../src/data/tokenizer/chatTokenizer.ts';

interface Fixture {
  texts: string[];
  tokenizers: Record<string, { tokenizer: object; ids: number[][]; decoded: string[] }>;
}

const fixture = JSON.parse(
  readFileSync(new URL('../fixtures/tokenizers.json', import.meta.url), 'utf8'),
) as Fixture;
const config = JSON.stringify({ eos_token: '</s>', chat_template: '{{ messages[0].content }}' });

describe('tokenizer files of the form that a family has', () => {
  it('are nine, each with every text', () => {
    expect(Object.keys(fixture.tokenizers)).toEqual([
      'Llama 2',
      'Gemma',
      'Mistral',
      'GPT-2',
      'Llama 3',
      'Qwen',
      'SmolLM',
      'Unigram',
      'WordPiece',
    ]);
    for (const { ids } of Object.values(fixture.tokenizers)) expect(ids.length).toBe(fixture.texts.length);
  });

  it.each(Object.keys(fixture.tokenizers))('%s', (name) => {
    const { tokenizer, ids, decoded } = fixture.tokenizers[name];
    const made = new ChatTokenizer({
      'tokenizer.json': JSON.stringify(tokenizer),
      'tokenizer_config.json': config,
    });
    expect(fixture.texts.map((text) => made.encode(text))).toEqual(ids);
    expect(ids.map((line) => made.decode(line))).toEqual(decoded);
  });
});
