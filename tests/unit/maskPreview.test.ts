/** The previewed tensor is the trained one, and faults of the mask are seen. */
import { describe, expect, it } from 'vitest';
import { packedTokens } from '../../src/page/data/mask/packedTokens.ts';
import { buildDataset, type Dataset } from '../../src/data/documents.ts';
import { DocumentTable } from '../../src/data/documentTable.ts';
import { Packing } from '../../src/data/packing.ts';
import { parseRows } from '../../src/data/rows/parseRows.ts';
import { ChatTokenizer } from '../../src/data/tokenizer/chatTokenizer.ts';
import { BatchSampler, microBatchesOf } from '../../src/training/batches.ts';
import { parseRecipe } from '../../src/training/recipe.ts';
import { maskChecks, PackedPreviews } from '../../src/worker/dataset/packedPreview.ts';
import { TINY_TOKENIZER, TINY_TOKENIZER_CONFIG } from '../helpers/tinyModel.ts';

const tokenizer = (config = TINY_TOKENIZER_CONFIG) =>
  new ChatTokenizer({ 'tokenizer.json': TINY_TOKENIZER, 'tokenizer_config.json': config });

async function datasetOf(of: ChatTokenizer, rows: { query: string; response: string }[]): Promise<Dataset> {
  const parsed = await parseRows(new Blob([rows.map((row) => JSON.stringify(row)).join('\n')]), 't.jsonl');
  return buildDataset('t.jsonl', parsed, of, { systemPrompt: null, maxLength: 64, dateString: '' });
}

const ROWS = Array.from({ length: 7 }, (_, i) => ({ query: `q${i}`, response: `ans${i}` }));

describe('mask preview', () => {
  it('is the micro-batch of the step that sees the row first', async () => {
    const dataset = await datasetOf(tokenizer(), ROWS);
    const recipe = parseRecipe({ training: { per_device_train_batch_size: 3 } });
    const previews = new PackedPreviews(dataset.documents, tokenizer());
    const sampler = new BatchSampler(new Uint32Array(ROWS.length), recipe);
    for (const row of ROWS.keys()) {
      const made = previews.preview({ row, tokensPerMicroBatch: 32, recipe })!;
      expect(made.batch).toEqual(
        microBatchesOf(dataset.documents, sampler.rowsOf(made.step!), {
          tokens: 32,
          padTokenId: tokenizer().padTokenId,
        })[made.index],
      );
      const span = made.rows.find((candidate) => candidate.row === row)!;
      const tokens = packedTokens(made, span.start, span.start + span.length);
      expect(tokens.map(({ text }) => text).join('')).toBe(`<s><|user|>q${row}<|assistant|>ans${row}</s>`);
      expect(
        tokens
          .filter(({ learned }) => learned)
          .map(({ text }) => text)
          .join(''),
      ).toBe(`ans${row}</s>`);
      expect(tokens.map(({ position }) => position)).toEqual(tokens.map((_, i) => i));
      // What a place must predict is the token after it.
      tokens.forEach(({ target }, i) => target && expect(target.id).toBe(tokens[i + 1].id));
      expect(tokens.filter(({ target }) => target).length).toBe(5);
      const tail = packedTokens(made, 0, 32).filter(({ padding }) => padding);
      for (const token of tail)
        expect(token).toMatchObject({
          text: '<pad>',
          special: true,
          learned: false,
          target: null,
          position: 0,
        });
    }
    expect(previews.preview({ row: 0, tokensPerMicroBatch: 32, recipe })!.steps).toBe(9);
    // Rows whose turn comes after the run's end are known by it.
    const short = parseRecipe({ training: { per_device_train_batch_size: 3, max_steps: 1 } });
    const turns = [...ROWS.keys()].map((row) =>
      previews.preview({ row, tokensPerMicroBatch: 32, recipe: short })!,
    );
    expect(turns.filter(({ step, steps }) => step! < steps!).map(({ rows }) => rows.length)).toEqual([
      3, 3, 3,
    ]);
    expect(previews.preview({ row: 7, tokensPerMicroBatch: 32, recipe })).toBeNull();
  });

  it('of a validation file is one of the batches of its evaluation', async () => {
    const dataset = await datasetOf(tokenizer(), ROWS);
    const previews = new PackedPreviews(dataset.documents, tokenizer());
    for (const tokensPerMicroBatch of [16, 32]) {
      const packing = new Packing(dataset.documents, {
        tokens: tokensPerMicroBatch,
        padTokenId: tokenizer().padTokenId,
      });
      for (const row of ROWS.keys()) {
        const { batch, index, rows } = previews.preview({ row, tokensPerMicroBatch, recipe: null })!;
        expect(batch).toEqual([...packing][index]);
        expect(rows.map((found) => found.row)).toContain(row);
      }
    }
    const made = previews.preview({ row: 6, tokensPerMicroBatch: 32, recipe: null })!;
    expect(made).toMatchObject({ step: null, index: 2, of: 3 });
    expect(made.rows.map(({ file, line }) => `${file} ${line}`)).toContain('t.jsonl 7');
  });

  it('sees that no answer ends, also where only the template is at fault', async () => {
    const good = await datasetOf(tokenizer(), ROWS);
    expect(maskChecks(good, tokenizer())).toEqual({ withoutEnd: 0, firstWithoutEnd: null, padIsEnd: false });
    const endless = tokenizer(TINY_TOKENIZER_CONFIG.replace('{{ eos_token }}', ''));
    expect(maskChecks(await datasetOf(endless, ROWS), endless)).toEqual({
      withoutEnd: 7,
      firstWithoutEnd: 1,
      padIsEnd: false,
    });
    const truncated = {
      ...good,
      documents: DocumentTable.of(
        't.jsonl',
        Array.from(good.documents, (document) => ({
          ...document,
          labels: document.labels.map(() => -100),
          truncatedTokens: 1,
        })),
      ),
    };
    expect(maskChecks(truncated, tokenizer()).withoutEnd).toBe(0);
  });
});
