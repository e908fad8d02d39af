/**
 * The objective of one optimiser step of preference tuning, over the pairs or labelled answers of its rows.
 */
import type { StepObjective } from '../../engine/engine.ts';
import type { MicroBatch } from '../../data/types.ts';
import { mean } from '../../lib/mean.ts';
import { answerScores, forTargets, tokenWeights, type ScoredSequence } from './answerScores.ts';
import { ktoLoss, referencePoint, type KtoSettings } from './ktoLoss.ts';
import { pairLoss, type PairMethod, type PairSettings } from './pairLosses.ts';

/** What is reported of a step or a validation file, under TRL's names. */
export type PreferenceFigures = Record<string, number>;

/** An objective, and the figures of its last evaluation. */
export interface PreferenceObjective extends StepObjective {
  figures: PreferenceFigures;
}

/** Sequences of pairs: 2k is the chosen answer of pair k, 2k + 1 the rejected one. */
export interface PairStep {
  method: PairMethod;
  settings: PairSettings;
  microBatches: readonly MicroBatch[];
  sequences: readonly ScoredSequence[];
  /** Log-probability of each sequence's answer under the reference; null where the method has none. */
  reference: readonly number[] | null;
  /** Pairs over whose means the loss is a mean: TRL's micro-batch of per_device_train_batch_size. */
  pairsPerMean: number;
}

export function pairObjective(step: PairStep): PreferenceObjective {
  const objective: PreferenceObjective = {
    figures: {},
    evaluate(losses) {
      const { loss, slopes, nllWeights, figures } = pairStepLoss(step, losses);
      objective.figures = figures;
      const weights = tokenWeights(step.microBatches, step.sequences, slopes);
      if (nllWeights)
        step.microBatches.forEach((batch, b) =>
          forTargets(batch, step.sequences, (sequence, place) => {
            weights[b][place] += nllWeights[sequence];
          }),
        );
      return { loss, weights };
    },
  };
  return objective;
}

/** The loss of pairs, its slopes by the answers' log-probabilities, and what is reported. */
export function pairStepLoss(
  { method, settings, microBatches, sequences, reference, pairsPerMean }: PairStep,
  losses: readonly Float32Array[],
): { loss: number; slopes: number[]; nllWeights: number[] | null; figures: PreferenceFigures } {
  const scores = answerScores(microBatches, sequences, losses);
  const pairs = sequences.length / 2;
  const made = Array.from({ length: pairs }, (_, k) =>
    pairLoss(
      method,
      {
        chosen: scores[2 * k],
        rejected: scores[2 * k + 1],
        reference: reference && { chosen: reference[2 * k], rejected: reference[2 * k + 1] },
      },
      settings,
    ),
  );
  const means = Math.ceil(pairs / pairsPerMean);
  const weightOf = (pair: number) => 1 / means / sizeOf(Math.floor(pair / pairsPerMean), pairsPerMean, pairs);
  const slopes = sequences.map((_, i) => {
    const pair = i >> 1;
    return weightOf(pair) * (i % 2 === 0 ? made[pair].byChosen : made[pair].byRejected);
  });
  let loss = made.reduce((sum, pair, k) => sum + weightOf(k) * pair.loss, 0);
  const figures: PreferenceFigures = {
    'rewards/chosen': mean(made.map(({ rewards }) => rewards.chosen)),
    'rewards/rejected': mean(made.map(({ rewards }) => rewards.rejected)),
    'rewards/accuracies': mean(made.map(({ rewards }) => Number(rewards.chosen > rewards.rejected))),
    'rewards/margins': mean(made.map(({ rewards }) => rewards.chosen - rewards.rejected)),
    'logps/chosen': mean(made.map((_, k) => scores[2 * k].sum)),
    'logps/rejected': mean(made.map((_, k) => scores[2 * k + 1].sum)),
  };
  if (method !== 'orpo') return { loss, slopes, nllWeights: null, figures };
  // ORPO also learns prompt and chosen answer: a mean over the tokens of the chosen sequences of each mean.
  const tokens = new Array<number>(means).fill(0);
  const groupOf = (sequence: number) => Math.floor((sequence >> 1) / pairsPerMean);
  for (let i = 0; i < sequences.length; i += 2) tokens[groupOf(i)] += sequences[i].inputIds.length - 1;
  const nllWeights = sequences.map((_, i) => (i % 2 === 0 ? 1 / means / tokens[groupOf(i)] : 0));
  let nll = 0;
  microBatches.forEach((batch, b) =>
    forTargets(batch, sequences, (sequence, place) => (nll += nllWeights[sequence] * losses[b][place])),
  );
  loss += nll;
  return { loss, slopes, nllWeights, figures: { ...figures, nll_loss: nll } };
}

