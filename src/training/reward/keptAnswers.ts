/** Of which steps of grpo the sampled answers are kept: as of evaluations, so that storage does not grow. */
import { mean } from '../../lib/mean.ts';
import { superfluousStep } from '../kept/keptEvaluations.ts';
import type { AnswerGroup } from './sampledAnswers.ts';

/** Of so many steps, the last ones, the page shows the answers while a run goes on. */
export const MOST_SHOWN_STEPS = 100;

/** The answers that a step was made with, 1-based. Structured-cloneable. */
export interface SampledStep {
  step: number;
  groups: AnswerGroup[];
}

/**
 * The kept answers with those of another step. Answers of that step and of later ones are replaced, as a run
 * that goes on from a checkpoint samples them again.
 */
export function withSampled(kept: readonly SampledStep[], added: SampledStep): SampledStep[] {
  const all = [...kept.filter(({ step }) => step < added.step), added];
  const drop = superfluousStep(all.map((sampled) => ({ step: sampled.step, loss: -meanReward(sampled) })));
  return all.filter(({ step }) => step !== drop);
}

/** Of the answers that have one; 0 where none has. */
export function meanReward({ groups }: SampledStep): number {
  const rewards = groups.flatMap(({ answers }) => answers.map(({ reward }) => reward));
  const scored = rewards.filter((reward) => reward !== null);
  return scored.length === 0 ? 0 : mean(scored);
}
