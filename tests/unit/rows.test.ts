import { describe, expect, it, vi } from 'vitest';
import { buildDataset } from '../../src/data/documents.ts';
import { isValidationFile, validationSetName } from '../../src/data/files/fileNames.ts';
import { openRows, parseRows } from '../../src/data/rows/parseRows.ts';
import { ChatTokenizer } from '../../src/data/tokenizer/chatTokenizer.ts';
import { TINY_TOKENIZER, TINY_TOKENIZER_CONFIG } from '../helpers/tinyModel.ts';

const tokenizer = new ChatTokenizer({
  'tokenizer.json': TINY_TOKENIZER,
  'tokenizer_config.json': TINY_TOKENIZER_CONFIG,
});
const SETTINGS = { systemPrompt: 'S', maxLength: 64, dateString: '26 Jul 2024' };
const parse = (text: string | Uint8Array) => parseRows(new Blob([text as BlobPart]), 'train.jsonl');
const pair = (query: string, response: string, line: number) => ({
  kind: 'chat',
  messages: [
    { role: 'user', content: query },
    { role: 'assistant', content: response },
  ],
  answersFrom: 1,
  line,
});
const dataset = async (text: string, settings = SETTINGS) =>
  buildDataset('train.jsonl', await parse(text), tokenizer, settings);

describe('rows', () => {
  it('reads lines and arrays, with a byte order mark, blank lines and Windows ends of line', async () => {
    const lines = await parse(
      '\ufeff{"query":"a","response":"b"}\r\n\r\n{"query":"c","response":"d","extra":1}',
    );
    expect(lines).toMatchObject({
      rows: [pair('a', 'b', 1), pair('c', 'd', 3)],
      problems: [],
      unit: 'line',
      format: 'query/response',
    });
    expect(lines.columns.map(({ name }) => name)).toEqual(['query', 'response', 'extra']);
    expect(await parse('[\n{"query":"a","response":"b"}\n]')).toMatchObject({
      rows: [pair('a', 'b', 1)],
      unit: 'row',
    });
  });

  it.each([
    ['not JSON', '{"query": "a"', /is not JSON. Write one/],
    [
      'wrong keys',
      '{"ask":"a","reply":"b"}',
      /is in no known format: its columns are "ask", "reply". Choose which is the prompt/,
    ],
    ['a list of texts', '["a","b"]', /is not a JSON object/],
    ['a number', '{"query":1,"response":"b"}', /"query" that is not text/],
    ['a list', '["a","b"', /the JSON array does not parse here. Check commas/],
    ['an empty response', '{"query":"a","response":"  "}', /empty "response": there is nothing to learn/],
    ['an empty file', '\n  \n', /the file is empty/],
  ])('reports %s with file and line', async (_, text, reason) => {
    const { rows, problems } = await parse(text);
    expect(rows).toEqual([]);
    expect(problems[0]).toMatchObject({ file: 'train.jsonl', line: 1, kind: 'bad' });
    expect(problems[0].reason).toMatch(reason);
  });

  it('reports bytes that are not UTF-8 and goes on with the next line', async () => {
    const { rows, problems } = await parse(
      Uint8Array.from([
        ...new TextEncoder().encode('{"query":"'),
        0xff,
        ...new TextEncoder().encode('","response":"b"}\n{"query":"c","response":"d"}'),
      ]),
    );
    expect(problems).toMatchObject([
      { line: 1, kind: 'bad', reason: expect.stringMatching(/not UTF-8.*Save the file as UTF-8/) as string },
    ]);
    expect(rows).toEqual([{ ...pair('c', 'd', 2), record: { query: 'c', response: 'd' } }]);
  });
});

describe('a large file', () => {
  it('is read row by row: neither its text nor its rows are in memory as a whole', async () => {
    const line = `${JSON.stringify({ query: 'q'.repeat(500), response: 'r'.repeat(500) })}\n`;
    const blob = new Blob([line.repeat(20_000)]);
    const pulled: number[] = [];
    const bytes = new Uint8Array(await blob.arrayBuffer());
    vi.spyOn(blob, 'stream').mockImplementation(() => {
      const reading = pulled.push(0) - 1;
      return new ReadableStream({
        pull(controller) {
          const piece = bytes.subarray(pulled[reading], pulled[reading] + 65536);
          if (piece.length === 0) return controller.close();
          pulled[reading] += piece.length;
          controller.enqueue(piece);
        },
      });
    });
    const { rows, records, format } = await openRows(blob, 'train.jsonl');
    expect([records, format, rows]).toEqual([20_000, 'query/response', expect.anything()]);
    let read = 0;
    for await (const { line: number } of rows) {
      expect(number).toBe(++read);
      if (read === 100) break;
    }
    // Looked at, read through once for its format, and now as far as was asked.
    expect(pulled.length).toBe(3);
    expect(pulled[0]).toBeLessThan(blob.size / 10);
    expect(pulled[1]).toBe(blob.size);
    expect(pulled[2]).toBeLessThan(blob.size / 10);
  });
});

