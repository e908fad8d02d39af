/** Samples groups of answers to prompts and rewards them: what a step of grpo learns from. */
import { endsWithStop } from '../../data/tokenizer/answerText.ts';
import type { Engine } from '../../engine/engine.ts';
import { largest, smallest } from '../../lib/extremes.ts';
import { mean } from '../../lib/mean.ts';
import { scoreByFunction, type AnswerScorer, type Reward } from '../scoring/answerScorer.ts';
import { nameOf } from '../recipe/scoringRecipe.ts';
import { advantagesOf, deviationOf } from './advantages.ts';
import type { PromptRow } from './promptRow.ts';
import { scalingOf, type RewardRecipe } from './rewardSettings.ts';

/** An answer as a person looks at it. */
export interface RewardedAnswer {
  text: string;
  /** The end token included. */
  tokens: number;
  /** Whether it ended with a stop token. */
  stopped: boolean;
  /** By the names of the recipe's rewards; null: no score. */
  rewards: Record<string, number | null>;
  /** Their weighted sum; null where none has a score. */
  reward: number | null;
  advantage: number;
}

/** The answers that were sampled to one prompt. */
export interface AnswerGroup {
  line: number;
  prompt: string;
  reference: string | null;
  answers: RewardedAnswer[];
}

/** The answers of one or several steps. Structured-cloneable: a checkpoint holds it. */
export interface SampledBatch {
  /** 0-based number of the sampling. */
  number: number;
  /** Row of each answer. */
  rows: number[];
  /** Ids of each answer. */
  ids: number[][];
  advantages: number[];
  /** Log-probabilities of its tokens when it was sampled; null until they are known. */
  old: number[][] | null;
  /** Of metrics.jsonl. */
  figures: Record<string, number>;
}

export interface SamplingContext {
  engine: Engine;
  recipe: RewardRecipe & { training: { seed: number } };
  rows: readonly PromptRow[];
  /** Ids of a row's prompt. */
  promptOf(row: number): number[];
  stopTokenIds: number[];
  decode(ids: number[]): string;
  scorer: AnswerScorer;
  /** A function failed on an answer, and the recipe says to go on. */
  onFault(message: string): void;
}

/**
 * @param prompts rows whose prompts are answered, `num_generations` times each
 * @throws UserError where a reward fails and the recipe says to stop
 */
export async function sampleAnswers(
  number: number,
  prompts: Iterable<number>,
  context: SamplingContext,
): Promise<{ batch: SampledBatch; groups: AnswerGroup[] }> {
  const { engine, recipe, promptOf, stopTokenIds } = context;
  const { num_generations, max_completion_length, temperature, top_p, seed } = recipe.training;
  const rows = [...prompts].flatMap((row) => new Array<number>(num_generations).fill(row));
  const ids = await engine.generate(
    rows.map((row) => promptOf(row)),
    {
      maxNewTokens: max_completion_length,
      stopTokenIds,
      doSample: true,
      temperature,
      topP: top_p,
      seed,
      // No two answers of a run draw the same numbers.
      streams: rows.map((_, i) => number * rows.length + i),
    },
  );
  const answers: Omit<RewardedAnswer, 'advantage'>[] = [];
  for (const [i, row] of rows.entries()) answers.push(await rewarded(ids[i], context.rows[row], context));
  const advantages = advantagesOf(
    answers.map(({ reward }) => reward),
    num_generations,
    scalingOf(recipe.training.scale_rewards),
  );
  const groups = [...prompts].map((row, g) => {
    const { line, prompt, reference } = context.rows[row];
    const own = answers.slice(g * num_generations, (g + 1) * num_generations);
    const whole = own.map((answer, i) => ({ ...answer, advantage: advantages[g * num_generations + i] }));
    return { line, prompt, reference, answers: whole };
  });
  const figures = figuresOf(groups, recipe.rewards);
  return { batch: { number, rows, ids, advantages, old: null, figures }, groups };
}

async function rewarded(
  ids: number[],
  row: PromptRow,
  { recipe, stopTokenIds, decode, scorer, onFault }: SamplingContext,
): Promise<Omit<RewardedAnswer, 'advantage'>> {
  const text = decode(ids);
  const { reference, record } = row;
  const rewards: RewardedAnswer['rewards'] = {};
  let reward: number | null = null;
  for (const made of recipe.rewards) {
    const scored = { answer: text, reference, row: record, tokens: ids.length };
    const { value, fault } = await scoreByFunction(scorer, 'reward', made, scored, row);
    if (fault) onFault(fault);
    rewards[nameOf(made)] = value;
    if (value !== null) reward = (reward ?? 0) + made.weight * value;
  }
  return { text, tokens: ids.length, stopped: endsWithStop(ids, stopTokenIds), rewards, reward };
}

/** Under TRL's names. */
function figuresOf(groups: readonly AnswerGroup[], functions: readonly Reward[]): Record<string, number> {
  const answers = groups.flatMap((group) => group.answers);
  const scores = (of: (answer: RewardedAnswer) => number | null) =>
    answers.map(of).filter((value) => value !== null);
  const rewards = scores(({ reward }) => reward);
  const lengths = answers.map(({ tokens }) => tokens);
  const figures: Record<string, number> = { reward: mean(rewards), reward_std: deviationOf(rewards) };
  for (const name of functions.map(nameOf)) {
    const values = scores((answer) => answer.rewards[name]);
    figures[`rewards/${name}/mean`] = mean(values);
    figures[`rewards/${name}/std`] = deviationOf(values);
  }
  const isEven = ({ answers: own }: AnswerGroup) =>
    deviationOf(own.map(({ reward }) => reward).filter((reward) => reward !== null)) < 1e-8;
  figures.frac_reward_zero_std = groups.filter(isEven).length / groups.length;
  figures['completions/mean_length'] = mean(lengths);
  figures['completions/min_length'] = smallest(lengths);
  figures['completions/max_length'] = largest(lengths);
  figures['completions/clipped_ratio'] = mean(answers.map(({ stopped }) => Number(!stopped)));
  // A reward that had no score at all has no figures.
  return Object.fromEntries(Object.entries(figures).filter(([, value]) => Number.isFinite(value)));
}
