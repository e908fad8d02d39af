/** Rows of JSON arrays and of tables, shown, put right and taken out where they stand. */
import { describe, expect, it } from 'vitest';
import { openRecords } from '../../src/data/files/readRecords.ts';
import { mendRow, rowText } from '../../src/data/files/mendRow.ts';

/** @returns the row's text, and the file with another in its place, and without it */
async function mended(text: string, name: string, row: number, by: string): Promise<string[]> {
  const file = new Blob([text]);
  const texts = [await mendRow(file, name, row, by), await mendRow(file, name, row, null)];
  return [await rowText(file, name, row), ...(await Promise.all(texts.map((blob) => blob.text())))];
}

const ARRAY = '[\n  {"q": "a, ]}\\"", "n": [1, {"x": 2}]},\n  "é",\n  -1.5e3 , null\n]\n';
const [FIRST, NEW] = ['{"q": "a, ]}\\"", "n": [1, {"x": 2}]}', '{"q": "b"}'];

describe('rows of a JSON array', () => {
  it.each([
    [1, FIRST, ARRAY.replace(FIRST, NEW), ARRAY.replace(`${FIRST},\n  `, '')],
    [2, '"é"', ARRAY.replace('"é"', NEW), ARRAY.replace('"é",\n  ', '')],
    [3, '-1.5e3', ARRAY.replace('-1.5e3', NEW), ARRAY.replace('-1.5e3 , ', '')],
    [4, 'null', ARRAY.replace('null', NEW), ARRAY.replace(' , null', '')],
  ])('row %d', async (row, text, put, taken) => {
    expect(await mended(ARRAY, 'a.json', row, NEW)).toEqual([text, put, taken]);
    for (const made of [put, taken]) JSON.parse(made);
  });

  it('may lie within an object, be the only one, or follow a byte order mark', async () => {
    const wrapped = '{"name": "x [", "tags": ["a"], "data": [{"a": 1}, {"a": 2}], "more": {}}';
    expect(await mended(wrapped, 'a.json', 2, NEW)).toEqual([
      '{"a": 2}',
      wrapped.replace('{"a": 2}', NEW),
      wrapped.replace(', {"a": 2}', ''),
    ]);
    expect(await mended('[{"a": 1}]', 'a.json', 1, NEW)).toEqual(['{"a": 1}', `[${NEW}]`, '[]']);
    expect(await mended('{"query":\n"a"}\n', 'a.json', 1, NEW)).toEqual([
      '{"query":\n"a"}',
      `${NEW}\n`,
      '\n',
    ]);
    const marked = await mendRow(new Blob(['\ufeff[1]']), 'a.json', 1, '2');
    expect(new Uint8Array(await marked.arrayBuffer())).toEqual(new TextEncoder().encode('\ufeff[2]'));
  });

  it('are the rows that the reader numbers, whatever their texts hold', async () => {
    const values = ['a', '\\', '"', '[', '}{', ',:', '\u2028', '😀', ''].flatMap((a) =>
      [1, -0.5, null, true, [a], { [a]: a, b: [[]] }].map((b) => ({ query: a, response: b })),
    );
    for (const indent of [undefined, 2]) {
      const file = new Blob([JSON.stringify({ data: values }, null, indent)]);
      const lines: [number, unknown][] = [];
      for await (const record of (await openRecords(file, 'a.json')).read())
        if ('value' in record) lines.push([record.line, record.value]);
      expect(lines.length).toBe(values.length);
      for (const [line, value] of lines)
        expect(JSON.parse(await rowText(file, 'a.json', line))).toEqual(value);
    }
  });
});

describe('rows of a table', () => {
  const TABLE = 'query,response\r\n"a\r\nb, ""c""",d\r\n\r\nbad\r\nlast,"é"';
  it.each([
    [2, '"a\r\nb, ""c""",d', '"a\r\nb, ""c""",d\r\n'],
    [3, '', '\r\n'],
    [4, 'bad', 'bad\r\n'],
    [5, 'last,"é"', 'last,"é"'],
  ])('row %d', async (row, text, cut) => {
    const put = row === 3 ? TABLE.replace('d\r\n\r\n', 'd\r\nx,y\r\n') : TABLE.replace(text, 'x,y');
    const taken = row === 3 ? TABLE.replace('d\r\n\r\n', 'd\r\n') : TABLE.replace(cut, '');
    expect(await mended(TABLE, 'a.csv', row, 'x,y')).toEqual([text, put, taken]);
  });

  it('keep their separator', async () => {
    expect(await mended('a\tb\n1\t2\n3\t4\n', 'a.tsv', 2, 'x\t"y\ty"')).toEqual([
      '1\t2',
      'a\tb\nx\t"y\ty"\n3\t4\n',
      'a\tb\n3\t4\n',
    ]);
  });
});

it.each([
  ['a.json', '[1, 2]', 3, '1', /no row 3/],
  ['a.json', '[1, 2]', 1, '{"a": }', /not JSON/],
  ['a.csv', 'a,b\n1,2', 2, 'x', /not one row of 2 columns/],
  ['a.csv', 'a,b\n1,2', 2, 'x,y\nz,w', /not one row of 2 columns/],
  ['a.csv', 'a,b\n1,2', 2, '"x,y', /not one row of 2 columns/],
  ['a.parquet', 'PAR1', 1, 'x', /Parquet file cannot be edited here. Convert a.parquet to JSON lines/],
])('%s: says why a row cannot be put there', async (name, text, row, by, reason) => {
  await expect(mendRow(new Blob([text]), name, row, by)).rejects.toThrow(reason);
});
