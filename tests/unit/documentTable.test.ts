/** Documents in flat arrays give back what was put in. */
import { describe, expect, it } from 'vitest';
import { DocumentTable, type DocumentInput } from '../../src/data/documentTable.ts';
import { supervisedTokens } from '../../src/data/packing.ts';
import { IGNORE_INDEX } from '../../src/data/types.ts';
import { mix32 } from '../../src/lib/counterRandom.ts';

const input = (row: number, length: number): DocumentInput => {
  const inputIds = Array.from({ length }, (_, i) => mix32(1000 * row + i) % 150_000);
  return {
    inputIds,
    labels: inputIds.map((id, i) => (mix32(7 * row + i) % 3 === 0 ? id : IGNORE_INDEX)),
    promptTokens: row % 5,
    truncatedTokens: row % 7,
    line: 2 * row + 1,
  };
};

describe('document table', () => {
  // The third is longer than a block, the fourth does not fit beside it.
  const inputs = [3, 0, 29, 19, 2, 7].map((length, row) => input(row, length));

  it('keeps ids, labels and numbers of every document', () => {
    const table = DocumentTable.of('x.jsonl', inputs, 20);
    expect(table.length).toBe(6);
    expect([...table.lengths]).toEqual(inputs.map(({ inputIds }) => inputIds.length));
    for (const [row, { inputIds, labels, ...numbers }] of inputs.entries()) {
      const document = table.at(row);
      expect(document).toMatchObject({ ...numbers, file: 'x.jsonl' });
      expect([...document.inputIds]).toEqual(inputIds);
      expect([...document.labels]).toEqual(labels);
    }
    expect(table.supervisedTokens).toBe(
      inputs.reduce((sum, document) => sum + supervisedTokens(document), 0),
    );
    expect(() => table.at(6)).toThrow(RangeError);
    expect(() => table.at(-1)).toThrow(RangeError);
  });

  it('is transferred as a copy: the sender keeps its own', () => {
    const table = DocumentTable.of('x.jsonl', inputs.slice(3), 20);
    const { arrays, buffers } = table.copy();
    const received = structuredClone(arrays, { transfer: buffers });
    expect(arrays.lengths.length).toBe(0);
    expect(arrays.ids.every(({ length }) => length === 0)).toBe(true);
    expect([...new DocumentTable(received)]).toEqual([...table]);
    expect(table.at(2).inputIds.length).toBe(7);
  });

  it('takes some 5 bytes a token and a few dozen a document', () => {
    const { arrays } = DocumentTable.of(
      'x',
      Array.from({ length: 200_000 }, (_, row) => input(row, 20)),
    ).copy();
    const bytes = [...arrays.ids, ...arrays.supervised].reduce((sum, { byteLength }) => sum + byteLength, 0);
    expect(bytes).toBeLessThan(5 * 20 * 200_000);
  });

  it('refuses labels that it cannot hold', () => {
    const document = { promptTokens: 0, truncatedTokens: 0, line: 1 };
    expect(() => DocumentTable.of('x', [{ ...document, inputIds: [1, 2], labels: [-100, 3] }])).toThrow(
      'label 3 at place 1 is not the id 2 there',
    );
    expect(() => DocumentTable.of('x', [{ ...document, inputIds: [1, 2], labels: [1] }])).toThrow(
      '1 labels for 2 ids',
    );
  });
});
