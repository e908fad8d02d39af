/** Every format that rows come in, every container, and each kind of bad row in them. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readParquet } from '../../src/data/files/parquet.ts';
import { pythonJson } from '../../src/data/template/pythonText.ts';
import { answerOf, questionOf, type Conversation, type Row } from '../../src/data/rows/conversation.ts';
import { parseRows, type ChosenColumns } from '../../src/data/rows/parseRows.ts';

const parse = (contents: string | Uint8Array, name = 'train.jsonl', columns: ChosenColumns = {}) =>
  parseRows(new Blob([contents as BlobPart]), name, columns);
const lines = (...rows: object[]) => rows.map((row) => JSON.stringify(row)).join('\n');
/** 'system: S | user: a | assistant: b', and from which turn on answers are learned from. */
const said = (row: Row): string =>
  row.kind === 'text'
    ? row.text
    : row.kind === 'preference'
      ? `${said({ ...row.chosen, line: 1 })} > ${said({ ...row.rejected, line: 1 })}`
      : `${row.messages.map(({ role, content }) => `${role}: ${content}`).join(' | ')} @${row.kind === 'chat' ? row.answersFrom : 'prompt'}`;
const fixture = (name: string) =>
  new Uint8Array(readFileSync(new URL(`../fixtures/${name}`, import.meta.url)));

