/** Adapters of earlier steps: a few, spread over the run, and an engine that may be shared by two. */
import { describe, expect, it } from 'vitest';
import { parseRecipe } from '../../src/training/recipe.ts';
import { canShareEngine, type HeldAdapter } from '../../src/worker/trainer/heldAdapter.ts';
import { withStep, type StepAdapter } from '../../src/worker/trainer/stepAdapters.ts';

const at = (step: number, floats = 4): StepAdapter => ({
  step,
  adapter: new Map([['a', { shape: [floats], data: new Float32Array(floats) }]]),
});
const after = (steps: number[], mostBytes?: number) =>
  steps
    .reduce<StepAdapter[]>((kept, step) => withStep(kept, at(step), mostBytes), [])
    .map(({ step }) => step);

describe('adapters of earlier steps', () => {
  it('are all kept while they are few, a step once', () => {
    expect(after([10, 20, 30, 20])).toEqual([10, 20, 30]);
  });

  it('stay spread over the run, with its first and its last step, where they are many', () => {
    const kept = after(Array.from({ length: 40 }, (_, i) => 10 * (i + 1)));
    expect(kept.length).toBe(6);
    expect([kept[0], kept.at(-1)]).toEqual([10, 400]);
    const gaps = kept.slice(1).map((step, i) => step - kept[i]);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(200);
  });

  it('take no more memory than is allowed', () => {
    expect(after([1, 2, 3, 4], 40)).toEqual([1, 4]);
    expect(after([1, 2], 8)).toEqual([]);
  });
});

describe('an engine', () => {
  const held = (change: Partial<HeldAdapter>): HeldAdapter => ({
    runId: 'a',
    step: null,
    modelId: 'm',
    recipe: parseRecipe({}),
    tokensPerMicroBatch: 64,
    headInQ8_0: false,
    adapter: new Map(),
    engine: null,
    ...change,
  });

  it('answers with another adapter of the same model, shape and arithmetic, and with no other', () => {
    expect(canShareEngine(held({}), held({ runId: 'b', step: 20 }))).toBe(true);
    expect(canShareEngine(held({}), held({ modelId: 'n' }))).toBe(false);
    expect(canShareEngine(held({}), held({ recipe: parseRecipe({ lora: { r: 4 } }) }))).toBe(false);
    expect(canShareEngine(held({}), held({ tokensPerMicroBatch: 128 }))).toBe(false);
    expect(canShareEngine(held({}), held({ headInQ8_0: true }))).toBe(false);
  });
});
