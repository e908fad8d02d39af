/**
 * Rows beyond a question and an answer: preferences, tools, reasoning, marks of what is learned, and why such
 * rows are refused.
 */
import { describe, expect, it } from 'vitest';
import { buildDataset } from '../../src/data/documents.ts';
import { parseRows } from '../../src/data/rows/parseRows.ts';
import { ChatTokenizer } from '../../src/data/tokenizer/chatTokenizer.ts';
import { IGNORE_INDEX } from '../../src/data/types.ts';
import { TINY_TOKENIZER, TINY_TOKENIZER_CONFIG } from '../helpers/tinyModel.ts';

/** Prints functions, calls, results and reasoning. */
const TOOLS_TEMPLATE =
  "{% if tools %}[{% for t in tools %}{{ t.function.name }}{% endfor %}]{% endif %}{% for m in messages %}<|{{ 'user' if m.role == 'tool' else m.role }}|>{% if m.reasoning_content %}({{ m.reasoning_content }}){% endif %}{{ m.content }}{% if m.tool_calls %}{% for c in m.tool_calls %}{{ c.function.name }}:{{ c.function.arguments | tojson }}{% endfor %}{% endif %}{% if m.role == 'assistant' %}</s>{% endif %}{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}";
const made = (template?: string) =>
  new ChatTokenizer({
    'tokenizer.json': TINY_TOKENIZER,
    'tokenizer_config.json': template
      ? JSON.stringify({ ...JSON.parse(TINY_TOKENIZER_CONFIG), chat_template: template })
      : TINY_TOKENIZER_CONFIG,
  });
const [plain, tools] = [made(), made(TOOLS_TEMPLATE)];

async function read(rows: object[] | string, tokenizer = plain, settings: object = {}) {
  const text = typeof rows === 'string' ? rows : rows.map((row) => JSON.stringify(row)).join('\n');
  const parsed = await parseRows(new Blob([text]), 'x.jsonl');
  const dataset = await buildDataset('x.jsonl', parsed, tokenizer, {
    systemPrompt: null,
    maxLength: 400,
    dateString: '',
    preferences: true,
    ...settings,
  });
  const textOf = (ids: Iterable<number>) => tokenizer.decode([...ids]);
  const shown = ({ inputIds, labels }: { inputIds: ArrayLike<number>; labels: ArrayLike<number> }) => [
    textOf(Array.from(inputIds)),
    textOf(Array.from(inputIds).filter((_, i) => labels[i] !== IGNORE_INDEX)),
  ];
  return {
    ...dataset,
    format: parsed.format,
    reasons: dataset.problems.map(({ reason }) => reason),
    shown: Array.from(dataset.documents, shown),
    shownPairs: dataset.pairs.map(({ chosen, rejected }) => [shown(chosen), shown(rejected)]),
  };
}
const user = (content: string) => ({ role: 'user', content });
const assistant = (content: string, more: object = {}) => ({ role: 'assistant', content, ...more });

