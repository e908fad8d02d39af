/** Files as other tools write them: ends of lines, delimiters, columns, marks as text, keys of two forms. */
import { describe, expect, it, vi } from 'vitest';
import { buildDataset } from '../../src/data/documents.ts';
import { mendRow, rowText } from '../../src/data/files/mendRow.ts';
import { lineText } from '../../src/data/files/mendLine.ts';
import { answerOf, questionOf, type Row } from '../../src/data/rows/conversation.ts';
import { openJoinedRows } from '../../src/data/rows/joinedRows.ts';
import { parseRows } from '../../src/data/rows/parseRows.ts';
import { rowKey } from '../../src/data/rows/rowStatistics.ts';
import { ChatTokenizer } from '../../src/data/tokenizer/chatTokenizer.ts';
import { TINY_TOKENIZER, TINY_TOKENIZER_CONFIG } from '../helpers/tinyModel.ts';

async function read(text: string | Uint8Array<ArrayBuffer>, name: string) {
  const { rows, problems, format } = await parseRows(new Blob([text]), name);
  const reasons = problems.map(({ reason }) => reason);
  return { rows, format, reasons, pairs: rows.map((row) => [questionOf(row), answerOf(row)]) };
}
const lines = (...rows: object[]) => rows.map((row) => JSON.stringify(row)).join('\n');
const user = (content: string) => ({ role: 'user', content });
const assistant = (content: string, more: object = {}) => ({ role: 'assistant', content, ...more });

describe('tables', () => {
  it.each([
    ['a semicolon', 'x.csv', 'query;response\nq;a\n"q;2";b\n'],
    ['a tab', 'x.csv', 'query\tresponse\nq\ta\nq;2\tb\n'],
    ['a bar', 'x.csv', 'query|response\nq|a\nq;2|b\n'],
    ['a tab, and commas in the texts', 'x.tsv', 'query\tresponse\nq\ta\nq;2\tb\n'],
    ['a comma, and both ends of line', 'x.csv', 'query,response\r\nq,a\n"q;2",b\r\n'],
    ['a comma, and carriage returns alone', 'x.csv', 'query,response\rq,a\rq;2,b'],
  ])('have their cells told apart by %s', async (_, name, text) => {
    const { pairs, reasons } = await read(text, name);
    expect([reasons, pairs]).toEqual([
      [],
      [
        ['q', 'a'],
        ['q;2', 'b'],
      ],
    ]);
  });

  it('may have texts with more commas than their header has', async () => {
    const { pairs } = await read('prompt\tcompletion\n["a"]\t["white", "red"]\n', 'x.tsv');
    expect(pairs).toEqual([['["a"]', '["white", "red"]']]);
  });

  it('keep the ends of line within a text, whatever ends their rows', async () => {
    const { pairs } = await read('query,response\r\nq,"a\r\n1"\nq2,b\r\n', 'x.csv');
    expect(pairs).toEqual([
      ['q', 'a\r\n1'],
      ['q2', 'b'],
    ]);
  });

  it('are mended by the same rows', async () => {
    const file = new Blob(['query;response\r\nq;a, 1\nq2;b\r\n']);
    expect(await rowText(file, 'x.csv', 2)).toBe('q;a, 1');
    expect(await rowText(file, 'x.csv', 3)).toBe('q2;b');
    expect(await (await mendRow(file, 'x.csv', 2, null)).text()).toBe('query;response\r\nq2;b\r\n');
  });

  it('have no column that is empty in every row', async () => {
    const { format, pairs } = await read('messages,instruction,input,output\n,i,,o\n,i2,x,p\n', 'x.csv');
    expect([format, pairs]).toEqual([
      'Alpaca',
      [
        ['i', 'o'],
        ['i2\nx', 'p'],
      ],
    ]);
  });

  it('have true and false as text', async () => {
    const { rows, reasons } = await read('prompt,completion,label\nq,a,True\nq,b,False\nq,c,0.5\n', 'x.csv');
    expect(rows.map((row) => (row as Row & { label: boolean }).label)).toEqual([true, false]);
    expect(reasons).toEqual([expect.stringContaining('"label": "0.5"')]);
  });
});

