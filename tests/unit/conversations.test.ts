/** Conversations and raw texts as ids and labels, and what is reported of a file's rows. */
import { describe, expect, it } from 'vitest';
import { buildDataset } from '../../src/data/documents.ts';
import { encodeWhole } from '../../src/data/rows/encoding/encodeConversation.ts';
import { parseRows } from '../../src/data/rows/parseRows.ts';
import { fingerprintsOf, histogramOf, overlapOf, repeatsIn } from '../../src/data/rows/rowStatistics.ts';
import { ChatTokenizer } from '../../src/data/tokenizer/chatTokenizer.ts';
import { IGNORE_INDEX, type Document } from '../../src/data/types.ts';
import { TINY_TOKENIZER, TINY_TOKENIZER_CONFIG } from '../helpers/tinyModel.ts';

const tokenizerWith = (template?: string, tokenizerJson = TINY_TOKENIZER) =>
  new ChatTokenizer({
    'tokenizer.json': tokenizerJson,
    'tokenizer_config.json':
      template === undefined
        ? TINY_TOKENIZER_CONFIG
        : JSON.stringify({ ...JSON.parse(TINY_TOKENIZER_CONFIG), chat_template: template }),
  });
const tokenizer = tokenizerWith();
const SETTINGS = { systemPrompt: 'S', maxLength: 200, dateString: '' };
const turns = (...contents: string[]) =>
  contents.map((content, i) => ({ role: i % 2 ? 'assistant' : 'user', content }) as const);
const rowsOf = async (...rows: object[]) =>
  parseRows(new Blob([rows.map((row) => JSON.stringify(row)).join('\n')]), 'x.jsonl');
const dataset = async (
  row: object,
  settings: Partial<typeof SETTINGS & { maskHistory: boolean }> = {},
  used = tokenizer,
) => buildDataset('x.jsonl', await rowsOf(row), used, { ...SETTINGS, ...settings });
const learned = ({ inputIds, labels }: Document) =>
  tokenizer.decode(inputIds.filter((_, i) => labels[i] !== IGNORE_INDEX));