describe('preference rows', () => {
  const expected = [
    ['<s><|user|>q<|assistant|>good</s>', 'good</s>'],
    ['<s><|user|>q<|assistant|>bad</s>', 'bad</s>'],
  ];
  it.each([
    ['texts', { prompt: 'q', chosen: 'good', rejected: 'bad' }],
    ['answers as turns', { prompt: 'q', chosen: [assistant('good')], rejected: [assistant('bad')] }],
    ['all as turns', { prompt: [user('q')], chosen: [assistant('good')], rejected: [assistant('bad')] }],
    [
      'whole conversations',
      { chosen: [user('q'), assistant('good')], rejected: [user('q'), assistant('bad')] },
    ],
    [
      'whole conversations beside the prompt',
      { prompt: 'q', chosen: [user('q'), assistant('good')], rejected: [user('q'), assistant('bad')] },
    ],
    [
      'ShareGPT with two answers',
      {
        conversations: [{ from: 'human', value: 'q' }],
        chosen: { from: 'gpt', value: 'good' },
        rejected: { from: 'gpt', value: 'bad' },
      },
    ],
    ['a question', { question: 'q', chosen: 'good', rejected: 'bad' }],
  ])('are read from %s', async (_, row) => {
    const { shownPairs, problems, format } = await read([row]);
    expect(problems).toEqual([]);
    expect(format).toBe('preference');
    expect(shownPairs).toEqual([expected]);
  });

  it('are refused where a method copies answers, as are labelled ones', async () => {
    const { reasons, documents } = await read([{ prompt: 'q', chosen: 'good', rejected: 'bad' }], plain, {
      preferences: false,
    });
    expect(documents.length).toBe(0);
    expect(reasons).toEqual([expect.stringContaining('is a preference row')]);
    const labelled = await read([{ prompt: 'q', completion: 'a', label: false }], plain, {
      preferences: false,
    });
    expect(labelled.reasons).toEqual([expect.stringContaining('has a "label"')]);
  });

  it('with a label keep it', async () => {
    const { labels, shown } = await read([
      { prompt: 'q', completion: 'a', label: true },
      { prompt: 'q', completion: 'b', label: false },
    ]);
    expect([...labels]).toEqual([
      [0, true],
      [1, false],
    ]);
    expect(shown[1][1]).toBe('b</s>');
  });

  it('say what is wrong with them', async () => {
    const { reasons } = await read([
      { prompt: 'q', chosen: 'good', rejected: 'good' },
      { prompt: 'q', chosen: 'good', rejected: null },
      { prompt: '', chosen: 'good', rejected: 'bad' },
      { chosen: [user('q'), assistant('good')], rejected: [user('another'), assistant('bad')] },
    ]);
    expect(reasons).toEqual([
      expect.stringContaining('the same "chosen" and "rejected"'),
      expect.stringContaining('"rejected" that is null'),
      expect.stringContaining('no "prompt"'),
      expect.stringContaining('ask different questions'),
    ]);
  });
});

describe('tools', () => {
  const weather = { type: 'function', function: { name: 'weather', parameters: {} } };
  const expected = [
    '[weather]<|user|>q<|assistant|>weather:{"place": "Bern"}</s><|user|>21<|assistant|>It is 21.</s>',
    'weather:{"place": "Bern"}</s>It is 21.</s>',
  ];
  const answer = [{ role: 'tool', content: '21', name: 'weather' }, assistant('It is 21.')];

  it.each([
    ['OpenAI’s form, arguments as text', [weather], { name: 'weather', arguments: '{"place": "Bern"}' }],
    ['arguments as an object', [weather], { name: 'weather', arguments: { place: 'Bern' } }],
    [
      'functions as JSON text',
      JSON.stringify([weather.function]),
      { name: 'weather', arguments: { place: 'Bern' } },
    ],
  ])('are given to the template: %s', async (_, given, called) => {
    const calls = [{ id: 'c1', type: 'function', function: called }];
    const messages = [user('q'), { role: 'assistant', content: null, tool_calls: calls }, ...answer];
    const { shown, problems } = await read([{ tools: given, messages }], tools);
    expect(problems).toEqual([]);
    expect(shown).toEqual([expected]);
  });

  it('are read from ShareGPT: calls are learned, results are not', async () => {
    const conversations = [
      { from: 'human', value: 'q' },
      { from: 'function_call', value: '{"name": "weather", "arguments": {"place": "Bern"}}' },
      { from: 'observation', value: '21' },
      { from: 'gpt', value: 'It is 21.' },
    ];
    const { shown } = await read([{ conversations, tools: JSON.stringify([weather.function]) }], tools);
    expect(shown).toEqual([expected]);
  });

  it('may be called several at once', async () => {
    const call = (place: string) => ({
      type: 'function',
      function: { name: 'weather', arguments: { place } },
    });
    const messages = [user('q'), assistant('', { tool_calls: [call('Bern'), call('Chur')] }), ...answer];
    expect((await read([{ tools: [weather], messages }], tools)).shown[0][1]).toBe(
      'weather:{"place": "Bern"}weather:{"place": "Chur"}</s>It is 21.</s>',
    );
  });

  it('refuse the row by name where the template does not print them, or they cannot be read', async () => {
    const calls = [{ type: 'function', function: { name: 'weather', arguments: {} } }];
    const rows = [
      { messages: [user('q'), assistant('a')], tools: [weather] },
      { messages: [user('q'), assistant('', { tool_calls: calls })] },
    ];
    expect((await read(rows)).reasons).toEqual([
      expect.stringContaining('has "tools", which this model\'s chat template does not print'),
      expect.stringContaining('has "tool_calls", which'),
    ]);
    const broken = [
      { messages: [user('q'), assistant('', { tool_calls: [{ function: {} }] })] },
      { messages: [user('q'), assistant('a')], tools: 'weather' },
    ];
    expect((await read(broken, tools)).reasons).toEqual([
      expect.stringContaining('a call of a tool that cannot be read'),
      expect.stringContaining('has "tools" that are no list'),
    ]);
  });
});