describe('formats', () => {
  it.each([
    ['query/response', { query: 'a', response: 'b', id: 7 }, 'user: a | assistant: b @1'],
    ['query/response', { system: 'S', query: 'a', response: 'b' }, 'system: S | user: a | assistant: b @2'],
    ['prompt/completion', { prompt: 'a', completion: 'b' }, 'user: a | assistant: b @1'],
    [
      'prompt/completion',
      {
        prompt: [
          { role: 'user', content: 'x' },
          { role: 'assistant', content: 'y' },
          { role: 'user', content: 'a' },
        ],
        completion: [{ role: 'assistant', content: 'b' }],
      },
      'user: x | assistant: y | user: a | assistant: b @3',
    ],
    [
      'Alpaca',
      { instruction: 'do', input: '', output: 'b', text: 'all of it' },
      'user: do | assistant: b @0',
    ],
    ['Alpaca', { instruction: 'do', input: 'this', output: 'b' }, 'user: do\nthis | assistant: b @0'],
    [
      'Alpaca',
      { instruction: 'do', output: 'b', system: 'S', history: [['p', 'q']] },
      'system: S | user: p | assistant: q | user: do | assistant: b @0',
    ],
    [
      'ShareGPT',
      {
        conversations: [
          { from: 'system', value: 'S' },
          { from: 'human', value: 'a' },
          { from: 'gpt', value: 'b' },
        ],
      },
      'system: S | user: a | assistant: b @0',
    ],
    [
      'ShareGPT',
      {
        system: 'S',
        conversations: [
          { from: 'user', value: 'a' },
          { from: 'chatgpt', value: 'b' },
        ],
      },
      'system: S | user: a | assistant: b @0',
    ],
    [
      'messages',
      {
        prompt: 'a',
        messages: [
          { role: 'user', content: [{ type: 'text', text: 'a' }] },
          { role: 'assistant', content: 'b' },
        ],
      },
      'user: a | assistant: b @0',
    ],
    ['raw text', { text: 'Once upon a time', meta: 1 }, 'Once upon a time'],
  ])('reads %s: %j', async (format, row, expected) => {
    const parsed = await parse(lines(row));
    expect(parsed.problems).toEqual([]);
    expect(parsed.format).toBe(format);
    expect(parsed.rows.map(said)).toEqual([expected]);
  });

  it.each([
    [
      'an unknown speaker',
      { messages: [{ role: 'narrator', content: 'x' }] },
      /whose turn 1 is spoken by "narrator"; it must be "system", "user", "assistant" or "tool"/,
    ],
    ['nobody speaking', { messages: [{ content: 'x' }] }, /whose turn 1 is spoken by nobody/],
    ['a turn that is text', { messages: ['hi'] }, /whose turn 1 is not an object/],
    [
      'an image',
      { messages: [{ role: 'user', content: [{ type: 'image' }] }] },
      /whose turn 1 is not text: it has a part of type "image"/,
    ],
    [
      'no content',
      { messages: [{ role: 'assistant', content: null }] },
      /whose turn 1 has no content \(it is null\)/,
    ],
    [
      'a role that is null',
      { messages: [{ role: null, content: 'x' }] },
      /spoken by null: its role is missing/,
    ],
    ['no list', { messages: 'hi' }, /has a "messages" that is not a list of turns/],
    ['no turns', { messages: [] }, /has no turns: there is nothing to learn/],
    ['a system message alone', { messages: [{ role: 'system', content: 'x' }] }, /has no turns/],
    [
      'no answer',
      { conversations: [{ from: 'human', value: 'a' }] },
      /does not end with the assistant: the last question has no answer/,
    ],
    [
      'an empty answer',
      {
        messages: [
          { role: 'user', content: 'a' },
          { role: 'assistant', content: ' \n' },
        ],
      },
      /has an empty answer/,
    ],
    ['an empty completion', { prompt: 'a', completion: '' }, /has an empty "completion"/],
    [
      'an empty list as completion',
      { prompt: [{ role: 'user', content: 'a' }], completion: [] },
      /has an empty "completion"/,
    ],
    [
      'a completion by the user',
      { prompt: [{ role: 'user', content: 'a' }], completion: [{ role: 'user', content: 'b' }] },
      /does not end with the assistant/,
    ],
    ['a number as instruction', { instruction: 3, output: 'b' }, /has a "instruction" that is not text/],
    ['a number as input', { instruction: 'a', input: 3, output: 'b' }, /has a "input" that is not text/],
    [
      'a broken history',
      { instruction: 'a', output: 'b', history: [['only one']] },
      /"history" that is not a list of \[question, answer\]/,
    ],
    ['an empty text', { text: '  ' }, /has an empty text/],
    ['a text that is none', { text: ['a'] }, /has a "text" that is not text/],
  ])('reports %s', async (_, row, reason) => {
    const good = Object.keys(row)[0];
    const { rows, problems } = await parse(lines(row));
    expect(rows, good).toEqual([]);
    expect(problems).toMatchObject([
      {
        file: 'train.jsonl',
        line: 1,
        unit: 'line',
        kind: 'bad',
        reason: expect.stringMatching(reason) as string,
      },
    ]);
    expect(problems[0].excerpt.length).toBeGreaterThan(0);
  });

  it('is in the format that most rows are in; the others are bad, with their lines', async () => {
    const { format, rows, problems } = await parse(
      lines({ text: 'x' }, { query: 'a', response: 'b' }, { query: 'c', response: 'd' }, { query: 'e' }),
    );
    expect([format, rows.map(({ line }) => line)]).toEqual(['query/response', [2, 3]]);
    expect(problems.map(({ line, reason }) => [line, reason.split(';')[0]])).toEqual([
      [
        1,
        'is in the form raw text, not query/response as most rows of this file are. Put such rows into a file of their own',
      ],
      [4, 'has no "response"'],
    ]);
  });

  it('knows the question and the answer of a conversation', async () => {
    const [row] = (
      await parse(
        lines({
          messages: ['a', 'b', 'c', 'd'].map((content, i) => ({
            role: i % 2 ? 'assistant' : 'user',
            content,
          })),
        }),
      )
    ).rows;
    expect([questionOf(row), answerOf(row), (row as Conversation).answersFrom]).toEqual(['c', 'd', 0]);
  });
});

