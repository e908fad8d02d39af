/** The steps of a run as an engine gets them. */
import { expect, it } from 'vitest';
import { DocumentTable } from '../../src/data/documentTable.ts';
import type { Engine, StepInput } from '../../src/engine/engine.ts';
import { parseRecipe } from '../../src/training/recipe.ts';
import { TrainingSteps } from '../../src/training/trainingSteps.ts';

it('reach the engine in their order, though an objective of kto waits for scores', async () => {
  const documents = DocumentTable.of(
    'rows.jsonl',
    Array.from({ length: 8 }, (_, i) => ({
      inputIds: [1, 2 + i, 3, 4],
      labels: [-100, -100, 3, 4],
      promptTokens: 2,
      truncatedTokens: 0,
      line: i + 1,
    })),
  );
  const order: number[] = [];
  let scores = 0;
  const engine = {
    tokensPerMicroBatch: 32,
    // The first answers come last.
    score: async () => {
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, 30 - 10 * scores++)));
      return { loss: new Float32Array(32).fill(1), correct: new Float32Array(32) };
    },
    trainStep: async ({ step, microBatches, objective }: StepInput) => {
      order.push(step);
      const batches = [...microBatches, ...objective!.extra!];
      return { ...objective!.evaluate(batches.map(() => new Float32Array(32).fill(1))), gradNorm: 1 };
    },
  } as unknown as Engine;
  const recipe = parseRecipe({ method: 'kto', training: { per_device_train_batch_size: 4 } });
  const labels = Uint8Array.from({ length: 8 }, (_, i) => i % 2);
  const steps = new TrainingSteps({ engine, recipe, documents, labels, padTokenId: 0 });
  await steps.prepare(() => undefined);
  scores = 0;
  const made = await Promise.all([0, 1, 2, 3].map((step) => steps.train(step)));
  expect(order).toEqual([0, 1, 2, 3]);
  expect(made.every(({ figures }) => Math.abs(figures.loss - 0.5) < 1e-6)).toBe(true);
});
