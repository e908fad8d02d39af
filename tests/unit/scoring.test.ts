/** Rewards and metrics of the recipe: the built-in ones by value, and a person's own. */
import { describe, expect, it } from 'vitest';
import { parseRecipe, type RecipeInput } from '../../src/training/recipe.ts';
import type { ScoringFunction } from '../../src/training/scoring/answerScorer.ts';
import { CALL_LIMITS } from '../../src/training/scoring/callLimits.ts';
import { callOwnFunction } from '../../src/training/scoring/ownFunction.ts';
import { scoreAnswer, type ScoredAnswer } from '../../src/training/scoring/scoreAnswer.ts';

const text: ScoredAnswer = { answer: 'It is 12.', reference: '12', row: { level: 3 }, tokens: 5 };
const made = (given: Partial<ScoringFunction>): ScoringFunction => ({
  type: 'code',
  on_error: 'stop',
  ...given,
});
const score = (given: Partial<ScoringFunction>, answer: Partial<ScoredAnswer> = {}) =>
  scoreAnswer(made(given), { ...text, ...answer });
const own = (code: string, answer: Partial<ScoredAnswer> = {}) =>
  callOwnFunction(code, { ...text, ...answer });

describe('built-in functions', () => {
  it.each<[Partial<ScoringFunction>, string, string | null, number]>([
    [{ type: 'exact_match' }, ' 12 ', '12', 1],
    [{ type: 'exact_match' }, '12.', '12', 0],
    [{ type: 'number_equals' }, 'It is 1,234.50', 'so 1234.5', 1],
    [{ type: 'number_equals' }, '3 + 4 is 7', '#### 7', 1],
    [{ type: 'number_equals' }, 'It is \u22125', '-5', 1],
    [{ type: 'number_equals' }, 'no idea', '7', 0],
    [{ type: 'number_equals', tolerance: 0.1 }, '3.05', '3', 1],
    [{ type: 'regex', pattern: '^it IS \\d+', flags: 'i' }, 'It is 12.', null, 1],
    [{ type: 'regex', pattern: '^is' }, 'It is 12.', null, 0],
    [{ type: 'contains' }, 'It is 12.', '12', 1],
    [{ type: 'contains', text: 'IT', flags: 'i' }, 'It is 12.', null, 1],
    [{ type: 'contains', text: 'IT' }, 'It is 12.', null, 0],
    [{ type: 'length', max: 4 }, '12345678', null, 0.5],
    [{ type: 'length', min: 4, max: 6, unit: 'words' }, 'one two', null, 0.5],
    [{ type: 'length', min: 2, max: 10 }, 'a b', null, 1],
    [{ type: 'length', max: 4, unit: 'tokens' }, 'a', null, 4 / 5],
    [{ type: 'json_schema', schema: { type: 'object', required: ['a'] } }, '{"a": 1}', null, 1],
    [{ type: 'json_schema', schema: { type: 'object', required: ['a'] } }, '```json\n{"a": 1}\n```', null, 1],
    [{ type: 'json_schema', schema: { type: 'object', required: ['a'] } }, '{"b": 1}', null, 0],
    [{ type: 'json_schema', schema: true }, 'no JSON', null, 0],
  ])('%j of %j against %j is %d', async (given, answer, reference, expected) => {
    expect(await score(given, { answer, reference })).toBe(expected);
  });

  it('need a reference where they compare, and say so', async () => {
    await expect(score({ type: 'exact_match' }, { reference: null })).rejects.toThrow(/needs a reference/);
  });
});

describe("a person's function", () => {
  it('sees answer, reference and row, and gives a number, a boolean or null', async () => {
    expect(await own('(answer, reference, row) => Number(answer.includes(reference)) * row.level')).toBe(3);
    expect(await own('function twice(x) { return 2 * x; }\n(answer) => twice(answer.length)')).toBe(18);
    expect(await own('() => true')).toBe(1);
    expect(await own('(answer, reference) => reference', { reference: null })).toBe(null);
  });

  it('cannot reach what is around it, nor the next call', async () => {
    expect(
      await own('() => [].constructor.constructor("return typeof process + typeof require")().length'),
    ).toBe(18);
    expect(
      await own('() => { Object.prototype.level = 9; String.prototype.includes = () => true; return 1; }'),
    ).toBe(1);
    expect(
      await own('(answer) => Number(answer.includes("zz")) + Object.keys(Object.prototype).length'),
    ).toBe(0);
    expect(CALL_LIMITS.milliseconds).toBe(1000);
  });
});

describe("the recipe's rewards", () => {
  const recipe = (more: RecipeInput) => () => parseRecipe({ method: 'grpo', ...more });
  const one: RecipeInput['rewards'] = [{ type: 'exact_match' }];

  it('has the defaults of TRL under grpo', () => {
    const { training, rewards } = parseRecipe({ method: 'grpo', rewards: one });
    expect(training).toMatchObject({
      beta: 0,
      per_device_train_batch_size: 8,
      num_generations: 8,
      epsilon: 0.2,
    });
    expect(rewards[0]).toMatchObject({ weight: 1, on_error: 'stop' });
    expect(parseRecipe({}).training).toMatchObject({ beta: 0.1, per_device_train_batch_size: 4 });
  });

  it.each<[RecipeInput, RegExp]>([
    [{}, /"rewards" is empty/],
    [{ rewards: [{ type: 'regex' }] }, /of type regex and has no "pattern"/],
    [{ rewards: [{ type: 'regex', pattern: '(' }] }, /no regular expression/],
    [{ rewards: [{ type: 'contains', pattern: 'a' }] }, /does not read/],
    [{ rewards: [{ type: 'length' }] }, /neither "min" nor "max"/],
    [{ rewards: [{ type: 'exact_match' }, { type: 'exact_match' }] }, /name that is taken/],
    [{ rewards: one, training: { num_generations: 3 } }, /no multiple of num_generations 3/],
    [{ rewards: one, training: { temperature: 0.5 as 1 } }, /must be 1/],
    [{ rewards: one, max_length: 256 }, /no token is left for a prompt/],
    [{ rewards: one, training: { label_smoothing: 0.1 } }, /which the method grpo does not read/],
    [{ method: 'sft', rewards: one }, /which the method sft does not read/],
    [{ method: 'sft', training: { num_generations: 4 } }, /"training.num_generations" is 4/],
    [{ method: 'sft', metrics: [{ name: 'loss', code: '() => 1' }] }, /name that is taken/],
    [{ method: 'sft', metrics: [{ name: 'mine', code: '() => 1' }] }, /predict_with_generate/],
  ])('%j is refused', (more, message) => {
    expect(recipe(more)).toThrow(message);
  });
});
