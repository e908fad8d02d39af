/**
 * The training loop on an engine that learns a quadratic in plain arithmetic: small enough to know every
 * number.
 */
import { describe, expect, it, vi } from 'vitest';
import {
  NonFiniteError,
  type AdapterTensors,
  type Engine,
  type OptimizerState,
  type StepInput,
} from '../../src/engine/engine.ts';
import { DocumentTable } from '../../src/data/documentTable.ts';
import { shuffled } from '../../src/lib/random.ts';
import { UserError } from '../../src/lib/errors.ts';
import type { Evaluator } from '../../src/training/evaluation.ts';
import { BatchSampler, microBatchesOf } from '../../src/training/batches.ts';
import { bestSteps, curve, metricsToJsonl } from '../../src/training/metrics.ts';
import { parseRecipe, type RecipeInput } from '../../src/training/recipe.ts';
import type { Checkpoint, TrainerEvent } from '../../src/training/runRecord.ts';
import { linesOf } from '../../src/training/kept/metricsLog.ts';
import { Trainer, type TrainerOptions } from '../../src/training/trainer.ts';

// Counts its calls.
vi.mock('../../src/lib/random.ts', async (original) => {
  const real = await original<{ shuffled: typeof shuffled }>();
  return { ...real, shuffled: vi.fn(real.shuffled) };
});

const FIVE = Array.from({ length: 5 }, (_, i) => ({
  inputIds: [i, i + 1, i + 2],
  labels: [-100, i + 1, i + 2],
  promptTokens: 1,
  truncatedTokens: 0,
  line: i + 1,
}));
const documents = DocumentTable.of('t', FIVE);

/** x moves towards the mean of a step's first ids, with a momentum that a resume must restore. */
class QuadraticEngine implements Engine {
  readonly device = 'arithmetic';
  readonly memory = { weights: 0, adapter: 0, optimizer: 0, activations: 0, batch: 0, kvCache: 0, total: 0 };
  readonly tokensPerMicroBatch = 8;
  readonly stepsAhead: number = 0;
  readonly steps: StepInput[] = [];
  x = 1;
  momentum = 0;

  async trainStep(input: StepInput) {
    this.steps.push(input);
    if (input.learningRate > 50) throw new NonFiniteError('loss', input.step);
    const firsts = input.microBatches.flatMap(({ spans, inputIds }) =>
      spans.map(({ start }) => inputIds[start]),
    );
    const target = firsts.reduce((a, b) => a + b, 0) / firsts.length;
    const gradient = this.x - target;
    this.momentum = 0.5 * this.momentum + gradient;
    const loss = gradient ** 2 / 2;
    this.x -= input.learningRate * this.momentum;
    return { loss, gradNorm: Math.abs(gradient) };
  }
  score = () => Promise.reject(new Error('not here'));
  generate = () => Promise.reject(new Error('not here'));
  readAdapter = async (): Promise<AdapterTensors> =>
    new Map([['x', { shape: [1], data: Float32Array.of(this.x) }]]);
  async loadAdapter(tensors: AdapterTensors) {
    this.x = tensors.get('x')!.data[0];
  }
  readOptimizer = async (): Promise<OptimizerState> => ({
    expAvg: new Map([['x', { shape: [1], data: Float32Array.of(this.momentum) }]]),
    expAvgSq: new Map(),
    steps: this.steps.length,
  });
  async loadOptimizer(state: OptimizerState) {
    this.momentum = state.expAvg.get('x')!.data[0];
  }
  dispose() {}
}

/** Takes two steps at once, as a GPU does: the second is asked for before the first is over. */
class AheadEngine extends QuadraticEngine {
  override readonly stepsAhead = 1;
  private last: Promise<unknown> = Promise.resolve();
  inFlight = 0;
  mostInFlight = 0;
  /** Whether anything but a step was asked for while one was on its way. */
  disturbed = false;
  private failure: Error | null = null;