describe('files of JSON', () => {
  it('may have lines that end with a carriage return alone', async () => {
    const file = '{"query":"q","response":"a"}\r{"query":"r","response":"b"}\r';
    expect((await read(file, 'x.jsonl')).pairs).toEqual([
      ['q', 'a'],
      ['r', 'b'],
    ]);
    expect(await lineText(new Blob([file]), 2)).toBe('{"query":"r","response":"b"}');
  });

  it.each([
    ['lists', { query: ['q', 'r'], response: ['a', 'b'] }],
    ['numbered objects', { query: { 0: 'q', 1: 'r' }, response: { 0: 'a', 1: 'b' } }],
  ])('may be written by their columns, as %s', async (_, value) => {
    for (const text of [JSON.stringify(value), JSON.stringify(value, null, 1)])
      expect((await read(text, 'x.json')).pairs).toEqual([
        ['q', 'a'],
        ['r', 'b'],
      ]);
  });

  it.each([
    ['objects over several lines', '{\n "query": "q"\n}\n{\n "query": "r"\n}\n', 'jq -c'],
    ['a comma behind a row', '{"query":"q","response":"a"},\n{"query":"r","response":"b"},', 'comma'],
    ['lists of turns', `${lines([user('q')])}\n${lines([user('q')])}`, '{"messages": […]}'],
    ['lists of turns in a list', JSON.stringify([[user('q')]]), '{"messages": […]}'],
    ['UTF-16 without a mark', new Uint8Array(Buffer.from('{"query":"q"}', 'utf16le')), 'UTF-16'],
    ['a list of Python', lines({ messages: "[{'role': 'user'}]" }), 'json.dumps'],
  ])('with %s say what to do', async (_, text, remedy) => {
    const { rows, reasons } = await read(text, 'x.jsonl');
    expect(rows).toEqual([]);
    expect(reasons[0]).toContain(remedy);
  });

  it('are texts where they begin with a bracket and are named so', async () => {
    const { rows } = await read('[note] a text\nmore\n', 'x.txt');
    expect(rows).toMatchObject([{ kind: 'text', text: '[note] a text\nmore\n' }]);
    expect((await read(lines({ query: 'q', response: 'a' }), 'x.txt')).pairs).toEqual([['q', 'a']]);
  });
});

it('names the form of a row that is in another one than its file', async () => {
  const rows = [{ query: 'q', response: 'a' }, { query: 'r', response: 'b' }, { conversations: [] }];
  const { reasons } = await read(rows.map((row) => lines(row)).join('\n'), 'x.jsonl');
  expect(reasons).toEqual([
    expect.stringMatching(/^is in the form ShareGPT, not query\/response as .* a file of their own/),
  ]);
});

describe('turns', () => {
  it.each([
    [
      'from and content',
      [
        { from: 'user', content: 'q' },
        { from: 'assistant', content: 'a' },
      ],
    ],
    [
      'role and value',
      [
        { role: 'user', value: 'q' },
        { role: 'assistant', value: 'a' },
      ],
    ],
    [
      'both forms, one of them null',
      [
        { role: null, content: null, from: 'human', value: 'q' },
        { role: null, content: null, from: 'gpt', value: 'a' },
      ],
    ],
  ])('may have %s', async (_, conversations) => {
    expect((await read(lines({ conversations }), 'x.jsonl')).pairs).toEqual([['q', 'a']]);
  });

  it('without a text name the keys that they have', async () => {
    const { reasons } = await read(lines({ conversations: [{ from: 'human', text: 'q' }] }), 'x.jsonl');
    expect(reasons).toEqual([
      expect.stringContaining('turn 1 has no "content"; its keys are from, text. Write'),
    ]);
  });

  it('have thoughts among their parts, which are no part of the answer', async () => {
    const thought = [
      { type: 'thinking', thinking: 'hm' },
      { type: 'text', text: 'a' },
    ];
    const { rows } = await read(
      lines(
        { messages: [user('q'), { role: 'assistant', content: thought }] },
        {
          messages: [
            user('q'),
            { role: 'assistant', content: [{ type: 'reasoning', text: 'hm' }, thought[1]] },
          ],
        },
      ),
      'x.jsonl',
    );
    const answer = { role: 'assistant', content: 'a', reasoning: 'hm' };
    expect(rows).toMatchObject([{ messages: [{}, answer] }, { messages: [{}, answer] }]);
  });
});

