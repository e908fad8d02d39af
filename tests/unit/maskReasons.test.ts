/** Why a row is masked so: each stretch of its document by the rule that made it, held against the labels. */
import { describe, expect, it } from 'vitest';
import { buildDataset } from '../../src/data/documents.ts';
import type { DocumentSettings } from '../../src/data/rows/encoding/documentTypes.ts';
import { maskReasons } from '../../src/data/rows/encoding/maskReasons.ts';
import { parseRows } from '../../src/data/rows/parseRows.ts';
import { ChatTokenizer } from '../../src/data/tokenizer/chatTokenizer.ts';
import { IGNORE_INDEX } from '../../src/data/types.ts';
import { TINY_TOKENIZER, TINY_TOKENIZER_CONFIG } from '../helpers/tinyModel.ts';

const tokenizerWith = (template?: string) =>
  new ChatTokenizer({
    'tokenizer.json': TINY_TOKENIZER,
    'tokenizer_config.json':
      template === undefined
        ? TINY_TOKENIZER_CONFIG
        : JSON.stringify({ ...JSON.parse(TINY_TOKENIZER_CONFIG), chat_template: template }),
  });
const SETTINGS: DocumentSettings = { systemPrompt: 'S', maxLength: 200, dateString: '' };
const turns = (...contents: string[]) =>
  contents.map((content, i) => ({ role: i % 2 ? 'assistant' : 'user', content }));

/** Of each document of a row its spans as text and rule, what is learned in brackets. */
async function reasons(row: object, more: Partial<DocumentSettings> = {}, tokenizer = tokenizerWith()) {
  const settings = { ...SETTINGS, ...more };
  const read = () => parseRows(new Blob([JSON.stringify(row)]), 'x.jsonl');
  const { documents, problems } = await buildDataset('x.jsonl', await read(), tokenizer, settings);
  expect(problems).toEqual([]);
  const [parsed] = (await read()).rows;
  return Array.from(documents, (document) => {
    const made = maskReasons(parsed, document, tokenizer, settings);
    let end = 0;
    for (const span of made.spans) {
      expect(span.start).toBe(end);
      end = span.end;
      if (span.rule === 'firstToken') continue;
      for (let i = span.start; i < span.end; i++)
        expect(document.labels[i] !== IGNORE_INDEX, `${span.rule} at ${i}`).toBe(span.learned);
    }
    expect(end).toBe(document.inputIds.length);
    const said = made.spans.map(({ start, end: to, learned, rule }) => {
      const text = tokenizer.decode(document.inputIds.slice(start, to));
      return `${learned ? `[${text}]` : text} ${rule}`;
    });
    return { ...made, said };
  });
}

describe('why a row is masked so', () => {
  it('names the system prompt, each question, what the template writes, and each answer', async () => {
    const [{ said }] = await reasons({ messages: turns('a', 'one', 'b', 'two') });
    expect(said).toEqual([
      '<s><|system|>S systemOfRecipe',
      '<|user|>a question',
      '<|assistant|> generationPrompt',
      '[one</s>] answer',
      '<|user|>b question',
      '<|assistant|> generationPrompt',
      '[two</s>] answer',
    ]);
  });

  it('tells answers that are only read apart by what made them so', async () => {
    const history = await reasons({ messages: turns('a', 'one', 'b', 'two') }, { maskHistory: true });
    expect(history[0].said).toContain('one</s> maskHistory');
    const weighed = turns('a', 'one', 'b', 'two').map((turn, i) => (i === 1 ? { ...turn, weight: 0 } : turn));
    expect((await reasons({ messages: weighed }))[0].said).toContain('one</s> unlearned');
    const given = await reasons({ prompt: turns('a', 'one', 'b'), completion: turns('', 'two').slice(1) });
    expect(given[0].said).toContain('one</s> givenTurn');
  });

  it("knows the row's own system message, thoughts, and what the limit cut off", async () => {
    const own = await reasons({ messages: [{ role: 'system', content: 'own' }, ...turns('a', 'one')] });
    expect(own[0].said[0]).toBe('<s><|system|>own systemOfRow');
    const cut = await reasons({ messages: turns('a', 'one', 'b', 'two') }, { maxLength: 16 });
    expect(cut[0].truncatedTokens).toBeGreaterThan(0);
    expect(cut[0].said.at(-1)).toMatch(/^\[two\] answer|<\|user\|>/);
  });

  it('says of an answer by itself that the earlier ones are learned in other documents', async () => {
    // This template leaves out what earlier answers say in brackets.
    const forgets = tokenizerWith(
      "{{ bos_token }}{% for m in messages %}<|{{ m.role }}|>{% if m.role == 'assistant' and not loop.last %}{{ m.content.split(')')[-1] }}{% else %}{{ m.content }}{% endif %}{% if m.role == 'assistant' %}{{ eos_token }}{% endif %}{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}",
    );
    const made = await reasons({ messages: turns('a', '(x)one', 'b', '(y)two') }, {}, forgets);
    expect(made.map(({ said }) => said.at(-1))).toEqual(['[(x)one</s>] answer', '[(y)two</s>] answer']);
    expect(made[1].said).toContain('one</s><|user|>b otherDocument');
  });

  it('of a raw text everything is learned but its first token, which nothing predicts', async () => {
    const [{ spans }] = await reasons({ text: 'hello there' });
    expect(spans.map(({ rule }) => rule)).toEqual(['firstToken', 'text']);
  });

  it('of a preference pair the wanted and the unwanted answer, and of a prompt nothing', async () => {
    const pair = { prompt: 'a', chosen: 'good', rejected: 'bad' };
    const settings = { preferences: { as: 'pairs', only: true } } as const;
    const made = await reasons(pair, settings);
    expect(made.map(({ said }) => said.at(-1))).toEqual(['[good</s>] chosen', '[bad</s>] rejected']);
    const prompts = { preferences: { as: 'prompts', only: true, answerTokens: 8 } } as const;
    const [sampled] = await reasons({ query: 'a', response: '4' }, prompts);
    expect(sampled.prompt).toBe(true);
    expect(sampled.said).toEqual([
      '<s><|system|>S systemOfRecipe',
      '<|user|>a question',
      '<|assistant|> generationPrompt',
    ]);
  });
});