  override trainStep(input: StepInput) {
    this.mostInFlight = Math.max(this.mostInFlight, ++this.inFlight);
    const made = this.last
      .then(() => new Promise((resolve) => setTimeout(resolve)))
      .then(() => {
        if (this.failure) throw this.failure;
        return super.trainStep(input);
      })
      .catch((error: unknown) => {
        this.failure = error as Error;
        throw error;
      })
      .finally(() => this.inFlight--);
    this.last = made.catch(() => undefined);
    return made;
  }
  override readAdapter = async (): Promise<AdapterTensors> => {
    this.disturbed ||= this.inFlight > 0;
    return new Map([['x', { shape: [1], data: Float32Array.of(this.x) }]]);
  };
}

/** Loss of a file: the distance to a place of its own. */
const evaluator = (engine: QuadraticEngine, name: string, at: number): Evaluator => ({
  name,
  evaluate: async () => ({
    metrics: {
      loss: (engine.x - at) ** 2,
      perplexity: Math.exp((engine.x - at) ** 2),
      token_accuracy: 1 / (1 + (engine.x - at) ** 2),
    },
    answers: [],
  }),
});

function setUp<E extends QuadraticEngine = QuadraticEngine>(
  recipe: RecipeInput,
  more: (engine: E) => Partial<TrainerOptions> = () => ({}),
  engine = new QuadraticEngine() as E,
) {
  const events: TrainerEvent[] = [];
  const checkpoints: Checkpoint[] = [];
  const trainer = new Trainer({
    engine,
    recipe: parseRecipe(recipe),
    documents,
    padTokenId: 0,
    evaluators: [],
    emit: (event) => events.push(event),
    saveCheckpoint: async (checkpoint) => void checkpoints.push(structuredClone(checkpoint)),
    now: () => 0,
    ...more(engine),
  });
  return { engine, events, checkpoints, trainer };
}

// Steps of a power of two, so that float32 checkpoints hold the state exactly.
const RECIPE: RecipeInput = {
  training: {
    num_train_epochs: 4,
    per_device_train_batch_size: 2,
    learning_rate: 0.25,
    lr_scheduler_type: 'constant',
    warmup_ratio: 0,
  },
  evaluation: { eval_steps: 4 },
};

