/** Rows of a table that stays in storage: any row, in any order, from pieces that rows do not end with. */
import { describe, expect, it } from 'vitest';
import { TableRows } from '../../src/formats/tableRows.ts';
import type { TensorInfo } from '../../src/formats/tensors.ts';
import { decodeBlocks, GGUF_BLOCKS } from '../../src/quant/ggufBlocks.ts';
import { cut } from '../../src/import/weightStream.ts';

/** A table in pieces of `size` bytes, and the indices of those that were read. */
function pieces(bytes: Uint8Array, size: number) {
  const reads: number[] = [];
  const all = [...cut({ part: 'data', byteOffset: 0, bytes }, size)].map((chunk, index) => ({
    byteOffset: chunk.byteOffset,
    byteLength: chunk.bytes.byteLength,
    read: () => {
      reads.push(index);
      return Promise.resolve(chunk.bytes);
    },
  }));
  return { all, reads };
}

describe('rows of a table', () => {
  it('are those of the table, repeated and in any order', async () => {
    const values = Float32Array.from({ length: 50 * 7 }, (_, i) => i / 8);
    const info: TensorInfo = { name: 'table', shape: [50, 7], kind: 'f32' };
    const { all, reads } = pieces(new Uint8Array(values.buffer), 100);
    expect(all.length).toBe(14);
    const rows = [49, 0, 3, 3, 49, 17];
    const read = await new TableRows(info, all).read(rows);
    expect([...read]).toEqual(rows.flatMap((row) => [...values.subarray(row * 7, row * 7 + 7)]));
    // Only pieces that hold a wanted row, and each once.
    expect(reads.length).toBeLessThan(8);
    expect(new Set(reads).size).toBe(reads.length);
  });

  it('are decoded where the table is in GGUF blocks', async () => {
    const format = GGUF_BLOCKS.get('Q8_0')!;
    const bytes = Uint8Array.from({ length: 4 * 2 * format.bytes }, (_, i) => (i % 34 === 1 ? 0x2c : i % 97));
    const all = decodeBlocks(format, bytes);
    const info: TensorInfo = { name: 'table', shape: [4, 64], kind: 'Q8_0' };
    const read = await new TableRows(info, pieces(bytes, 40).all).read(Uint32Array.of(2, 1));
    expect([...read]).toEqual([...all.subarray(128, 192), ...all.subarray(64, 128)]);
  });

  it('names a row that is not there', async () => {
    const info: TensorInfo = { name: 'table', shape: [2, 2], kind: 'f32' };
    await expect(new TableRows(info, pieces(new Uint8Array(16), 8).all).read([2])).rejects.toThrow(
      'table has no row 2',
    );
  });
});