describe('keys that change what is learned', () => {
  it.each([
    ['images', { query: 'a', response: 'b', images: ['x.png'] }, /has "images"/],
    ['audios of a turn', { messages: [{ ...user('a'), audios: ['x'] }, assistant('b')] }, /has "audios"/],
    [
      'weight 0',
      { query: 'a', response: 'b', weight: 0 },
      /has "weight": 0: it is marked as not to be learned/,
    ],
    [
      'a weight between',
      { messages: [user('a'), assistant('b', { weight: 0.5 })] },
      /"weight": 0.5; only 0 and 1/,
    ],
    [
      'a loss weight between',
      { messages: [{ ...user('a'), loss_weight: 0.0 }, assistant('b', { loss_weight: 0.5 })] },
      /"loss_weight": 0.5; only 0 and 1/,
    ],
    [
      'train on a question',
      { messages: [{ ...user('a'), train: true }, assistant('b')] },
      /"train": true.*"user"/,
    ],
    [
      'nothing to learn',
      { messages: [user('a'), assistant('b', { loss: false })] },
      /no answer to learn from/,
    ],
    [
      'a label that is a word',
      { query: 'a', response: 'b', label: 'maths' },
      /"label": "maths"; only true and false/,
    ],
    ['reasoning', { query: 'a', response: 'b', reasoning: 'why' }, /has reasoning .* does not print/],
    [
      'parts of a turn',
      { messages: [user('a'), assistant('b', { train_detail: [{ begin_offset: 0 }] })] },
      /"train_detail".*parts of a turn cannot be left out/,
    ],
    ['half an emoji', { query: 'a', response: 'b\ud83d' }, /half of a character/],
  ])('refuse the row: %s', async (_, row, reason) => {
    const { reasons, documents } = await read([row]);
    expect(documents.length).toBe(0);
    expect(reasons).toEqual([expect.stringMatching(reason)]);
  });

  it('are no obstacle where they say nothing', async () => {
    const row = {
      query: 'a',
      response: 'b',
      images: [],
      weight: 1,
      train: true,
      label: null,
      tools: [],
      reasoning: '',
    };
    expect((await read([row])).problems).toEqual([]);
  });

  it('give reasoning to a template that prints it, under its own key', async () => {
    const row = { messages: [user('q'), assistant('a', { thinking: 'why' })] };
    expect((await read([row], tools)).shown).toEqual([['<|user|>q<|assistant|>(why)a</s>', '(why)a</s>']]);
  });

  it('are counted once a file where nothing reads them', async () => {
    const rows = [
      { query: 'a', response: 'b', id: 1, source: 'x' },
      { query: 'c', response: 'd', id: 2 },
    ];
    expect((await read(rows)).notes).toEqual([
      'Keys of rows that are not read: "id" (2 rows), "source" (1 row).',
    ]);
    const turns = [{ messages: [{ ...user('a'), time: 1 }, assistant('b')] }];
    expect((await read(turns)).notes).toEqual(['Keys of turns that are not read: "time" (1 row).']);
  });
});

