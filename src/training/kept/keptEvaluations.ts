/**
 * Which evaluations of a validation set are kept with their answers. A run may evaluate thousands of times:
 * its
 * figures all stay in metrics.jsonl, but of the answers it keeps the first, the newest, the best by loss and
 * others spread evenly over the steps, so that neither memory nor storage grows with the run.
 */

/** Of one validation set. */
export const MOST_KEPT_EVALUATIONS = 32;

export interface EvaluationAt {
  step: number;
  loss: number;
}

/**
 * The evaluation to drop where there are more than `most`: the one whose neighbours are closest together, of
 * equals the earliest. Never the first, the last, or the one with the lowest loss.
 * @param evaluations by step, ascending
 * @returns its step; null where all are kept
 */
export function superfluousStep(
  evaluations: readonly EvaluationAt[],
  most = MOST_KEPT_EVALUATIONS,
): number | null {
  if (evaluations.length <= most) return null;
  const best = evaluations.reduce((a, b) => (b.loss < a.loss ? b : a));
  let found: number | null = null;
  let closest = Infinity;
  for (let i = 1; i < evaluations.length - 1; i++) {
    const gap = evaluations[i + 1].step - evaluations[i - 1].step;
    if (evaluations[i] === best || gap >= closest) continue;
    closest = gap;
    found = evaluations[i].step;
  }
  return found;
}
