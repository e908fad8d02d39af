/**
 * A tensor larger than one read is stored and read back in its own order, whatever order its pieces arrive
 * in.
 */
import 'fake-indexeddb/auto';
import { describe, expect, it } from 'vitest';
import { importModel } from '../../src/import/importModel.ts';
import { READ_BYTES } from '../../src/import/tensorPieces.ts';
import { Nf4Quantizer } from '../../src/quant/nf4.ts';
import { openDatabase } from '../../src/storage/openDatabase.ts';
import { openModel } from '../../src/storage/storedWeights.ts';
import { TINY_CONFIG, tinyModelFiles, tinyWeights } from '../helpers/tinyModel.ts';

/** The embedding and each matrix of the MLP take 9 MB in float32, three reads. */
const CONFIG = {
  ...TINY_CONFIG,
  vocab_size: 36_000,
  hidden_size: 64,
  intermediate_size: 36_000,
  num_hidden_layers: 1,
};

/**
 * The files, with every other piece of the weights read late: a reader that hands pieces on as they come has
 * them in another order.
 */
function filesReadLate() {
  const files = tinyModelFiles({}, CONFIG);
  const { blob } = files.find(({ path }) => path === 'model.safetensors')!;
  const slice = blob.slice.bind(blob);
  let reads = 0;
  blob.slice = (from, to) => {
    const piece = slice(from, to);
    const read = piece.arrayBuffer.bind(piece);
    const delay = reads++ % 2 === 0 ? 20 : 0;
    piece.arrayBuffer = async () => {
      await new Promise((resolve) => setTimeout(resolve, delay));
      return read();
    };
    return piece;
  };
  return files;
}

/** Each part's bytes, in the order in which the store hands them over. */
async function partsOf(
  stream: AsyncIterable<{ part: string; byteOffset: number; bytes: Uint8Array }>,
): Promise<{ bytes: Record<string, Uint8Array>; pieces: number }> {
  const found: Record<string, Uint8Array[]> = {};
  let pieces = 0;
  for await (const { part, byteOffset, bytes } of stream) {
    const before = (found[part] ??= []);
    expect(byteOffset).toBe(before.reduce((sum, { byteLength }) => sum + byteLength, 0));
    before.push(bytes);
    pieces++;
  }
  const bytes = Object.entries(found).map(([part, list]) => [part, Buffer.concat(list)] as const);
  return { bytes: Object.fromEntries(bytes), pieces };
}

/** Byte for byte; vitest's own comparison of megabytes takes seconds. */
function expectSame(actual: Uint8Array, expected: ArrayBufferView): void {
  const bytes = Buffer.from(expected.buffer, expected.byteOffset, expected.byteLength);
  expect(actual.byteLength).toBe(bytes.byteLength);
  expect(bytes.equals(actual)).toBe(true);
}

describe('a tensor of several pieces', () => {
  it('keeps their order through import, store and load: as it was, and in NF4', async () => {
    const database = await openDatabase('pieces');
    const manifest = await importModel({
      files: filesReadLate(),
      name: 'pieces',
      quantization: 'nf4',
      database,
      checkRoom: async () => undefined,
    });
    const { weights } = await openModel(database, manifest.id);
    const originals = tinyWeights(CONFIG);

    const embedding = originals.get('model.embed_tokens.weight')!.data as Float32Array;
    const plain = await partsOf(weights.stream('model.embed_tokens.weight'));
    expect(plain.pieces).toBeGreaterThanOrEqual(Math.ceil(embedding.byteLength / READ_BYTES));
    expect(plain.pieces).toBeGreaterThan(2);
    expectSame(plain.bytes.data, embedding);

    for (const name of ['up_proj', 'down_proj'].map((module) => `model.layers.0.mlp.${module}.weight`)) {
      const original = originals.get(name)!.data as Float32Array;
      // All of it at once: the order of pieces cannot matter here.
      const quantizer = new Nf4Quantizer(original.length);
      const packed = quantizer.push(original);
      const { scales } = quantizer.finish();
      const stored = await partsOf(weights.stream(name));
      expect(stored.pieces).toBeGreaterThan(4);
      expectSame(stored.bytes.packed, packed);
      expectSame(stored.bytes.absmax_q, scales.absmax_q);
      expectSame(stored.bytes.nested, Float32Array.of(scales.nested_offset, ...scales.nested_absmax));
    }
  });
});