describe('preference rows', () => {
  it('of which an answer is only to be read are refused', async () => {
    const { rows, reasons } = await read(
      lines(
        { prompt: [user('q')], chosen: [assistant('a', { weight: 0 })], rejected: [assistant('b')] },
        { prompt: [user('q')], chosen: [assistant('a')], rejected: [assistant('b', { train: false })] },
        {
          chosen: [user('q'), assistant('x', { train: false }), user('r'), assistant('a')],
          rejected: [user('q'), assistant('x', { train: false }), user('r'), assistant('b')],
        },
      ),
      'x.jsonl',
    );
    expect(reasons).toHaveLength(2);
    expect(reasons[0]).toContain('weight 0');
    expect(rows).toMatchObject([{ line: 3 }]);
  });

  it('are read as OpenAI writes them, with their tools', async () => {
    const tools = [{ type: 'function', function: { name: 'f' } }];
    const { rows, format } = await read(
      lines({
        input: { messages: [user('q')], tools, parallel_tool_calls: true },
        preferred_output: [assistant('a')],
        non_preferred_output: [assistant('b')],
      }),
      'x.jsonl',
    );
    expect(format).toBe('preference');
    expect(rows).toMatchObject([
      {
        chosen: { messages: [user('q'), assistant('a')], tools, answersFrom: 1 },
        rejected: { messages: [user('q'), assistant('b')], tools, answersFrom: 1 },
      },
    ]);
  });

  it("of LLaMA-Factory's KTO have their mark in kto_tag", async () => {
    const { rows } = await read(
      lines(
        { instruction: 'i', output: 'a', kto_tag: true },
        { instruction: 'i', output: 'b', kto_tag: false },
      ),
      'x.jsonl',
    );
    expect(rows).toMatchObject([{ label: true }, { label: false }]);
  });
});

it('a conversation that begins with an answer says so where the template cannot write its prompt', async () => {
  const template =
    "{{ '<s>' if messages[0].role == 'user' }}{% for m in messages %}{{ m.content }}{% endfor %}";
  const tokenizer = new ChatTokenizer({
    'tokenizer.json': TINY_TOKENIZER,
    'tokenizer_config.json': JSON.stringify({
      ...(JSON.parse(TINY_TOKENIZER_CONFIG) as object),
      chat_template: template,
    }),
  });
  const rows = lines({ messages: [assistant('hello'), user('q'), assistant('a')] });
  const parsed = await parseRows(new Blob([rows]), 'x.jsonl');
  const { problems } = await buildDataset('x.jsonl', parsed, tokenizer, {
    systemPrompt: null,
    maxLength: 100,
    dateString: '',
  });
  expect(problems).toMatchObject([
    { reason: expect.stringMatching(/^begins with the assistant: /) as string },
  ]);
});

it('the rows of files are counted aloud while they are read for the first time', async () => {
  const clock = vi.spyOn(performance, 'now');
  let now = 0;
  clock.mockImplementation(() => (now += 1000));
  const blob = new Blob([`${lines({ query: 'q', response: 'a' })}\n`.repeat(2500)]);
  const found: number[] = [];
  const parts = ['a.jsonl', 'b.jsonl'].map((name) => ({ name, blob }));
  await openJoinedRows(parts, {}, undefined, null, { onFound: (records) => found.push(records) });
  clock.mockRestore();
  expect(found).toEqual([1024, 2048, 3524, 4548]);
});

it('rows that the recipe leaves out are named by file and line, once', async () => {
  const [a, b] = [lines({ query: 'q', response: 'a' }), lines({ query: 'q2', response: 'b' })];
  const { rows } = await parseRows(new Blob([a]), 'a.jsonl');
  const key = rowKey(rows[0]);
  const parts = [`${a}\n${b}`, a].map((text, i) => ({ name: `${i}.jsonl`, blob: new Blob([text]) }));
  const read = async (side: 'train' | 'heldOut') => {
    const selection = { leftOut: [key], valSetSize: 0.5, seed: 1, side };
    const joined = await openJoinedRows(parts, {}, selection);
    for await (const { line } of joined.rows) expect(line).toBe(2);
    return joined.leftOut;
  };
  const named = { key, line: 1, what: 'left_out_rows', text: 'a' };
  expect(await read('train')).toEqual({
    count: 2,
    rows: [
      { ...named, file: '0.jsonl' },
      { ...named, file: '1.jsonl' },
    ],
  });
  expect((await read('heldOut')).count).toBe(0);
});