describe('raw text', () => {
  it('of any length becomes documents of max_length, end to end, and loses no token', async () => {
    const text = 'abcdefghijklmnopqrstuvwxyz';
    for (const maxLength of [8, 9, 13, 26, 27]) {
      const { documents, usedRows, summary } = await read([{ text }], plain, { maxLength });
      const all = Array.from(documents);
      expect(all.flatMap(({ inputIds }) => [...inputIds])).toEqual(plain.encodeText(text));
      for (const { inputIds, labels } of all) {
        expect(inputIds.length).toBeLessThanOrEqual(maxLength);
        expect(inputIds.length).toBeGreaterThan(1);
        expect([...labels]).toEqual([...inputIds]);
      }
      expect([usedRows, summary.truncatedTokens]).toEqual([1, 0]);
    }
  });
});

describe('files', () => {
  it.each([
    ['NaN', '{"query": "a", "response": NaN}', /it has NaN, which Python writes but JSON does not know/],
    [
      'a mark in the middle',
      '{"query":"a","response":"b"}\n\ufeff{"query":"c","response":"d"}',
      /byte order mark/,
    ],
    ['a printed dict', "{'query': 'a'}", /single quotation marks/],
  ])('name the cause: %s', async (_, text, reason) => {
    expect((await read(text)).reasons).toEqual([expect.stringMatching(reason)]);
  });

  it('of plain text are one text', async () => {
    const { rows, format } = await parseRows(new Blob(['Once upon\na time.\n']), 'story.txt');
    const text = 'Once upon\na time.\n';
    expect([rows, format]).toEqual([[{ kind: 'text', text, line: 1, record: { text } }], 'raw text']);
    expect((await parseRows(new Blob(['{"query":"a","response":"b"}']), 'rows.txt')).format).toBe(
      'query/response',
    );
  });

  it('name a line for Excel', async () => {
    const { problems } = await parseRows(new Blob(['sep=;\nquery;response\na;b\n']), 'x.csv');
    expect(problems[0].reason).toMatch(/the first line is "sep=;".*Remove that line/);
  });

  it('of one object on one line are its list', async () => {
    const { documents, format } = await read('{"version": 1, "data": [{"query": "a", "response": "b"}]}');
    expect([documents.length, format]).toEqual([1, 'query/response']);
  });

  it.each([
    [
      'Dolly',
      { instruction: 'a', context: 'c', response: 'b', category: 'x' },
      '<s><|user|>a\nc<|assistant|>b</s>',
    ],
    ['instruction/response', { instruction: 'a', response: 'b' }, '<s><|user|>a<|assistant|>b</s>'],
    ['question/answer', { question: 'a', answer: 'b' }, '<s><|user|>a<|assistant|>b</s>'],
    [
      'question/response',
      { system_prompt: 's', question: 'a', response: 'b' },
      '<s><|system|>s<|user|>a<|assistant|>b</s>',
    ],
    [
      'messages',
      { messages: [{ role: 'user', content: [{ type: 'text', value: 'a' }] }, assistant('b')] },
      '<s><|user|>a<|assistant|>b</s>',
    ],
  ])('in the format %s', async (format, row, text) => {
    const found = await read([row]);
    expect([found.format, found.shown[0][0], found.problems]).toEqual([format, text, []]);
  });

  it('take an instruction of null beside an input for an empty one', async () => {
    const rows = [
      { instruction: 'i', input: 'x', output: 'y' },
      { instruction: null, input: 'a', output: 'b' },
      { instruction: null, input: '', output: 'b' },
    ];
    const { shown, reasons } = await read(rows);
    expect(shown.map(([text]) => text)).toEqual([
      '<s><|user|>i\nx<|assistant|>y</s>',
      '<s><|user|>a<|assistant|>b</s>',
    ]);
    expect(reasons).toEqual([expect.stringContaining('"instruction" that is null')]);
  });

  it('keep every reason under 400 characters', async () => {
    const row = Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`a long name of a column ${i}`, 1]));
    const { reasons } = await read([{ query: 'a', response: 'b' }, row, row]);
    for (const reason of reasons) expect(reason.length).toBeLessThanOrEqual(400);
    expect(reasons.length).toBeGreaterThan(0);
  });
});