describe('containers', () => {
  it('reads an array, an object over several lines, and an object around the only list', async () => {
    const row = { query: 'a', response: 'b' };
    for (const text of [
      JSON.stringify([row, row]),
      JSON.stringify([row, row], null, 2),
      JSON.stringify({ version: 1, data: [row, row] }, null, 2),
    ]) {
      const parsed = await parse(text, 'train.json');
      expect(parsed.rows.map((found) => [found.line, said(found)])).toEqual(
        [1, 2].map((line) => [line, 'user: a | assistant: b @1']),
      );
      expect(parsed.unit).toBe('row');
    }
    const chat = {
      messages: [
        { role: 'user', content: 'a' },
        { role: 'assistant', content: 'b' },
      ],
    };
    expect((await parse(JSON.stringify(chat, null, 2), 'one.json')).rows.map(said)).toEqual([
      'user: a | assistant: b @0',
    ]);
    expect(
      (await parse(JSON.stringify({ a: [row], b: [row] }, null, 2), 'two.json')).problems[0].reason,
    ).toMatch(/several lists/);
  });

  it('says at which line an array breaks off, and numbers bad elements by their place', async () => {
    const broken = await parse(
      '[\n{"query":"a","response":"b"},\n{"query":"c" "response":"d"}\n]',
      'train.json',
    );
    expect(broken.problems).toMatchObject([
      { line: 3, unit: 'line', excerpt: '{"query":"c" "response":"d"}' },
    ]);
    const bad = await parse('[{"query":"a","response":"b"},{"query":"c","response":""}, 7]', 'train.json');
    expect(bad.rows.length).toBe(1);
    expect(bad.problems).toMatchObject([
      { line: 2, unit: 'row' },
      { line: 3, unit: 'row', reason: expect.stringMatching(/is not a JSON object/) as string },
    ]);
  });

  it('reads CSV: quoted commas and line ends, CRLF, a byte order mark, semicolons, tabs', async () => {
    const csv = '\ufeffquery, response\r\n"a, ""b""\nc",d\r\n\r\ne,f\r\n';
    const parsed = await parse(csv, 'train.csv');
    expect(parsed.problems).toEqual([]);
    expect(parsed.rows.map((row) => [row.line, said(row)])).toEqual([
      [2, 'user: a, "b"\nc | assistant: d @1'],
      [4, 'user: e | assistant: f @1'],
    ]);
    for (const [separator, name] of [
      [';', 'x.csv'],
      ['\t', 'x.tsv'],
      ['|', 'x.csv'],
    ]) {
      expect(
        (await parse(`prompt${separator}completion\na, b${separator}c\nd${separator}e`, name)).rows.map(said),
        separator,
      ).toEqual(['user: a, b | assistant: c @1', 'user: d | assistant: e @1']);
    }
    expect((await parse('text\nhello\n"a\nb"\n', 'x.csv')).rows.map(said)).toEqual(['hello', 'a\nb']);
    const turns = JSON.stringify([
      { role: 'user', content: 'a' },
      { role: 'assistant', content: 'b' },
    ]).replaceAll('"', '""');
    expect((await parse(`id,messages\n1,"${turns}"\n`, 'x.csv')).rows.map(said)).toEqual([
      'user: a | assistant: b @0',
    ]);
  });

  it.each([
    [
      'too many columns',
      'query,response\na,b\nc,d,e\n',
      3,
      /has 3 columns where the first row names 2. Put texts with commas/,
    ],
    ['too few columns', 'query,response\na,b\nc\n', 3, /has 1 column where the first row names 2/],
    [
      'a quotation mark left open',
      'query,response\na,b\n"c,d\ne,f\n',
      3,
      /opens a quotation mark that is never closed/,
    ],
    ['a quotation mark within', 'query,response\n"a" b,c\n', 2, /quotation mark in the middle/],
    ['an empty answer', 'query,response\na,b\nc,\n', 3, /has an empty "response"/],
    ['two columns of one name', 'query,query\na,b\n', 1, /two columns are called "query"/],
    ['columns without a name', 'query,,\na,b,c\n', 1, /several columns have no name/],
    ['no header', ',\na,b\n', 1, /the first row has no column names/],
    ['nothing', '', 1, /the file is empty/],
  ])('reports %s in CSV', async (_, csv, line, reason) => {
    const { problems } = await parse(csv, 'train.csv');
    expect(problems).toMatchObject([{ line, kind: 'bad', reason: expect.stringMatching(reason) as string }]);
  });

  it('tells the wrong encoding: Windows-1252 by its rows, UTF-16 and packed files by their beginning', async () => {
    const latin = Uint8Array.from('query,response\ncaf\xe9,b\nc,d\n', (letter) => letter.charCodeAt(0));
    const csv = await parse(latin, 'train.csv');
    expect(csv.rows.map(said)).toEqual(['user: c | assistant: d @1']);
    expect(csv.problems).toMatchObject([
      {
        line: 2,
        unit: 'row',
        reason: expect.stringMatching(/not UTF-8 text.*Windows-1252.*Save the file as UTF-8/) as string,
      },
    ]);
    const array = await parse(
      Uint8Array.from('[{"query":"a",\n"response":"\xe9"}]', (letter) => letter.charCodeAt(0)),
      'train.json',
    );
    expect(array.problems).toMatchObject([
      { line: 2, unit: 'line', reason: expect.stringMatching(/not UTF-8/) as string },
    ]);
    // A replacement character that was written as one is text like any other.
    expect((await parse(lines({ query: '\ufffd', response: 'b' }))).rows.length).toBe(1);
    const utf16 = new Uint8Array([
      0xff,
      0xfe,
      ...new Uint8Array(Uint16Array.from('{"query":"a"}', (letter) => letter.charCodeAt(0)).buffer),
    ]);
    expect((await parse(utf16)).problems[0].reason).toMatch(/UTF-16.*Save it as UTF-8/);
    expect((await parse(utf16.subarray(2))).problems[0].reason).toMatch(/UTF-16.*Save it as UTF-8/);
    expect((await parse(Uint8Array.of(0x1f, 0x8b, 8, 0))).problems[0].reason).toMatch(
      /compressed. Unpack it/,
    );
    expect((await parse('PK\x03\x04', 'train.json')).problems[0].reason).toMatch(/compressed/);
  });

  it('reads Parquet with snappy and zstd, over row groups, lists of structs and nulls', async () => {
    const pairs = await parse(fixture('pairs.snappy.parquet'), 'train.parquet');
    expect(pairs).toMatchObject({ unit: 'row', format: 'query/response' });
    expect(pairs.rows.map((row) => [row.line, said(row)])).toEqual(
      [0, 1, 2, 3, 5, 6].map((i) => [i + 1, `user: say ${i} | assistant: ahoy @1`]),
    );
    expect(pairs.problems).toMatchObject([
      { line: 5, unit: 'row', reason: expect.stringMatching(/"response" that is null/) as string },
    ]);
    expect(pairs.columns.map(({ name }) => name)).toEqual(['query', 'response', 'id']);
    const chat = await parse(fixture('chat.zstd.parquet'), 'chat.val.parquet');
    expect(chat.rows.map(said)).toEqual([
      'system: Be brief. | user: héllo | assistant: hi 👋 @0',
      'user: a | assistant: b | user: c | assistant: d @0',
    ]);
    expect(chat.problems).toMatchObject([
      { line: 2, reason: expect.stringMatching(/"messages" that is null/) as string },
    ]);
    // As pyarrow and json.dumps print the same file (a map as a dict).
    const numbers = await readParquet(new Blob([fixture('numbers.parquet')]));
    expect(numbers.records.map(({ value }) => pythonJson(value))).toEqual([
      '{"arguments": {"x": 2.0, "n": 3, "half": 0.5, "many": [1.0, 2.5], "deep": [{"y": 4.0}, {"y": null}], "single": 8.0, "named": {"a": 1.0}}, "weight": 1.0}',
      '{"arguments": {"x": -0.0, "n": 1099511627776, "half": null, "many": [], "deep": null, "single": 0.10000000149011612, "named": {}}, "weight": 0.0}',
    ]);
    expect((await parse('not parquet', 'train.parquet')).problems[0].reason).toMatch(/is not a Parquet file/);
    expect(
      (await parse(fixture('pairs.snappy.parquet').subarray(0, 500), 'train.parquet')).problems[0].reason,
    ).toMatch(/Parquet file cannot be read/);
  });
});