describe('documents', () => {
  it('supervises the answer and its end token and nothing else', async () => {
    const { documents } = await dataset('{"query":"Hi","response":"Yo"}');
    const text = '<s><|system|>S<|user|>Hi<|assistant|>Yo</s>';
    expect([...documents.at(0).inputIds]).toEqual(tokenizer.encode(text));
    expect([...documents.at(0).labels]).toEqual(
      [256, 260, 83, 258, 72, 105, 259, 89, 111, 257].map((id, i) => (i < 7 ? -100 : id)),
    );
    expect(documents.at(0).promptTokens).toBe(7);
    expect([...documents.at(0).inputIds].filter((id) => tokenizer.isSpecial(id))).toEqual([
      256, 260, 258, 259, 257,
    ]);
    expect(Array.from(documents.at(0).inputIds, (id) => tokenizer.tokenText(id)).join('')).toBe(text);
  });

  it('has no system message where the prompt is null, an empty one where it is empty', async () => {
    const none = await dataset('{"query":"Hi","response":"Yo"}', {
      ...SETTINGS,
      systemPrompt: null as unknown as string,
    });
    const empty = await dataset('{"query":"Hi","response":"Yo"}', { ...SETTINGS, systemPrompt: '' });
    expect(tokenizer.decode(none.documents.at(0).inputIds)).toBe('<s><|user|>Hi<|assistant|>Yo</s>');
    expect(tokenizer.decode(empty.documents.at(0).inputIds)).toBe(
      '<s><|system|><|user|>Hi<|assistant|>Yo</s>',
    );
  });

  it('cuts a row at the limit and counts what is lost', async () => {
    const { documents, summary, problems } = await dataset('{"query":"Hi","response":"123456789"}', {
      ...SETTINGS,
      maxLength: 10,
    });
    expect(documents.at(0).inputIds.length).toBe(10);
    expect(summary).toMatchObject({
      rows: 1,
      tokens: 10,
      supervisedTokens: 3,
      longest: 10,
      truncatedRows: 1,
      truncatedTokens: 7,
      problems: 0,
    });
    expect(problems).toEqual([]);
  });

  it('leaves out a row that loses its whole answer, as too long, not as bad', async () => {
    const { summary, problems } = await dataset(
      '{"query":"a long question","response":"x"}\n{"query":"a","response":"b"}',
      { ...SETTINGS, maxLength: 16 },
    );
    expect(summary).toMatchObject({ rows: 1, problems: 1, badRows: 0 });
    expect(problems[0]).toMatchObject({ line: 1, kind: 'limit' });
    expect(problems[0].reason).toMatch(
      /loses its whole answer: its prompt alone has 20 tokens and max_length is 16. Raise max_length/,
    );
  });

  it("reports a row whose prompt is not how the whole row begins, and a template's refusal", async () => {
    const config = (template: string) =>
      new ChatTokenizer({
        'tokenizer.json': TINY_TOKENIZER,
        'tokenizer_config.json': JSON.stringify({
          ...JSON.parse(TINY_TOKENIZER_CONFIG),
          chat_template: template,
        }),
      });
    const parsed = await parse('{"query":"Hi","response":"Yo"}');
    const broken = await buildDataset(
      't',
      parsed,
      config('{{ messages|length }}{{ messages[-1].content }}'),
      SETTINGS,
    );
    expect(broken.problems[0]).toMatchObject({ kind: 'bad', line: 1 });
    expect(broken.problems[0].reason).toMatch(/cannot be masked: .*the tokens of a prompt are not how/);
    const refused = await buildDataset(
      't',
      parsed,
      config("{{ raise_exception('no system role') }}"),
      SETTINGS,
    );
    expect(refused.problems[0].reason).toMatch(/refused by the model's chat template: no system role/);
  });

  it('names validation sets by file name', () => {
    const validation = [
      ...['math.val.jsonl', 'val.json', 'a_val.jsonl', 'math.val.csv', 'x.val.tsv', 'y.VAL.parquet'],
      ...['validation.jsonl', 'valid.jsonl', 'test.jsonl', 'dev.csv', 'eval.json', 'my-test.jsonl'],
      ...['data/validation-00000-of-00001.parquet', 'test/0.jsonl', 'data/dev/x.csv', 'evaluation.tsv'],
    ];
    expect(validation.filter((name) => !isValidationFile(name))).toEqual([]);
    const training = [
      ...[
        'train.jsonl',
        'val.txt',
        'train.csv',
        'val.jsonl.gz',
        'data.jsonl',
        'latest.jsonl',
        'contest.jsonl',
      ],
      ...['data/train-00000-of-00002.parquet', 'test/train.jsonl', 'train_test.jsonl', 'invalid.jsonl'],
    ];
    expect(training.filter(isValidationFile)).toEqual([]);
    expect(['math.val.jsonl', 'folder/chat.hard.val.json', 'val.jsonl'].map(validationSetName)).toEqual([
      'math',
      'chat',
      'val',
    ]);
  });
});

describe('tokenizer', () => {
  it('pads with its own pad token, never an end token', () => {
    expect(tokenizer.padTokenId).toBe(261);
    const files = (change: object) => ({
      'tokenizer.json': TINY_TOKENIZER,
      'tokenizer_config.json': JSON.stringify({ ...JSON.parse(TINY_TOKENIZER_CONFIG), ...change }),
    });
    expect(new ChatTokenizer(files({ pad_token: '</s>' })).padTokenId).toBe(261);
    expect(new ChatTokenizer(files({ pad_token: null })).padTokenId).toBe(261);
    expect(tokenizer.stopTokenIds).toEqual([257]);
  });

  it.each([
    [{ 'tokenizer.json': TINY_TOKENIZER }, /tokenizer_config\.json is missing/],
    [{ 'tokenizer.json': '{', 'tokenizer_config.json': '{}' }, /tokenizer\.json is not JSON/],
    [{ 'tokenizer.json': TINY_TOKENIZER, 'tokenizer_config.json': '{}' }, /no chat template/],
  ])('says which file is wrong', (files, message) => {
    expect(() => new ChatTokenizer(files)).toThrow(message);
  });
});