/** Answers that are wanted or not, each by itself. */
export interface KtoStep {
  settings: KtoSettings;
  microBatches: readonly MicroBatch[];
  sequences: readonly ScoredSequence[];
  wanted: readonly boolean[];
  /** Log-probability of each sequence's answer under the reference. */
  reference: readonly number[];
  /**
   * The same prompts with other rows' answers, whose mean log-ratio is the reference point; null: it is 0.
   */
  mismatched: {
    microBatches: readonly MicroBatch[];
    sequences: readonly ScoredSequence[];
    reference: readonly number[];
  } | null;
  /** Rows over whose means the loss is a mean, each with a reference point of its own. */
  rowsPerMean: number;
}

export function ktoObjective(step: KtoStep): PreferenceObjective {
  const objective: PreferenceObjective = {
    figures: {},
    extra: step.mismatched?.microBatches,
    evaluate(losses) {
      const { loss, slopes, figures } = ktoStepLoss(step, losses);
      objective.figures = figures;
      return { loss, weights: tokenWeights(step.microBatches, step.sequences, slopes) };
    },
  };
  return objective;
}

/** @param losses of the micro-batches, then of the mismatched ones */
export function ktoStepLoss(
  { settings, microBatches, sequences, wanted, reference, mismatched, rowsPerMean }: KtoStep,
  losses: readonly Float32Array[],
): { loss: number; slopes: number[]; figures: PreferenceFigures } {
  const scores = answerScores(microBatches, sequences, losses);
  const others = mismatched
    ? answerScores(mismatched.microBatches, mismatched.sequences, losses.slice(microBatches.length))
    : [];
  const rows = sequences.length;
  const means = Math.ceil(rows / rowsPerMean);
  const points = Array.from({ length: means }, (_, g) =>
    mismatched
      ? referencePoint(
          others
            .slice(g * rowsPerMean, (g + 1) * rowsPerMean)
            .map(({ sum }, i) => sum - mismatched.reference[g * rowsPerMean + i]),
        )
      : 0,
  );
  const groupOf = (row: number) => Math.floor(row / rowsPerMean);
  const made = scores.map(({ sum }, row) =>
    ktoLoss(sum - reference[row], wanted[row], points[groupOf(row)], settings),
  );
  const weightOf = (row: number) => 1 / means / sizeOf(groupOf(row), rowsPerMean, rows);
  const over = (kind: boolean, of: (row: number) => number) =>
    mean(made.flatMap((_, row) => (wanted[row] === kind ? [of(row)] : [])));
  const figures: PreferenceFigures = { kl: mean(points) };
  for (const [name, kind] of [
    ['chosen', true],
    ['rejected', false],
  ] as const) {
    if (!wanted.includes(kind)) continue;
    figures[`rewards/${name}`] = over(kind, (row) => made[row].reward);
    figures[`logps/${name}`] = over(kind, (row) => scores[row].sum);
  }
  if (wanted.includes(true) && wanted.includes(false))
    figures['rewards/margins'] = figures['rewards/chosen'] - figures['rewards/rejected'];
  return {
    loss: made.reduce((sum, { loss }, row) => sum + weightOf(row) * loss, 0),
    slopes: made.map(({ slope }, row) => weightOf(row) * slope),
    figures,
  };
}

/** Elements of a group of `size`, of which the last may be smaller. */
function sizeOf(group: number, size: number, count: number): number {
  return Math.min(size, count - group * size);
}
