/** Learning rates as transformers' get_scheduler defines them (transformers/optimization.py). */
import { scheduleArguments, type Schedule, type SchedulerType } from './scheduleArguments.ts';

export type { Schedule, SchedulerType };

/** Schedules whose warm-up is not a line from 0. */
const OWN_WARMUP: readonly SchedulerType[] = ['constant', 'warmup_stable_decay', 'cosine_warmup_with_min_lr'];

/** Learning rate of the 0-based optimiser step: the base rate times the schedule's factor. */
export function learningRate(step: number, schedule: Schedule): number {
  const { lr_scheduler_type, learning_rate, warmupSteps: warmup } = schedule;
  return step < warmup && !OWN_WARMUP.includes(lr_scheduler_type)
    ? (learning_rate * step) / Math.max(1, warmup)
    : learning_rate * factorAt(step, schedule);
}

function factorAt(step: number, schedule: Schedule): number {
  const { lr_scheduler_type, learning_rate, warmupSteps: warmup, totalSteps: total } = schedule;
  const { num_cycles, power, lr_end, timescale, min_lr_rate, warmup_lr_rate } = scheduleArguments(schedule);
  const rest = Math.max(1, total - warmup);
  const progress = (step - warmup) / rest;
  const cosine = (cycles: number, at: number) => 0.5 * (1 + Math.cos(Math.PI * cycles * 2 * at));
  const above = (least: number, factor: number) => Math.max(0, factor * (1 - least) + least);
  if (lr_scheduler_type === 'constant') return 1;
  if (lr_scheduler_type === 'warmup_stable_decay') return stableDecay(step, schedule);
  if (lr_scheduler_type === 'cosine_warmup_with_min_lr') {
    // This one begins at the end of its first step, not before it.
    if (step < warmup)
      return warmup_lr_rate === null
        ? (step + 1) / Math.max(1, warmup)
        : warmup_lr_rate + ((1 - warmup_lr_rate) * step) / Math.max(1, warmup - 1);
    return above(min_lr_rate, cosine(num_cycles, (step - warmup + 1) / rest));
  }
  switch (lr_scheduler_type) {
    case 'constant_with_warmup':
      return 1;
    case 'linear':
      return Math.max(0, 1 - progress);
    case 'cosine':
      return Math.max(0, cosine(num_cycles, progress));
    case 'cosine_with_restarts':
      return progress >= 1 ? 0 : Math.max(0, 0.5 * (1 + Math.cos(Math.PI * ((num_cycles * progress) % 1))));
    case 'cosine_with_min_lr':
      return above(min_lr_rate, cosine(num_cycles, progress));
    case 'polynomial': {
      const last = lr_end / learning_rate;
      return step > total ? last : (1 - last) * (1 - (step - warmup) / (total - warmup)) ** power + last;
    }
    case 'inverse_sqrt':
      return 1 / Math.sqrt((step + timescale - warmup) / timescale);
  }
}

/** Warm-up, a plateau, and a decay to the least rate. */
function stableDecay(step: number, schedule: Schedule): number {
  const { warmupSteps: warmup } = schedule;
  const { num_stable_steps, num_decay_steps, min_lr_ratio, num_cycles, warmup_type, decay_type } =
    scheduleArguments(schedule);
  const above = (factor: number) => Math.max(0, factor * (1 - min_lr_ratio) + min_lr_ratio);
  if (step < warmup) {
    const progress = step / Math.max(1, warmup);
    switch (warmup_type) {
      case 'linear':
        return above(progress);
      case 'cosine':
        return above(0.5 * (1 - Math.cos(Math.PI * progress)));
      case '1-sqrt':
        return above(1 - Math.sqrt(1 - progress));
    }
  }
  const decayed = step - warmup - num_stable_steps;
  if (decayed < 0) return 1;
  if (decayed >= num_decay_steps) return min_lr_ratio;
  const progress = decayed / Math.max(1, num_decay_steps);
  switch (decay_type) {
    case 'linear':
      return above(1 - progress);
    case 'cosine':
      return above(0.5 * (1 + Math.cos(Math.PI * num_cycles * 2 * progress)));
    case '1-sqrt':
      return above(1 - Math.sqrt(progress));
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

/**
 * warmup_steps where positive, of which a number below 1 is a share of all steps as in transformers 5; else
 * the ratio of all steps. Shares are rounded up.
 */
export function warmupSteps(total: number, warmup: { warmup_steps: number; warmup_ratio: number }): number {
  const { warmup_steps, warmup_ratio } = warmup;
  if (warmup_steps >= 1) return Math.floor(warmup_steps);
  return Math.ceil(total * (warmup_steps > 0 ? warmup_steps : warmup_ratio));
}
