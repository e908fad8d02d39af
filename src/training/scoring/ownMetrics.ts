/** Metrics of the recipe's own over the generated answers of a validation file. */
import { mean } from '../../lib/mean.ts';
import { nameOf } from '../recipe/scoringRecipe.ts';
import { scoreByFunction, type AnswerScorer, type RowPlace, type ScoringFunction } from './answerScorer.ts';

/** The metrics, and what scores by them. */
export interface OwnMetrics {
  metrics: readonly ScoringFunction[];
  scorer: AnswerScorer;
}

/** An answer, and where its scores are noted. */
interface MeasuredAnswer {
  answer: string;
  reference: string;
  tokens: number;
  own?: Record<string, number | null>;
}

/**
 * Scores answers and notes each score with its answer.
 * @param questions of the answers
 * @returns the mean of each metric over the answers that have a score
 * @throws UserError where one fails and the recipe says to stop: the file cannot be evaluated then
 */
export async function ownMetrics(
  own: OwnMetrics | undefined,
  questions: readonly (RowPlace & { record: unknown })[],
  answers: readonly MeasuredAnswer[],
): Promise<Record<string, number>> {
  const means: Record<string, number> = {};
  for (const made of own?.metrics ?? []) {
    const name = nameOf(made);
    const values: number[] = [];
    for (const [i, answer] of answers.entries()) {
      const { reference, tokens } = answer;
      const scored = { answer: answer.answer, reference, tokens, row: questions[i].record };
      const { value } = await scoreByFunction(own!.scorer, 'metric', made, scored, questions[i]);
      answer.own = { ...answer.own, [name]: value };
      if (value !== null) values.push(value);
    }
    if (values.length > 0) means[name] = mean(values);
  }
  return means;
}
