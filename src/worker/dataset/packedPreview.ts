/**
 * The packed micro-batch in which a row is trained or evaluated, with the text of its tokens, for the page to
 * draw.
 */
import type { Dataset } from '../../data/documents.ts';
import type { DocumentTable } from '../../data/documentTable.ts';
import { Packing, type BatchShape } from '../../data/packing.ts';
import type { ChatTokenizer } from '../../data/tokenizer/chatTokenizer.ts';
import { IGNORE_INDEX, type MicroBatch } from '../../data/types.ts';
import { rowMix } from '../../training/batching/rowMix.ts';
import { BatchSampler, microBatchesOf } from '../../training/batches.ts';
import { examplesPerStep, stepsOf, type Recipe } from '../../training/recipe.ts';
import type { MaskChecks, PackedPreview, PackedRequest } from './datasetProtocol.ts';

/**
 * Previews of one file's rows. What does not change from row to row (an epoch's order, the packing of the
 * whole file) is kept.
 */
export class PackedPreviews {
  private order: { key: string; sampler: BatchSampler; steps: number } | null = null;
  private packing: { tokens: number; packing: Packing } | null = null;

  constructor(
    private readonly documents: DocumentTable,
    private readonly tokenizer: ChatTokenizer,
  ) {}

  /** @returns null where the file has no such row */
  preview({ row, tokensPerMicroBatch, recipe }: PackedRequest): PackedPreview | null {
    if (row < 0 || row >= this.documents.length) return null;
    const shape = { tokens: tokensPerMicroBatch, padTokenId: this.tokenizer.padTokenId };
    return recipe ? this.ofStep(row, recipe, shape) : this.ofEvaluation(row, shape);
  }

  private ofStep(row: number, recipe: Recipe, shape: BatchShape): PackedPreview {
    const { sampler, steps } = this.orderOf(recipe);
    // A batch of grpo is learned from for num_iterations steps.
    const repeats = recipe.method === 'grpo' ? recipe.training.num_iterations : 1;
    const turn = sampler.firstStepOf(row);
    const rows = sampler.rowsOf(turn);
    const batches = microBatchesOf(this.documents, rows, shape);
    const place = rows.indexOf(row);
    const index = batches.findIndex(({ spans }) => spans.some((span) => span.index === place));
    return this.drawn(batches[index], (document) => rows[document], {
      step: turn * repeats,
      steps,
      index,
      of: batches.length,
    });
  }

  private ofEvaluation(row: number, shape: BatchShape): PackedPreview {
    if (this.packing?.tokens !== shape.tokens)
      this.packing = { tokens: shape.tokens, packing: new Packing(this.documents, shape) };
    const { packing } = this.packing;
    const index = packing.batchOf(row);
    return this.drawn(packing.at(index), (document) => document, {
      step: null,
      steps: null,
      index,
      of: packing.length,
    });
  }

  /** The order of a run's rows, and its optimiser steps; both count all rows. */
  private orderOf(recipe: Recipe): { sampler: BatchSampler; steps: number } {
    const { group_by_length, seed, packing, num_train_epochs, max_steps, num_iterations } = recipe.training;
    const key = JSON.stringify([
      ...[recipe.method, group_by_length, seed, examplesPerStep(recipe), packing, recipe.max_length],
      ...[recipe.mix_ratios, num_train_epochs, max_steps, num_iterations],
    ]);
    if (this.order?.key !== key) {
      const { lengths, files, length } = this.documents;
      const sampler = new BatchSampler(lengths, recipe, rowMix(files, length, recipe.mix_ratios));
      this.order = { key, sampler, steps: stepsOf(recipe, lengths) };
    }
    return this.order;
  }

  /** @param rowOf the row of the file that a span's index stands for */
  private drawn(
    batch: MicroBatch,
    rowOf: (document: number) => number,
    place: Pick<PackedPreview, 'step' | 'steps' | 'index' | 'of'>,
  ): PackedPreview {
    const { tokenizer, documents } = this;
    const ids = new Set([...batch.inputIds, ...batch.targets].filter((id) => id >= 0));
    return {
      ...place,
      batch,
      tokens: new Map(
        [...ids].map((id) => [id, { text: tokenizer.tokenText(id), special: tokenizer.isSpecial(id) }]),
      ),
      rows: batch.spans.map(({ index, start, length }) => ({
        row: rowOf(index),
        file: documents.fileOf(rowOf(index)),
        line: documents.lineOf(rowOf(index)),
        start,
        length,
      })),
    };
  }
}

/** Finds faults of the mask that the training loss would not reveal. */
export function maskChecks({ documents }: Dataset, tokenizer: ChatTokenizer): MaskChecks {
  let withoutEnd = 0;
  let firstWithoutEnd: number | null = null;
  for (let row = 0; row < documents.length; row++) {
    // A raw text has no prompt; it is a text to go on from and need not end.
    const isWholeAnswer = documents.promptTokensOf(row) > 0 && documents.truncatedTokensOf(row) === 0;
    if (!isWholeAnswer || endsItself(documents, row, tokenizer.stopTokenIds)) continue;
    withoutEnd++;
    firstWithoutEnd ??= documents.lineOf(row);
  }
  return { withoutEnd, firstWithoutEnd, padIsEnd: tokenizer.endTokenIds.includes(tokenizer.padTokenId) };
}

/** Whether a token that ends answers is supervised. */
function endsItself(documents: DocumentTable, row: number, stopTokenIds: readonly number[]): boolean {
  const { inputIds, labels } = documents.at(row);
  return inputIds.some((id, i) => labels[i] !== IGNORE_INDEX && stopTokenIds.includes(id));
}
