/**
 * The losses of pairs, DPO (arXiv:2305.18290) with label smoothing (arXiv:2310.12036's cDPO), IPO
 * (arXiv:2310.12036), SimPO (arXiv:2405.14734) and ORPO (arXiv:2403.07691), as TRL computes them, with their
 * slopes. A loss is a function of the log-probabilities of the two answers, so its gradient is these slopes
 * times the gradients of the answers' log-probabilities.
 */

export type PairMethod = 'dpo' | 'ipo' | 'simpo' | 'orpo';

/** Under TRL's names. */
export interface PairSettings {
  beta: number;
  label_smoothing: number;
  simpo_gamma: number;
}

/** Log-probability of an answer: the sum over its tokens, and their number. */
export interface AnswerScore {
  sum: number;
  tokens: number;
}

/** A pair under the model that is trained and under the reference; ORPO and SimPO have none. */
export interface PairScores {
  chosen: AnswerScore;
  rejected: AnswerScore;
  reference: { chosen: number; rejected: number } | null;
}

/** One pair's loss, its slopes by the two sums, and what is reported of it. */
export interface PairLoss {
  loss: number;
  byChosen: number;
  byRejected: number;
  /** TRL's rewards: beta times the log-ratio to the reference, or beta times the log-probability. */
  rewards: { chosen: number; rejected: number };
}

export function isReferenceFree(method: string): boolean {
  return method === 'simpo' || method === 'orpo';
}

/**
 * ORPO's loss here is its odds term alone: the likelihood of prompt and chosen answer is a mean over the
 * tokens of the whole batch (preferenceObjective.ts).
 */
export function pairLoss(method: PairMethod, pair: PairScores, settings: PairSettings): PairLoss {
  const { beta } = settings;
  const { chosen, rejected } = pair;
  const mean = { chosen: chosen.sum / chosen.tokens, rejected: rejected.sum / rejected.tokens };
  const reference = pair.reference ?? { chosen: 0, rejected: 0 };
  switch (method) {
    case 'dpo': {
      const rewards = {
        chosen: beta * (chosen.sum - reference.chosen),
        rejected: beta * (rejected.sum - reference.rejected),
      };
      const { loss, slope } = smoothedLogistic(rewards.chosen - rewards.rejected, settings.label_smoothing);
      return { loss, byChosen: beta * slope, byRejected: -beta * slope, rewards };
    }
    case 'ipo': {
      const ratio = {
        chosen: mean.chosen - reference.chosen / chosen.tokens,
        rejected: mean.rejected - reference.rejected / rejected.tokens,
      };
      const miss = ratio.chosen - ratio.rejected - 1 / (2 * beta);
      return {
        loss: miss ** 2,
        byChosen: (2 * miss) / chosen.tokens,
        byRejected: (-2 * miss) / rejected.tokens,
        rewards: { chosen: beta * ratio.chosen, rejected: beta * ratio.rejected },
      };
    }
    case 'simpo': {
      const rewards = { chosen: beta * mean.chosen, rejected: beta * mean.rejected };
      const margin = rewards.chosen - rewards.rejected - settings.simpo_gamma;
      const { loss, slope } = smoothedLogistic(margin, settings.label_smoothing);
      return {
        loss,
        byChosen: (beta * slope) / chosen.tokens,
        byRejected: (-beta * slope) / rejected.tokens,
        rewards,
      };
    }
    case 'orpo': {
      const odds = mean.chosen - mean.rejected - (log1mExp(mean.chosen) - log1mExp(mean.rejected));
      const { loss, slope } = smoothedLogistic(odds, 0);
      return {
        loss: beta * loss,
        // d odds / d mean = 1 / (1 - exp(mean)).
        byChosen: (beta * slope) / (-Math.expm1(mean.chosen) * chosen.tokens),
        byRejected: (-beta * slope) / (-Math.expm1(mean.rejected) * rejected.tokens),
        rewards: { chosen: beta * mean.chosen, rejected: beta * mean.rejected },
      };
    }
  }
}

/** -(1 - e) log σ(x) - e log σ(-x), and its slope. */
export function smoothedLogistic(x: number, e: number): { loss: number; slope: number } {
  return {
    loss: (1 - e) * softplus(-x) + e * softplus(x),
    slope: -(1 - e) * sigmoid(-x) + e * sigmoid(x),
  };
}

export function sigmoid(x: number): number {
  return x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x));
}

/** log(1 + exp(x)). */
function softplus(x: number): number {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}

/** log(1 - exp(x)) of x below 0. */
function log1mExp(x: number): number {
  return Math.log(-Math.expm1(x));
}
