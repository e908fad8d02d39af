/**
 * KTO (arXiv:2402.01306) as TRL computes it: answers that are wanted or unwanted, each by itself. The
 * reference point is the mean log-ratio of answers to prompts that are not theirs, which is no part of the
 * gradient.
 */
import { sigmoid } from './pairLosses.ts';

/** Under TRL's names. */
export interface KtoSettings {
  beta: number;
  desirable_weight: number;
  undesirable_weight: number;
}

export interface KtoLoss {
  loss: number;
  /** Slope by the answer's log-probability. */
  slope: number;
  reward: number;
}

/** max(0, mean): TRL's reference point of a batch. @param logRatios of mismatched prompts and answers */
export function referencePoint(logRatios: readonly number[]): number {
  return Math.max(0, logRatios.reduce((a, b) => a + b, 0) / logRatios.length);
}

/** @param logRatio of the answer under the model over that under the reference, sums over its tokens */
export function ktoLoss(logRatio: number, wanted: boolean, point: number, settings: KtoSettings): KtoLoss {
  const { beta, desirable_weight, undesirable_weight } = settings;
  const sign = wanted ? 1 : -1;
  const weight = wanted ? desirable_weight : undesirable_weight;
  const value = sigmoid(sign * beta * (logRatio - point));
  return {
    loss: weight * (1 - value),
    slope: -weight * sign * beta * value * (1 - value),
    reward: beta * logRatio,
  };
}
