/**
 * What the trainer reports while it runs: rates and the time left by a clock that the test moves, and the
 * steps at which lines and checkpoints are due.
 */
import { describe, expect, it } from 'vitest';
import { DocumentTable } from '../../src/data/documentTable.ts';
import type { AdapterTensors, Engine } from '../../src/engine/engine.ts';
import { parseRecipe, type RecipeInput } from '../../src/training/recipe.ts';
import type { TrainerEvent } from '../../src/training/runRecord.ts';
import { Trainer } from '../../src/training/trainer.ts';

/** Every step takes the next of these, over and over. */
const STEP_MS = [100, 250, 400];
const TOKENS_PER_ROW = 10;
const ROWS = 5;

const rows = Array.from({ length: ROWS }, (_, line) => {
  const inputIds = Array.from({ length: TOKENS_PER_ROW }, (_id, i) => i);
  return { inputIds, labels: inputIds, promptTokens: 1, truncatedTokens: 0, line };
});
const documents = DocumentTable.of('t', rows);

/** Runs `steps` steps of two rows: an epoch is steps of 20, 20 and 10 tokens. */
async function run(training: RecipeInput['training'], evalSteps = 100) {
  let clock = 5000;
  let made = 0;
  const adapter: AdapterTensors = new Map([['x', { shape: [1], data: Float32Array.of(0) }]]);
  const engine: Engine = {
    device: 'a clock',
    memory: { weights: 0, adapter: 0, optimizer: 0, activations: 0, batch: 0, kvCache: 0, total: 0 },
    tokensPerMicroBatch: 32,
    stepsAhead: 0,
    trainStep: async () => {
      clock += STEP_MS[made++ % STEP_MS.length];
      return { loss: 1, gradNorm: 1 };
    },
    score: () => Promise.reject(new Error('not here')),
    generate: () => Promise.reject(new Error('not here')),
    readAdapter: async () => adapter,
    loadAdapter: async () => undefined,
    readOptimizer: async () => ({ expAvg: adapter, expAvgSq: adapter, steps: made }),
    loadOptimizer: async () => undefined,
    dispose: () => undefined,
  };
  const events: TrainerEvent[] = [];
  const saved: number[] = [];
  const trainer = new Trainer({
    engine,
    recipe: parseRecipe({
      training: { per_device_train_batch_size: 2, ...training },
      evaluation: { eval_steps: evalSteps },
    }),
    documents,
    padTokenId: 0,
    evaluators: [],
    emit: (event) => {
      events.push(event);
      // What is done between steps takes time too, which is no step's.
      if (event.type === 'checkpoint') clock += 7000;
    },
    saveCheckpoint: async ({ step }) => void saved.push(step),
    now: () => clock,
  });
  const { lines, seconds } = await trainer.run();
  const progress = events.flatMap((event) => (event.type === 'progress' ? [event] : []));
  return { lines, progress, saved, seconds };
}

describe('progress of a run', () => {
  it('has tokens a second of each step by itself, to six digits', async () => {
    const { lines, progress } = await run({ max_steps: 6 });
    // Tokens ÷ seconds: 20/0.1, 20/0.25, 10/0.4, and once more.
    const rates = [200, 80, 25, 200, 80, 25];
    expect(lines.map(({ tokens_per_second }) => tokens_per_second)).toEqual(rates);
    expect(progress.map(({ tokensPerSecond }) => tokensPerSecond)).toEqual(rates);
    expect(lines.map((line) => line.num_input_tokens_seen)).toEqual([20, 40, 50, 70, 90, 100]);
  });

  it('has as time left the mean of the steps so far, times the steps that remain', async () => {
    const { progress } = await run({ max_steps: 6 });
    expect(progress.map(({ step, totalSteps }) => [step, totalSteps])).toEqual(
      [1, 2, 3, 4, 5, 6].map((step) => [step, 6]),
    );
    const expected = [0.1 * 5, (0.35 / 2) * 4, (0.75 / 3) * 3, (0.85 / 4) * 2, 1.1 / 5, 0];
    progress.forEach(({ secondsLeft }, i) =>
      expect(secondsLeft, `step ${i + 1}`).toBeCloseTo(expected[i], 9),
    );
  });

  it('leaves the time between steps out of rates, and has it in the run’s seconds', async () => {
    const { progress, saved, seconds } = await run({ max_steps: 3, save_steps: 1 });
    expect(progress.map(({ tokensPerSecond }) => tokensPerSecond)).toEqual([200, 80, 25]);
    expect(saved).toEqual([0, 1, 2]);
    expect(seconds).toBeCloseTo(0.75 + 3 * 7, 9);
  });

  it.each([
    [1, 7, [1, 2, 3, 4, 5, 6, 7]],
    [3, 7, [3, 6, 7]],
    [7, 7, [7]],
    [10, 4, [4]],
  ])(
    'has a line every logging_steps %i of %i, and one of the last',
    async (logging_steps, max_steps, steps) => {
      const { lines, progress } = await run({ max_steps, logging_steps });
      expect(lines.map(({ step }) => step)).toEqual(steps);
      expect(progress.length).toBe(max_steps);
    },
  );

  it.each([
    [2, 100, [0, 2, 4, 6]],
    [3, 2, [0, 3, 6]],
    // Without save_steps at every evaluation.
    [0, 2, [0, 2, 4, 6]],
    [0, 100, [0]],
  ])(
    'saves every save_steps %i, eval_steps being %i, but for the end',
    async (save_steps, evalSteps, steps) => {
      expect((await run({ max_steps: 7, save_steps }, evalSteps)).saved).toEqual(steps);
    },
  );
});
