/**
 * A GGUF brought into the store: quantised again to NF4, its tables in float16, its tokenizer's files beside
 * it.
 */
import 'fake-indexeddb/auto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ChatTokenizer } from '../../src/data/tokenizer/chatTokenizer.ts';
import { openCheckpoint } from '../../src/formats/checkpoint.ts';
import { importModel } from '../../src/import/importModel.ts';
import { memoryWeightSource } from '../../src/import/weightStream.ts';
import { modelOf } from '../../src/model/families/registry.ts';
import { floatsOf } from '../../src/quant/floatFormats.ts';
import { openDatabase } from '../../src/storage/database.ts';
import { openModel } from '../../src/storage/models.ts';
import { sharedPath } from '../helpers/shared.ts';

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

  it('has a tokenizer and template that the page takes', async () => {
    const { texts, config } = await openCheckpoint(files());
    const tokenizer = new ChatTokenizer(texts);
    expect(tokenizer.largestTemplateId).toBeLessThan(config.vocab_size as number);
    expect(tokenizer.eosTokenId).toBe(config.eos_token_id);
  });
});
