/**
 * GGUF models of ../shared/gguf: dequantised weights, logits, losses, greedy ids and token ids within the
 * bounds of its README. GGUF_GOLDEN=FOLDER takes the folders there instead: make_gguf.py's output of other
 * cases.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { filesOf } from '../../scripts/lib/nodeFiles.ts';
import { dequantised, replayGguf } from '../../scripts/lib/replayGguf.ts';
import type { ReferenceDocument } from '../../scripts/lib/greedyAnswers.ts';
import { ChatTemplate } from '../../src/data/template/chatTemplate.ts';
import { makeTokenizer, specialTokensOf } from '../../src/data/tokenizer/modelFiles.ts';
import { openCheckpoint } from '../../src/formats/checkpoint.ts';
import { testGpu } from '../helpers/gpu.ts';
import { readIndependently } from '../helpers/independentReader.ts';
import { sharedPath } from '../helpers/shared.ts';

interface Golden {
  base_loss: number[];
  base_loss_all: number;
  base_greedy: { prompt: number[]; new_ids: number[] }[];
  hf_config: Record<string, unknown>;
  tokenizer: {
    texts: { text: string; ids: number[]; ids_with_special: number[] }[];
    disputed: { text: string; llama_cpp: number[]; transformers: number[] }[];
    chats: { messages: never[]; text: string; ids: number[]; llama_cpp?: number[] }[];
  };
}

const gpu = await testGpu();
const root = process.env.GGUF_GOLDEN ?? sharedPath('gguf');
const names = root ? readdirSync(root).filter((name) => existsSync(join(root, name, 'model.gguf'))) : [];
if (names.length === 0) it.skip('has no GGUF models: ../shared/gguf is not there', () => undefined);

describe.each(names)('%s', (name) => {
  const at = (file: string) => join(root!, name, file);
  const golden = JSON.parse(readFileSync(at('golden_gguf.json'), 'utf8')) as Golden;
  const open = async () =>
    openCheckpoint((await filesOf(join(root!, name))).filter(({ path }) => path === 'model.gguf'));

  it('gives the weights to the bit', async () => {
    const made = await dequantised(await open());
    const expected = Object.entries(readIndependently(readFileSync(at('golden.safetensors')))).filter(
      ([key]) => key.startsWith('dequant.'),
    );
    expect(expected.length).toBeGreaterThan(2);
    for (const [key, { shape, values }] of expected) {
      expect(made.get(key)?.shape, key).toEqual(shape);
      const mine = made.get(key)!.data as Float32Array;
      let differing = 0;
      for (let i = 0; i < values.length; i++) if (mine[i] !== values[i]) differing++;
      expect(differing, key).toBe(0);
    }
  });

  it('gives the ids and chats', async () => {
    const { texts } = await open();
    const special = specialTokensOf(texts);
    const tokenizer = makeTokenizer(texts, special);
    for (const { text, ids } of golden.tokenizer.texts) expect(tokenizer.encode(text), text).toEqual(ids);
    for (const { text, ...either } of golden.tokenizer.disputed)
      expect([either.llama_cpp, either.transformers], text).toContainEqual(tokenizer.encode(text));
    const { chat_template } = JSON.parse(texts['tokenizer_config.json']) as { chat_template: string };
    const template = new ChatTemplate(chat_template, Object.fromEntries(special.named));
    for (const { messages, text, ids, llama_cpp } of golden.tokenizer.chats) {
      const rendered = template.render(messages, { addGenerationPrompt: true, dateString: '26 Jul 2024' });
      expect(rendered).toBe(text);
      expect([ids, llama_cpp], text).toContainEqual(tokenizer.encode(rendered));
    }
  });

  it.skipIf(!gpu)('computes what PyTorch computes', { timeout: 600_000 }, async () => {
    const source = await open();
    const documents = JSON.parse(readFileSync(at('batch.json'), 'utf8')) as ReferenceDocument[];
    const made = await replayGguf(gpu!, source, documents);
    const arrays = readIndependently(readFileSync(at('golden.safetensors')));
    for (const i of documents.keys()) {
      const { values } = arrays[`logits.${i}`];
      const mine = made.arrays.get(`logits.${i}`)!.data as Float32Array;
      expect(mine.length).toBe(values.length);
      let [worst, largest] = [0, 0];
      for (let k = 0; k < values.length; k++) {
        worst = Math.max(worst, Math.abs(mine[k] - values[k]));
        largest = Math.max(largest, Math.abs(values[k]));
      }
      expect(worst / largest, `logits.${i}`).toBeLessThanOrEqual(2e-5);
      expect(Math.abs(made.scalars.base_loss[i] - golden.base_loss[i])).toBeLessThanOrEqual(1e-5);
    }
    expect(Math.abs(made.scalars.base_loss_all - golden.base_loss_all)).toBeLessThanOrEqual(1e-5);
    // The references took the prompts whose choices are all clear; some of them are of documents that are not
    // in the batch.
    const known = golden.base_greedy.filter(({ prompt }) =>
      made.scalars.base_greedy.some((each) => each.prompt.join() === prompt.join()),
    );
    expect(known.length).toBeGreaterThan(0);
    for (const { prompt, new_ids } of known)
      expect(made.scalars.base_greedy.find((each) => each.prompt.join() === prompt.join())!.new_ids).toEqual(
        new_ids,
      );
  });
});
