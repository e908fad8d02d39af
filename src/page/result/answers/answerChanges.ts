/** How the answers to the rows of a validation file changed from one evaluation to another. */
import type { EvaluationResult, GeneratedAnswer } from '../../../training/evaluation.ts';

export type Verdict = 'better' | 'worse' | 'same';

export interface AnswerChange {
  before: GeneratedAnswer;
  after: GeneratedAnswer;
  verdict: Verdict;
}

/** Less than this of ROUGE-L (of 100) is no change. */
const LEAST = 0.05;

/** The rows that both evaluations have. An answer is better if it comes nearer the reference. */
export function answerChanges(from: EvaluationResult, to: EvaluationResult): AnswerChange[] {
  const before = new Map(from.answers.map((answer) => [answer.line, answer]));
  return to.answers.flatMap((after) => {
    const earlier = before.get(after.line);
    return earlier ? [{ before: earlier, after, verdict: verdictOf(earlier, after) }] : [];
  });
}

function verdictOf(before: GeneratedAnswer, after: GeneratedAnswer): Verdict {
  if (before.exactMatch !== after.exactMatch) return after.exactMatch ? 'better' : 'worse';
  const gain = after.rougeL - before.rougeL;
  if (Math.abs(gain) < LEAST) return 'same';
  return gain > 0 ? 'better' : 'worse';
}
