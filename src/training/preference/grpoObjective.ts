/**
 * GRPO (arXiv:2402.03300) as TRL computes it: answers that were sampled in groups of one prompt, the
 * advantage of each within its group, a clipped ratio to the model that sampled it, and the divergence from
 * the base.
 */
import type { MicroBatch } from '../../data/types.ts';
import { mean } from '../../lib/mean.ts';
import { answerTokens, forTargets, type ScoredSequence } from './answerScores.ts';
import type { PreferenceObjective } from './preferenceObjective.ts';

/** Under TRL's names. */
export interface GrpoSettings {
  beta: number;
  epsilon: number;
  /** null: epsilon. */
  epsilon_high: number | null;
  /**
   * grpo: a mean over answers of means over their tokens · bnpo: a mean over the tokens of the batch · dapo:
   * as bnpo over the whole step · dr_grpo: over answers and max_completion_length.
   */
  loss_type: 'grpo' | 'bnpo' | 'dapo' | 'dr_grpo';
  max_completion_length: number;
  /**
   * Multiplies the divergence by the ratio, whose slope is then its own gradient without bias
   * (arXiv:2512.02556); TRL's default since 1.0.
   */
  use_bias_correction_kl: boolean;
}

export interface GrpoStep {
  settings: GrpoSettings;
  microBatches: readonly MicroBatch[];
  sequences: readonly ScoredSequence[];
  /** Of each answer. */
  advantages: readonly number[];
  /** Log-probabilities of each answer's tokens when it was sampled; null: as they are now. */
  old: readonly ArrayLike<number>[] | null;
  /** The same under the base; null where beta is 0. */
  reference: readonly ArrayLike<number>[] | null;
  /** Is given the log-probabilities of each answer's tokens ahead of the update. */
  onTokens?: (logps: number[][]) => void;
}

export function grpoObjective(step: GrpoStep): PreferenceObjective {
  const objective: PreferenceObjective = {
    figures: {},
    // Without an older model and a base, every ratio is 1: the slopes are the advantages alone.
    readsLosses: step.old !== null || step.reference !== null || step.onTokens !== undefined,
    evaluate(losses) {
      const { loss, slopes, figures } = grpoStepLoss(step, losses);
      objective.figures = figures;
      step.onTokens?.(answerTokens(step.microBatches, step.sequences, losses));
      const weights = step.microBatches.map(({ tokens }) => new Float32Array(tokens));
      const next = step.sequences.map(() => 0);
      step.microBatches.forEach((batch, b) =>
        forTargets(batch, step.sequences, (sequence, place, isAnswer) => {
          if (isAnswer) weights[b][place] = -slopes[sequence][next[sequence]++];
        }),
      );
      return { loss, weights };
    },
  };
  return objective;
}

/** The loss, its slopes by each answer's tokens' log-probabilities, and what is reported. */
export function grpoStepLoss(
  { settings, microBatches, sequences, advantages, old, reference }: GrpoStep,
  losses: readonly Float32Array[],
): { loss: number; slopes: number[][]; figures: Record<string, number> } {
  const { beta, epsilon, epsilon_high, use_bias_correction_kl } = settings;
  const tokens = answerTokens(microBatches, sequences, losses);
  const total = tokens.reduce((sum, { length }) => sum + length, 0);
  const kls: number[] = [];
  let clipped = 0;
  let loss = 0;
  const slopes = tokens.map((logps, i) => {
    const weight = tokenWeight(settings, logps.length, sequences.length, total);
    return logps.map((logp, t) => {
      const advantage = advantages[i];
      const ratio = old ? Math.exp(logp - old[i][t]) : 1;
      const bounded = Math.min(Math.max(ratio, 1 - epsilon), 1 + (epsilon_high ?? epsilon));
      const isClipped = bounded * advantage < ratio * advantage;
      if (isClipped) clipped++;
      let value = -(isClipped ? bounded : ratio) * advantage;
      let slope = isClipped ? 0 : -ratio * advantage;
      if (reference) {
        const toReference = reference[i][t] - logp;
        const kl = Math.exp(toReference) - toReference - 1;
        kls.push(kl);
        const byLogp = 1 - Math.exp(toReference);
        value += beta * (use_bias_correction_kl ? ratio * kl : kl);
        slope += beta * (use_bias_correction_kl ? ratio * (kl + byLogp) : byLogp);
      }
      loss += weight * value;
      return weight * slope;
    });
  });
  const figures: Record<string, number> = { clip_ratio: clipped / Math.max(1, total) };
  if (reference) figures.kl = mean(kls);
  return { loss, slopes, figures };
}

function tokenWeight(
  { loss_type, max_completion_length }: GrpoSettings,
  tokens: number,
  answers: number,
  total: number,
): number {
  switch (loss_type) {
    case 'grpo':
      return 1 / (answers * Math.max(1, tokens));
    case 'bnpo':
    case 'dapo':
      return 1 / Math.max(1, total);
    case 'dr_grpo':
      return 1 / (answers * max_completion_length);
  }
}
