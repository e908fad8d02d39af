/**
 * A GGUF brought into the store: quantised again to NF4 with its tables in float16, or as its own blocks; its
 * tokenizer's files beside it.
 */
import 'fake-indexeddb/auto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ChatTokenizer } from '../../src/data/tokenizer/chatTokenizer.ts';
import { openCheckpoint } from '../../src/formats/checkpoint.ts';
import { importModel } from '../../src/import/importModel.ts';
import { weightValues } from '../../src/engine/tensorflow/weightValues.ts';
import { isGguf } from '../../src/formats/tensors.ts';
import { memoryWeightSource } from '../../src/import/weightSources.ts';
import { modelOf } from '../../src/model/families/registry.ts';
import { floatsOf } from '../../src/quant/floatFormats.ts';
import { openDatabase } from '../../src/storage/openDatabase.ts';
import { openModel } from '../../src/storage/storedWeights.ts';
import { sharedPath } from '../helpers/shared.ts';
import { tinyModelFiles } from '../helpers/tinyModel.ts';

const folder = sharedPath('gguf');

describe.skipIf(!folder).each(['llama_k', 'gemma3_q8_0'])('%s', (name) => {
  const files = () => [
    { path: 'model.gguf', blob: new Blob([readFileSync(`${folder}/${name}/model.gguf`)]) },
  ];

  it('is imported as NF4 and read back', async () => {
    const database = await openDatabase(`gguf import of ${name}`);
    const manifest = await importModel({
      files: files(),
      name,
      quantization: 'nf4',
      database,
      checkRoom: () => Promise.resolve(),
    });
    expect(manifest.complete).toBe(true);
    const stored = (await openModel(database, manifest.id)).weights;
    const source = await openCheckpoint(files());
    const { tensors } = modelOf(source.config);
    const plain = memoryWeightSource(source, tensors, 'none');
    for (const { name: tensor, quantise, shape } of tensors) {
      const { kind } = stored.tensors.get(tensor)!;
      expect(kind, tensor).toBe(quantise ? 'nf4' : shape.length === 2 ? 'f16' : 'f32');
    }
    const bytes = async (weights: typeof plain, tensor: string) => {
      const parts: Uint8Array[] = [];
      for await (const chunk of weights.stream(tensor)) parts.push(chunk.bytes);
      return new Uint8Array(Buffer.concat(parts));
    };
    // The table is rounded to float16: within 2^-11 of each value, and no worse than half the least step.
    const table = 'model.embed_tokens.weight';
    const exact = floatsOf('F32', await bytes(plain, table));
    const rounded = floatsOf('F16', await bytes(stored, table));
    expect(rounded.length).toBe(exact.length);
    const beyond = exact.findIndex(
      (value, i) => Math.abs(rounded[i] - value) > Math.max(Math.abs(value) * 2 ** -11, 2 ** -25),
    );
    expect(beyond).toBe(-1);
    expect(exact.some((value, i) => value !== rounded[i])).toBe(true);
  });

  it('is imported with its own blocks, and read back with the values of the file', async () => {
    const database = await openDatabase(`gguf blocks of ${name}`);
    const { id, complete, quantization, storedBytes } = await importModel({
      files: files(),
      name,
      quantization: 'gguf',
      database,
      checkRoom: () => Promise.resolve(),
    });
    expect([complete, quantization]).toEqual([true, 'gguf']);
    // No more than the file has, but for vectors and plain matrices.
    expect(storedBytes).toBeLessThanOrEqual(files()[0].blob.size);
    const stored = (await openModel(database, id)).weights;
    const source = await openCheckpoint(files());
    const { tensors } = modelOf(source.config);
    const plain = memoryWeightSource(source, tensors, 'none');
    let kept = 0;
    for (const { name: tensor } of tensors) {
      if (isGguf(stored.tensors.get(tensor)!.kind)) kept++;
      expect(await weightValues(stored, tensor), tensor).toEqual(await weightValues(plain, tensor));
    }
    expect(kept).toBeGreaterThan(10);
  });

  it('has a tokenizer and template that the page takes', async () => {
    const { texts, config } = await openCheckpoint(files());
    const tokenizer = new ChatTokenizer(texts);
    expect(tokenizer.largestTemplateId).toBeLessThan(config.vocab_size as number);
    expect(tokenizer.eosTokenId).toBe(config.eos_token_id);
  });
});

it('keeps blocks of a GGUF only', async () => {
  const source = await openCheckpoint(tinyModelFiles());
  expect(() => memoryWeightSource(source, modelOf(source.config).tensors, 'gguf')).toThrow(
    /quantization "gguf", which keeps the blocks of a GGUF file, but these are other files\. Drop a \.gguf/,
  );
});