describe('conversations', () => {
  const chat = { messages: turns('a', 'one', 'b', 'two', 'c', 'three') };

  it('supervises every answer with its end token, and nothing between', async () => {
    const { documents } = await dataset(chat);
    expect(tokenizer.decode(documents.at(0).inputIds)).toBe(
      '<s><|system|>S<|user|>a<|assistant|>one</s><|user|>b<|assistant|>two</s><|user|>c<|assistant|>three</s>',
    );
    expect(learned(documents.at(0))).toBe('one</s>two</s>three</s>');
    for (const [i, label] of documents.at(0).labels.entries())
      expect([IGNORE_INDEX, documents.at(0).inputIds[i]]).toContain(label);
    expect(tokenizer.decode(documents.at(0).inputIds.slice(0, documents.at(0).promptTokens))).toMatch(
      /<\|user\|>c<\|assistant\|>$/,
    );
  });

  it('supervises the last answer alone with mask_history', async () => {
    expect(learned((await dataset(chat, { maskHistory: true })).documents.at(0))).toBe('three</s>');
  });

  it('reads the answers of a conversational prompt and learns from the completion', async () => {
    const { documents } = await dataset({
      prompt: turns('a', 'one', 'b'),
      completion: [{ role: 'assistant', content: 'two' }],
    });
    expect(learned(documents.at(0))).toBe('two</s>');
  });

  it('has the system message of the row, else the recipe’s', async () => {
    const text = async (row: object, systemPrompt: string | null) =>
      tokenizer.decode(
        (await dataset(row, { systemPrompt: systemPrompt as string })).documents.at(0).inputIds,
      );
    const own = { messages: [{ role: 'system', content: 'own' }, ...turns('a', 'b')] };
    expect(await text(own, 'S')).toBe('<s><|system|>own<|user|>a<|assistant|>b</s>');
    expect(await text(own, null)).toBe('<s><|system|>own<|user|>a<|assistant|>b</s>');
    expect(await text({ messages: turns('a', 'b') }, null)).toBe('<s><|user|>a<|assistant|>b</s>');
    expect(await text({ query: 'a', response: 'b', system: 'own' }, 'S')).toBe(
      '<s><|system|>own<|user|>a<|assistant|>b</s>',
    );
  });

  it('keeps what the limit leaves of a conversation, and does not ask for the answer that was cut off', async () => {
    const { documents, summary } = await dataset(chat, { maxLength: 16 });
    expect(learned(documents.at(0))).toBe('one</s>two');
    expect(documents.at(0).promptTokens).toBe(16);
    expect(summary).toMatchObject({
      rows: 1,
      tokens: 16,
      truncatedRows: 1,
      truncatedTokens: 10,
      supervisedTokens: 7,
    });
  });

  it('reports a conversation of which no answer can be masked', async () => {
    // The last message is marked: a prompt is then never how the whole begins.
    const marks = tokenizerWith(
      '{% for m in messages %}{{ m.role }}:{% if loop.last %}!{% endif %}{{ m.content }}{% endfor %}{% if add_generation_prompt %}assistant:{% endif %}',
    );
    const { problems, documents } = await dataset(chat, {}, marks);
    expect(documents.length).toBe(0);
    expect(problems).toMatchObject([
      { kind: 'bad', line: 1, reason: expect.stringMatching(/cannot be masked/) as string },
    ]);
  });

  it('makes one document an answer where the template renders answers otherwise once more turns follow', async () => {
    const strips = tokenizerWith(
      "{% for m in messages %}<|{{ m.role }}|>{% if m.role == 'assistant' and not loop.last %}{{ m.content.split('#')[-1] }}{% else %}{{ m.content }}{% endif %}{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}",
    );
    const thinking = { messages: turns('a', 'hm#one', 'b', 'hm#two') };
    const { documents, notes, sources, usedRows } = await dataset(thinking, {}, strips);
    expect([...documents].map((document) => tokenizer.decode([...document.inputIds]))).toEqual([
      '<|system|>S<|user|>a<|assistant|>hm#one',
      '<|system|>S<|user|>a<|assistant|>one<|user|>b<|assistant|>hm#two',
    ]);
    expect([...documents].map(learned)).toEqual(['hm#one', 'hm#two']);
    expect(sources.map(({ question, answer }) => [question, answer])).toEqual([
      ['a', 'hm#one'],
      ['b', 'hm#two'],
    ]);
    expect(usedRows).toBe(1);
    expect(notes).toEqual([expect.stringMatching(/1 conversation became 2 documents/)]);
    const last = await dataset(thinking, { maskHistory: true }, strips);
    expect([...last.documents].map(learned)).toEqual(['hm#two']);
  });

  it('takes off the white space at an answer’s beginning that merges with the prompt, and counts it', async () => {
    const json = JSON.parse(TINY_TOKENIZER) as {
      model: { vocab: Record<string, number>; merges: string[] };
      pre_tokenizer: object;
    };
    // Two line ends are one token.
    json.model.vocab['ĊĊ'] = json.model.vocab['Ā'];
    delete json.model.vocab['Ā'];
    json.model.merges = ['Ċ Ċ'];
    json.pre_tokenizer = { type: 'ByteLevel', add_prefix_space: false, use_regex: false };
    const merging = tokenizerWith(
      "{% for m in messages %}{{ m.role + ':\n' + m.content + '</s>' }}{% endfor %}{% if add_generation_prompt %}{{ 'assistant:\n' }}{% endif %}",
      JSON.stringify(json),
    );
    const { documents, notes } = await dataset({ messages: turns('a', '\none', 'b', 'two') }, {}, merging);
    expect(tokenizer.decode([...documents.at(0).inputIds])).toContain('assistant:\none</s>');
    expect(learned(documents.at(0))).toBe('one</s>two</s>');
    expect(notes).toEqual([expect.stringMatching(/White space at the beginning of 1 answer was taken off/)]);
  });

  it('learns nothing of turns that are marked as only read', async () => {
    const marked = {
      messages: [
        { role: 'user', content: 'a' },
        { role: 'assistant', content: 'one', weight: 0 },
        { role: 'user', content: 'b' },
        { role: 'assistant', content: 'two', weight: 1 },
      ],
    };
    expect(learned((await dataset(marked)).documents.at(0))).toBe('two</s>');
  });

  it('gives a single row the labels that a row has by itself', () => {
    const { labels, promptIds, inputIds } = encodeWhole(
      { messages: turns('Hi', 'Yo'), answersFrom: 0 },
      tokenizer,
      SETTINGS,
    );
    expect(labels).toEqual(inputIds.map((id, i) => (i < promptIds.length ? IGNORE_INDEX : id)));
  });
});

