/** Scores answers by functions of the recipe, wherever they run, and says which row one failed on. */
import { UserError, messageOf } from '../../lib/errors.ts';
import { nameOf, type Reward, type ScoringFunction } from '../recipe/scoringRecipe.ts';
import type { ScoredAnswer } from './scoreAnswer.ts';

export type { Reward, ScoredAnswer, ScoringFunction };

export interface AnswerScorer {
  /** @throws Error with a sentence that follows the function's name */
  score(made: ScoringFunction, answer: ScoredAnswer): Promise<number | null>;
}

/** Where a row stands. */
export interface RowPlace {
  file: string;
  line: number;
}

/**
 * @param kind "reward" or "metric"
 * @returns null where the function has no score for this answer, or failed and is to be skipped
 * @throws UserError where it failed and the recipe says "stop"
 */
export async function scoreByFunction(
  scorer: AnswerScorer,
  kind: 'reward' | 'metric',
  made: ScoringFunction,
  answer: ScoredAnswer,
  { file, line }: RowPlace,
): Promise<{ value: number | null; fault: string | null }> {
  try {
    return { value: await scorer.score(made, answer), fault: null };
  } catch (error) {
    const fault = `The ${kind} ${nameOf(made)} on line ${line} of ${file} ${messageOf(error)}.`;
    if (made.on_error === 'skip') return { value: null, fault };
    throw new UserError(
      `${fault} The answer was ${JSON.stringify(answer.answer.slice(0, 200))}. Mend the function, or set its "on_error" to "skip".`,
      { cause: error },
    );
  }
}