describe('trainer', () => {
  it('sees every row once an epoch, in another order each, the last step of an epoch smaller', async () => {
    const { trainer, engine } = setUp(RECIPE);
    const result = await trainer.run();
    expect(result).toMatchObject({ reason: 'finished', steps: 12, totalSteps: 12, adapterStep: 12 });
    const sampler = new BatchSampler(new Uint32Array(5), parseRecipe(RECIPE));
    const orders = [0, 1, 2, 3].map((epoch) =>
      [0, 1, 2].flatMap((step) => [...sampler.rowsOf(3 * epoch + step)]),
    );
    for (const order of orders) expect([...order].sort()).toEqual([0, 1, 2, 3, 4]);
    expect(new Set(orders.map(String)).size).toBe(4);
    expect(
      engine.steps
        .slice(0, 3)
        .map(({ microBatches }) => microBatches.reduce((sum, { spans }) => sum + spans.length, 0)),
    ).toEqual([2, 2, 1]);
    expect(result.lines.map(({ step }) => step)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    expect(result.lines.at(-1)).toMatchObject({ epoch: 4, num_input_tokens_seen: 60, learning_rate: 0.25 });
  });

  it.each([
    ['one step at a time', () => new QuadraticEngine()],
    ['steps started ahead', () => new AheadEngine()],
  ])('orders the rows once an epoch, and looks at none but a step’s own: %s', async (_, made) => {
    const many = Array.from({ length: 4000 }, (_row, i) => ({
      ...FIVE[0],
      inputIds: [i, i + 1, i + 2],
      labels: [-100, i + 1, i + 2],
    }));
    const table = DocumentTable.of('t', many);
    const at = vi.spyOn(table, 'at');
    vi.mocked(shuffled).mockClear();
    const recipe: RecipeInput = {
      training: { ...RECIPE.training, per_device_train_batch_size: 100, num_train_epochs: 3 },
      evaluation: { eval_steps: 1000 },
    };
    const { trainer, engine } = setUp(recipe, () => ({ documents: table }), made());
    await trainer.run();
    expect(engine.steps.length).toBe(120);
    expect(vi.mocked(shuffled).mock.calls).toEqual([0, 1, 2].map((epoch) => [4000, 42, epoch]));
    expect(at.mock.calls.length).toBe(3 * 4000);
  });

  it('trains the micro-batches that can be asked for before', async () => {
    const { trainer, engine } = setUp(RECIPE);
    await trainer.run();
    const recipe = parseRecipe(RECIPE);
    const sampler = new BatchSampler(new Uint32Array(5), recipe);
    for (const step of [7, 0, 2])
      expect(microBatchesOf(documents, sampler.rowsOf(step), { tokens: 8, padTokenId: 0 })).toEqual(
        engine.steps[step].microBatches,
      );
    for (const row of FIVE.keys()) expect([...sampler.rowsOf(sampler.firstStepOf(row))]).toContain(row);
  });

  it('with a patience of 0 keeps the best adapter and trains to the end', async () => {
    const recipe: RecipeInput = {
      training: RECIPE.training,
      evaluation: { eval_steps: 1, metric_for_best_model: 'eval_a_loss', early_stopping_patience: 0 },
    };
    const { trainer } = setUp(recipe, (engine) => ({ evaluators: [evaluator(engine, 'a', 1)] }));
    expect(await trainer.run()).toMatchObject({ reason: 'finished', steps: 12, adapterStep: 0 });
  });

  it('resumed from a checkpoint goes on as if it had never stopped', async () => {
    const whole = setUp(RECIPE, (engine) => ({ evaluators: [evaluator(engine, 'a', 2)] }));
    const expected = await whole.trainer.run();
    expect(whole.checkpoints.map(({ step }) => step)).toEqual([0, 4, 8]);
    const rest = setUp(RECIPE, (engine) => ({
      evaluators: [evaluator(engine, 'a', 2)],
      resume: structuredClone(whole.checkpoints[1]),
    }));
    const result = await rest.trainer.run();
    const strip = (lines: typeof result.lines) =>
      lines.map((line): Record<string, number> => ({ ...line, tokens_per_second: 0 }));
    expect(rest.engine.steps.map(({ step }) => step)).toEqual([4, 5, 6, 7, 8, 9, 10, 11]);
    for (const [i, line] of strip(result.lines).entries()) {
      for (const [key, value] of Object.entries(strip(expected.lines)[i]))
        expect(line[key], key).toBeCloseTo(value, 5);
    }
    expect(result.adapter.get('x')!.data[0]).toBeCloseTo(expected.adapter.get('x')!.data[0], 5);
  });

  it('evaluates each file at the start, every eval_steps and at the end, under its own name', async () => {
    const { trainer } = setUp(RECIPE, (engine) => ({
      evaluators: [evaluator(engine, 'a', 2), evaluator(engine, 'b', 0)],
    }));
    const lines = (await trainer.run()).lines.filter((line) => line.eval_a_loss !== undefined);
    expect(lines.map(({ step }) => step)).toEqual([0, 4, 8, 12]);
    expect(lines[0]).toMatchObject({ eval_a_loss: 1, eval_b_loss: 1 });
  });

  it('lets a file that fails fail alone, once', async () => {
    const { trainer, events } = setUp(RECIPE, (engine) => ({
      evaluators: [
        evaluator(engine, 'a', 2),
        {
          name: 'b',
          evaluate: (step) =>
            step < 4
              ? evaluator(engine, 'b', 0).evaluate(step)
              : Promise.reject(new Error('its worker died')),
        },
      ],
    }));
    const { reason, lines } = await trainer.run();
    expect(reason).toBe('finished');
    expect(lines.filter((line) => line.eval_a_loss !== undefined).length).toBe(4);
    expect(lines.filter((line) => line.eval_b_loss !== undefined).map(({ step }) => step)).toEqual([0]);
    expect(events.filter(({ type }) => type === 'evaluationFailed')).toEqual([
      { type: 'evaluationFailed', step: 4, name: 'b', message: 'its worker died' },
    ]);
  });

  it('takes any name for a validation set', async () => {
    const names = ['__proto__', 'constructor', 'toString'];
    const { trainer } = setUp(
      {
        training: RECIPE.training,
        evaluation: { eval_steps: 4, metric_for_best_model: 'eval___proto___loss' },
      },
      (engine) => ({
        evaluators: [
          ...names.map((name, i) => evaluator(engine, name, i)),
          { name: 'hasOwnProperty', evaluate: () => Promise.reject(new Error('its worker died')) },
        ],
      }),
    );
    const { lines, adapterStep } = await trainer.run();
    for (const name of names) {
      const { steps, values } = curve(lines, `eval_${name}_loss`);
      expect(steps).toEqual([0, 4, 8, 12]);
      expect(values.every((value) => value >= 0)).toBe(true);
    }
    expect(
      bestSteps(lines, [...names, 'hasOwnProperty']).find(({ name }) => name === '__proto__')!.step,
    ).toBe(adapterStep);
    expect(curve(lines, 'eval_hasOwnProperty_loss').steps).toEqual([]);
    expect(metricsToJsonl(lines)).toContain('"eval___proto___loss"');
  });

  it('keeps the best adapter by a metric and stops early once it no longer improves', async () => {
    const recipe: RecipeInput = {
      training: { ...RECIPE.training, max_steps: 40 },
      evaluation: { eval_steps: 1, metric_for_best_model: 'eval_a_loss', early_stopping_patience: 3 },
    };
    const { trainer, engine } = setUp(recipe, (engine) => ({
      evaluators: [evaluator(engine, 'a', 1.2)],
    }));
    const { reason, adapterStep, adapter, lines } = await trainer.run();
    expect(reason).toBe('early stopping');
    const losses = lines.filter((line) => line.eval_a_loss !== undefined);
    const best = losses.reduce((a, b) => (b.eval_a_loss < a.eval_a_loss ? b : a));
    expect(adapterStep).toBe(best.step);
    expect((adapter.get('x')!.data[0] - 1.2) ** 2).toBeCloseTo(best.eval_a_loss, 5);
    expect(engine.x).toBe(adapter.get('x')!.data[0]);
    expect(losses.at(-1)!.step - best.step).toBe(3);
  });

  describe('where the file of metric_for_best_model cannot be evaluated any more', () => {
    const recipe: RecipeInput = {
      training: { ...RECIPE.training, save_steps: 1 },
      evaluation: { eval_steps: 2, metric_for_best_model: 'eval_a_loss', early_stopping_patience: 3 },
    };
    /** Fails from a step on. */
    const failing = (engine: QuadraticEngine, from: number): Evaluator => ({
      name: 'a',
      evaluate: (step) =>
        step < from
          ? evaluator(engine, 'a', 2).evaluate(step)
          : Promise.reject(new Error('its worker died again')),
    });

    it('ends with what to do, after the other files, and goes on from its checkpoint as if nothing had been', async () => {
      const whole = setUp(recipe, (engine) => ({ evaluators: [evaluator(engine, 'a', 2)] }));
      const expected = await whole.trainer.run();
      const { trainer, events, checkpoints } = setUp(recipe, (engine) => ({
        evaluators: [failing(engine, 4), evaluator(engine, 'b', 0)],
      }));
      const ended = await trainer.run().catch((error: unknown) => error);
      expect(ended).toBeInstanceOf(UserError);
      expect((ended as Error).message).toBe(
        'a could not be evaluated at step 4: its worker died again. Its eval_a_loss is the metric_for_best_model: without it the best adapter and an early end cannot be decided, so the training stops. The run is kept at step 3: drop the file again and press Resume, or start again with metric_for_best_model left empty.',
      );
      expect(events.filter(({ type }) => type === 'evaluationFailed').length).toBe(1);
      const lines = events.flatMap((event) => (event.type === 'metrics' ? [event.line] : []));
      expect(lines.filter((line) => line.eval_b_loss !== undefined).map(({ step }) => step)).toEqual([
        0, 2, 4,
      ]);
      expect(checkpoints.at(-1)!.step).toBe(3);
      const rest = setUp(recipe, (engine) => ({
        evaluators: [evaluator(engine, 'a', 2)],
        resume: structuredClone(checkpoints.at(-1)!),
      }));
      const { adapter, adapterStep, steps } = await rest.trainer.run();
      expect([adapter, adapterStep, steps]).toEqual([expected.adapter, expected.adapterStep, expected.steps]);
    });

    it('says so before the first step, and where the file has no such figure', async () => {
      const first = setUp(recipe, (engine) => ({ evaluators: [failing(engine, 0)] }));
      await expect(first.trainer.run()).rejects.toThrow(
        /at step 0: its worker died again.*Drop the file again and start again/,
      );
      expect(first.engine.steps.length).toBe(0);
      const evaluation = {
        ...recipe.evaluation,
        predict_with_generate: true,
        metric_for_best_model: 'eval_a_rougeL',
      };
      const unasked = setUp({ ...recipe, evaluation }, (engine) => ({
        evaluators: [evaluator(engine, 'a', 0)],
      }));
      await expect(unasked.trainer.run()).rejects.toThrow(
        /The evaluation of step 0 has no eval_a_rougeL.*no row of the file asks for an answer/,
      );
      const absent = setUp(recipe, (engine) => ({ evaluators: [evaluator(engine, 'b', 0)] }));
      await expect(absent.trainer.run()).rejects.toThrow(/which no validation file has/);
      await expect(setUp(recipe).trainer.run()).rejects.toThrow(/there is no validation file/);
    });

    it('is stopped all the same where the person stops it', async () => {
      const { trainer } = setUp(recipe, (engine) => ({
        evaluators: [failing(engine, 1)],
        emit: (event) => event.type === 'progress' && trainer.stop(),
      }));
      expect(await trainer.run()).toMatchObject({ reason: 'stopped', steps: 1, adapterStep: 0 });
    });
  });

  it.each([
    ['eval_a_token_accuracy', null, 0.9, 2],
    ['eval_a_rougeL', null, 90, 2],
    ['eval_a_exact_match', null, 0.9, 2],
    ['eval_a_stopped_share', null, 0.9, 2],
    ['eval_a_perplexity', null, 0.1, 4],
    ['eval_a_loss', null, 0.1, 4],
    ['eval_a_mean_generated_length', null, 0.1, 4],
    ['eval_a_mean_generated_length', true, 0.9, 2],
  ])(
    'keeps the best by %s (greater_is_better: %s)',
    async (metric_for_best_model, greater_is_better, best, step) => {
      // Every figure of the file rises to its highest at step 2, falls to its lowest at step 4, and stays
      // between.
      const figures = [0.5, 0.45, 0.9, 0.4, 0.1, 0.5, 0.5, 0.5, 0.5, 0.5];
      const scale = metric_for_best_model.includes('rouge') ? 100 : 1;
      const { trainer, checkpoints } = setUp(
        {
          training: { ...RECIPE.training, max_steps: 9 },
          evaluation: { eval_steps: 1, metric_for_best_model, greater_is_better, early_stopping_patience: 3 },
        },
        () => ({
          evaluators: [
            {
              name: 'a',
              evaluate: async (at) => {
                const value = figures[at] * scale;
                const metrics = {
                  loss: value,
                  perplexity: value,
                  token_accuracy: value,
                  rouge1: value,
                  rouge2: value,
                  rougeL: value,
                };
                return {
                  metrics: {
                    ...metrics,
                    exact_match: value,
                    mean_generated_length: value,
                    stopped_share: value,
                  },
                  answers: [],
                };
              },
            },
          ],
        }),
      );
      const { reason, adapterStep, steps, adapter } = await trainer.run();
      // Three evaluations after the best without a better one.
      expect([reason, adapterStep, steps]).toEqual(['early stopping', step, step + 3]);
      expect(checkpoints.at(-1)!.best).toMatchObject({
        metric: metric_for_best_model,
        value: best,
        step,
        stale: 3,
      });
      expect(checkpoints.at(-1)!.best!.adapter).toEqual(adapter);
      const atBest = checkpoints.find((checkpoint) => checkpoint.step === step)!;
      expect(adapter).toEqual(atBest.adapter);
    },
  );

  const evaluatedAt = (events: readonly TrainerEvent[]) =>
    events.flatMap((event) => (event.type === 'evaluating' ? [event.step] : []));

  it.each([
    ['steps', true, [0, 5, 10, 12], [0, 5, 10]],
    ['steps', false, [5, 10, 12], [0, 5, 10]],
    ['epoch', true, [0, 3, 6, 9, 12], [0, 3, 6, 9]],
    ['epoch', false, [3, 6, 9, 12], [0, 3, 6, 9]],
    ['no', true, [], [0, 5, 10]],
  ] as const)(
    'evaluates by eval_strategy %s, eval_on_start %s',
    async (eval_strategy, eval_on_start, evaluated, saved) => {
      const { trainer, events, checkpoints } = setUp(
        { ...RECIPE, evaluation: { eval_steps: 5, eval_strategy, eval_on_start } },
        (engine) => ({ evaluators: [evaluator(engine, 'a', 2)] }),
      );
      await trainer.run();
      expect(evaluatedAt(events)).toEqual(evaluated);
      expect(checkpoints.map(({ step }) => step)).toEqual(saved);
    },
  );

  it.each([
    ['epoch', 0, [0, 3, 6, 9]],
    ['steps', 2, [0, 2, 4, 6, 8, 10]],
    ['no', 2, [0]],
  ] as const)('saves by save_strategy %s and save_steps %s', async (save_strategy, save_steps, saved) => {
    const { trainer, checkpoints } = setUp({
      training: { ...RECIPE.training, save_strategy, save_steps },
      evaluation: { eval_steps: 5 },
    });
    await trainer.run();
    expect(checkpoints.map(({ step }) => step)).toEqual(saved);
  });

  /** Losses of a file, one an evaluation. */
  const scripted = (losses: readonly number[]) => (): Partial<TrainerOptions> => ({
    evaluators: [
      {
        name: 'a',
        evaluate: async (at) => ({
          metrics: { loss: losses[at], perplexity: 1, token_accuracy: 0 },
          answers: [],
        }),
      },
    ],
  });

  it('hands out the last adapter where load_best_model_at_end is false, and still stops early', async () => {
    const losses = [9, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 9];
    const run = (load_best_model_at_end: boolean) =>
      setUp(
        {
          training: RECIPE.training,
          evaluation: {
            eval_steps: 1,
            metric_for_best_model: 'eval_a_loss',
            early_stopping_patience: 3,
            load_best_model_at_end,
          },
        },
        scripted(losses),
      );
    const [best, last] = [run(true), run(false)];
    expect(await best.trainer.run()).toMatchObject({ reason: 'early stopping', steps: 4, adapterStep: 1 });
    const { adapter, ...end } = await last.trainer.run();
    expect(end).toMatchObject({ reason: 'early stopping', steps: 4, adapterStep: 4 });
    expect(adapter.get('x')!.data[0]).toBe(Math.fround(last.engine.x));
    expect(best.engine.x).not.toBe(last.engine.x);
  });

  it.each([
    [0, 12, 12],
    [0.15, 3, 3],
  ])(
    'an early_stopping_threshold of %s lets gains of 0.1 renew the patience or not',
    async (early_stopping_threshold, steps, adapterStep) => {
      const losses = Array.from({ length: 13 }, (_, i) => 5 - 0.1 * i);
      const { trainer } = setUp(
        {
          training: RECIPE.training,
          evaluation: {
            eval_steps: 1,
            metric_for_best_model: 'eval_a_loss',
            early_stopping_patience: 3,
            early_stopping_threshold,
          },
        },
        scripted(losses),
      );
      // As in transformers the best is the lowest, also where its gain was too small to count.
      expect(await trainer.run()).toMatchObject({ steps, adapterStep });
    },
  );

  it('refuses a metric_for_best_model that nothing would evaluate', () => {
    expect(() =>
      parseRecipe({ evaluation: { eval_strategy: 'no', metric_for_best_model: 'eval_a_loss' } }),
    ).toThrow(/"evaluation.eval_strategy" is "no": nothing would be evaluated/);
  });

  it('stops at a step border, evaluates and saves; a pause holds it', async () => {
    const { trainer, engine, checkpoints } = setUp(
      { ...RECIPE, training: { ...RECIPE.training, max_steps: 1000 } },
      (engine) => ({
        evaluators: [evaluator(engine, 'a', 2)],
        emit: (event) => event.type === 'progress' && event.step === 6 && trainer.stop(),
      }),
    );
    const { reason, steps, lines } = await trainer.run();
    expect([reason, steps, engine.steps.length]).toEqual(['stopped', 6, 6]);
    expect(lines.at(-1)).toMatchObject({ step: 6 });
    expect(lines.at(-1)!.eval_a_loss).toBeDefined();
    expect(checkpoints.at(-1)!.step).toBe(6);

    const paused = setUp(RECIPE);
    paused.trainer.pause();
    const running = paused.trainer.run();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(paused.engine.steps.length).toBe(0);
    paused.trainer.resume();
    expect((await running).reason).toBe('finished');
  });

  it('ends with the last good adapter where the loss is not a number, and says which', async () => {
    const { trainer, engine, checkpoints } = setUp({
      training: { ...RECIPE.training, learning_rate: 100, lr_scheduler_type: 'linear', warmup_steps: 8 },
    });
    const { reason, message, steps } = await trainer.run();
    expect(reason).toBe('diverged');
    expect(message).toMatch(/The loss became NaN or infinite at step 6/);
    expect(steps).toBe(5);
    expect(checkpoints.at(-1)!.adapter.get('x')!.data[0]).toBe(Math.fround(engine.x));
  });

  it('takes a checkpoint at the start, at a pause and at least once a minute; one that does not fit ends nothing', async () => {
    let minutes = 0;
    const { trainer, events, checkpoints } = setUp({ ...RECIPE, evaluation: { eval_steps: 100 } }, () => ({
      now: () => 30_000 * minutes++,
    }));
    await trainer.run();
    expect(checkpoints.map(({ step }) => step)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    expect(checkpoints.at(-1)!.seconds).toBeGreaterThan(60);
    expect(events.filter(({ type }) => type === 'checkpoint').length).toBe(12);

    const paused = setUp({ ...RECIPE, evaluation: { eval_steps: 100 } });
    paused.trainer.pause();
    const running = paused.trainer.run();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(paused.checkpoints.map(({ step }) => step)).toEqual([0]);
    paused.trainer.resume();
    await running;

    const full = setUp(RECIPE, () => ({
      saveCheckpoint: () => Promise.reject(new Error('the disk is full')),
    }));
    expect(await full.trainer.run()).toMatchObject({ reason: 'finished', steps: 12 });
    expect(full.events.filter(({ type }) => type === 'checkpointFailed')).toEqual(
      [0, 4, 8].map((step) => ({ type: 'checkpointFailed', step, message: 'the disk is full' })),
    );
  });

  it('starts from an adapter that it is given', async () => {
    const { trainer, checkpoints } = setUp(RECIPE, () => ({
      initial: new Map([['x', { shape: [1], data: Float32Array.of(7) }]]),
    }));
    await trainer.run();
    expect(checkpoints[0].adapter.get('x')!.data[0]).toBe(7);
  });

  it('does not blame a file for a lost device: the run as a whole ends with that', async () => {
    const lost = Object.assign(new Error('gone'), { name: 'DeviceLostError' });
    const { trainer, events } = setUp(RECIPE, () => ({
      evaluators: [{ name: 'a', evaluate: () => Promise.reject(lost) }],
    }));
    await expect(trainer.run()).rejects.toBe(lost);
    expect(events.filter(({ type }) => type === 'evaluationFailed')).toEqual([]);
  });

  it('hands the recipe to the engine', async () => {
    const { trainer, engine } = setUp({
      training: {
        ...RECIPE.training,
        weight_decay: 0.1,
        max_grad_norm: 0.5,
        loraplus_lr_ratio: 16,
        max_steps: 2,
      },
    });
    await trainer.run();
    expect(engine.steps[1]).toMatchObject({
      step: 1,
      learningRate: 0.25,
      weightDecay: 0.1,
      maxGradNorm: 0.5,
      loraPlusLrRatio: 16,
    });
  });

  it('asks for a step before the one ahead is over, and makes the same run of it', async () => {
    const both = (engine: QuadraticEngine) => ({ evaluators: [evaluator(engine, 'a', 2)] });
    const [alone, ahead] = [setUp(RECIPE, both), setUp(RECIPE, both, new AheadEngine())];
    const [expected, made] = [await alone.trainer.run(), await ahead.trainer.run()];
    expect(made).toEqual(expected);
    expect(ahead.events).toEqual(alone.events);
    expect(ahead.checkpoints).toEqual(alone.checkpoints);
    expect(ahead.engine.mostInFlight).toBe(2);
    expect(ahead.engine.disturbed).toBe(false);
  });

  it('lets what it asked for ahead end at a stop, a pause and a due checkpoint', async () => {
    const long: RecipeInput = {
      ...RECIPE,
      training: { ...RECIPE.training, max_steps: 1000 },
      evaluation: { eval_steps: 100 },
    };
    const stopped = setUp(
      long,
      () => ({ emit: (event) => event.type === 'progress' && event.step === 6 && stopped.trainer.stop() }),
      new AheadEngine(),
    );
    // The seventh was on its way.
    expect(await stopped.trainer.run()).toMatchObject({ reason: 'stopped', steps: 7 });
    expect([stopped.engine.steps.length, stopped.engine.disturbed, stopped.checkpoints.at(-1)!.step]).toEqual(
      [7, false, 7],
    );

    const paused = setUp(
      long,
      () => ({ emit: (event) => event.type === 'progress' && event.step === 6 && paused.trainer.pause() }),
      new AheadEngine(),
    );
    const running = paused.trainer.run();
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect([paused.engine.steps.length, paused.checkpoints.at(-1)!.step, paused.engine.disturbed]).toEqual([
      7,
      7,
      false,
    ]);
    paused.trainer.stop();
    await running;

    let clock = 0;
    const due = setUp(RECIPE, () => ({ now: () => 20_000 * clock++ }), new AheadEngine());
    await due.trainer.run();
    expect(due.checkpoints.length).toBeGreaterThan(3);
    for (const { step, lines } of due.checkpoints) expect(linesOf(lines).at(-1)?.step ?? 0).toBe(step);
    expect(due.engine.disturbed).toBe(false);
  });

  it('gives up what it asked for behind a step whose loss is not a number', async () => {
    const { trainer, engine } = setUp(
      { training: { ...RECIPE.training, learning_rate: 100, lr_scheduler_type: 'linear', warmup_steps: 8 } },
      undefined,
      new AheadEngine(),
    );
    expect(await trainer.run()).toMatchObject({
      reason: 'diverged',
      steps: 5,
      message: expect.stringMatching(/The loss became NaN or infinite at step 6/) as string,
    });
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect([engine.inFlight, engine.mostInFlight]).toEqual([0, 2]);
  });
});