describe('chosen columns', () => {
  const rows = lines({ ask: 'a', reply: 'b', persona: 'S' }, { ask: 'c', reply: 'd', persona: null });

  it('reads a file by the columns chosen for it, with the system message of each row', async () => {
    const parsed = await parse(rows, 'train.jsonl', {
      'train.jsonl': { prompt: 'ask', response: 'reply', system: 'persona' },
    });
    expect(parsed.rows.map(said)).toEqual([
      'system: S | user: a | assistant: b @2',
      'user: c | assistant: d @1',
    ]);
    expect(parsed.format).toBe('columns as chosen');
  });

  it('reads one without a format by another file’s columns where it has them, or by those for all', async () => {
    const mapping = { prompt: 'ask', response: 'reply' };
    const several: ChosenColumns[] = [
      { 'other.csv': mapping },
      { '*': mapping },
      { 'x.csv': { text: 'body' }, '*': mapping },
    ];
    for (const columns of several) expect((await parse(rows, 'train.jsonl', columns)).rows.length).toBe(2);
    expect((await parse(rows, 'train.jsonl', { 'x.csv': { text: 'body' } })).rows.length).toBe(0);
    // A known format is read as such, whatever was chosen for other files.
    expect(
      (
        await parse(lines({ query: 'a', response: 'b', question: 'x', answer: 'y' }), 'train.jsonl', {
          '*': mapping,
        })
      ).rows.map(said),
    ).toEqual(['user: a | assistant: b @1']);
    expect(
      (
        await parse(lines({ query: 'a', response: 'b' }), 'train.jsonl', {
          'train.jsonl': { prompt: 'response', response: 'query' },
        })
      ).rows.map(said),
    ).toEqual(['user: b | assistant: a @1']);
  });

  it('reads conversations and texts by a chosen column, and reports rows that lack it', async () => {
    const dialog = [
      { from: 'human', value: 'a' },
      { from: 'gpt', value: 'b' },
    ];
    const chat = lines({ dialog }, { talk: 1 });
    const parsed = await parse(chat, 'train.jsonl', { 'train.jsonl': { messages: 'dialog' } });
    expect(parsed.rows.map(said)).toEqual(['user: a | assistant: b @0']);
    expect(parsed.problems).toMatchObject([
      { line: 2, reason: expect.stringMatching(/has no "dialog"; its keys are "talk"/) as string },
    ]);
    expect(
      (await parse(lines({ body: 'x' }), 'train.jsonl', { '*': { text: 'body' } })).rows.map(said),
    ).toEqual(['x']);
  });

  it('names the columns of a file in no known format, with an example of each', async () => {
    const parsed = await parse('ask,reply,n\n,b,1\na,,2\n', 'train.csv');
    expect(parsed).toMatchObject({ format: null, rows: [] });
    expect(parsed.columns).toEqual([
      { name: 'ask', example: 'a' },
      { name: 'reply', example: 'b' },
      { name: 'n', example: '1' },
    ]);
    expect(parsed.problems).toMatchObject([
      {
        line: 2,
        unit: 'row',
        reason: expect.stringMatching(/its columns are "ask", "reply", "n"/) as string,
      },
    ]);
  });
});