describe('raw text', () => {
  it('is learned from as a whole, with the end token once', async () => {
    const { documents, sources } = await dataset({ text: 'once' });
    expect(tokenizer.decode(documents.at(0).inputIds)).toBe('once</s>');
    expect(documents.at(0).promptTokens).toBe(0);
    expect([...documents.at(0).labels]).toEqual([...documents.at(0).inputIds]);
    expect(sources[0].kind).toBe('text');
    expect(tokenizer.decode((await dataset({ text: 'once</s>' })).documents.at(0).inputIds)).toBe('once</s>');
  });

  it('begins with the token that the tokenizer begins texts with, once', async () => {
    const json = JSON.parse(TINY_TOKENIZER) as object;
    const post_processor = {
      type: 'TemplateProcessing',
      single: [{ SpecialToken: { id: '<s>', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }],
      pair: [],
      special_tokens: { '<s>': { id: '<s>', ids: [256], tokens: ['<s>'] } },
    };
    const begins = tokenizerWith(undefined, JSON.stringify({ ...json, post_processor }));
    for (const text of ['once', '<s>once'])
      expect(begins.decode((await dataset({ text }, {}, begins)).documents.at(0).inputIds)).toBe(
        '<s>once</s>',
      );
  });
});

describe('statistics', () => {
  it('counts rows by length in bins of a round width', () => {
    expect(histogramOf([])).toEqual({ binTokens: 1, counts: [] });
    expect(histogramOf([1, 3, 3])).toEqual({ binTokens: 1, counts: [1, 0, 2] });
    const { binTokens, counts } = histogramOf([1, 50, 51, 100, 1500]);
    expect([binTokens, counts.length]).toEqual([50, 30]);
    expect([counts[0], counts[1], counts[29]]).toEqual([2, 2, 1]);
    expect(histogramOf([100_000]).counts.length).toBeLessThanOrEqual(32);
  });

  it('counts the length that rows have before the limit', async () => {
    const { histogram } = await dataset({ query: 'a', response: 'x'.repeat(30) }, { maxLength: 10 });
    expect(histogram.counts.length * histogram.binTokens).toBeGreaterThanOrEqual(36);
  });

  it('finds rows that say the same but for case and white space, with their lines', async () => {
    const { rows } = await rowsOf(
      { query: 'What is  it?', response: 'A cat.' },
      { query: 'other', response: 'A cat.' },
      { query: 'what is\nit? ', response: 'a CAT.' },
      { query: 'what is it?', response: 'a dog.' },
    );
    expect(repeatsIn(fingerprintsOf(rows))).toEqual({ rows: 1, examples: [{ line: 3, of: 1 }] });
  });

  it('finds rows of another file, whatever format they are in there, and prompts with another answer', async () => {
    const training = fingerprintsOf(
      (
        await rowsOf(
          { query: 'a', response: 'b' },
          { query: 'c', response: 'd' },
          { query: 'e', response: 'f' },
        )
      ).rows,
    );
    const validation = fingerprintsOf(
      (
        await rowsOf(
          { system: 'S', messages: turns('C', 'D') },
          { messages: turns('a', 'other') },
          { messages: turns('a', 'b', 'c', 'd') },
          { messages: turns('x', 'f') },
        )
      ).rows,
    );
    expect(overlapOf(validation, training)).toEqual({ rows: 1, prompts: 1, examples: [{ line: 1, of: 2 }] });
    expect(overlapOf(training, validation)).toEqual({ rows: 1, prompts: 1, examples: [{ line: 2, of: 1 }] });
    const texts = fingerprintsOf((await rowsOf({ text: 'Once  upon' }, { text: 'y' })).rows);
    expect(overlapOf(texts, fingerprintsOf((await rowsOf({ text: 'once upon' })).rows))).toEqual({
      rows: 1,
      prompts: 0,
      examples: [{ line: 1, of: 1 }],
    });
  });

  it('does not take different rows for equal: 200,000 of them', async () => {
    const rows = Array.from({ length: 200_000 }, (_, line) => ({
      kind: 'text' as const,
      text: `row ${line}`,
      line,
    }));
    expect(repeatsIn(fingerprintsOf(rows)).rows).toBe(0);
  });
});
