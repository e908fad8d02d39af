/** Learning rates as transformers' get_scheduler defines them. */

export type SchedulerType = 'linear' | 'cosine' | 'constant' | 'constant_with_warmup';

export interface Schedule {
  lr_scheduler_type: SchedulerType;
  learning_rate: number;
  warmupSteps: number;
  totalSteps: number;
}

/**
 * Learning rate of the 0-based optimiser step: base · t/W for t < W, then base · (1 − p), base · ½(1 + cos
 * πp) or base, with p = (t − W) / (total − W). 'constant' has no warm-up.
 */
export function learningRate(
  step: number,
  { lr_scheduler_type, learning_rate, warmupSteps, totalSteps }: Schedule,
): number {
  if (lr_scheduler_type === 'constant') return learning_rate;
  if (step < warmupSteps) return (learning_rate * step) / Math.max(1, warmupSteps);
  const progress = (step - warmupSteps) / Math.max(1, totalSteps - warmupSteps);
  switch (lr_scheduler_type) {
    case 'constant_with_warmup':
      return learning_rate;
    case 'linear':
      return learning_rate * Math.max(0, 1 - progress);
    case 'cosine':
      return learning_rate * Math.max(0, 0.5 * (1 + Math.cos(Math.PI * progress)));
  }
}

/**
 * Steps of a run: `max_steps` where positive, else every epoch's steps; the last step of an epoch may be
 * smaller.
 */
export function totalSteps(
  rows: number,
  examplesPerStep: number,
  numTrainEpochs: number,
  maxSteps: number,
): number {
  return maxSteps > 0 ? maxSteps : Math.max(1, Math.ceil(numTrainEpochs * Math.ceil(rows / examplesPerStep)));
}

/** warmup_steps where positive, else the ratio of all steps, rounded up. */
export function warmupSteps(total: number, warmup: { warmup_steps: number; warmup_ratio: number }): number {
  return warmup.warmup_steps > 0 ? warmup.warmup_steps : Math.ceil(total * warmup.warmup_ratio);
}
