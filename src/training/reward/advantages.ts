/** How much better an answer is than the others of its group, as TRL's GRPOTrainer computes it. */
import { mean } from '../../lib/mean.ts';
import type { RewardScaling } from './rewardSettings.ts';

/** Added to a deviation, as TRL has it. */
const DEVIATION_EPSILON = 1e-4;

/** With n - 1; 0 of a single value, NaN of none. */
export function deviationOf(values: readonly number[]): number {
  if (values.length < 2) return values.length === 1 ? 0 : NaN;
  const centre = mean(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (values.length - 1));
}

/**
 * Rewards less their group's mean, over the deviation that `scaling` names.
 * @param rewards group after group; null: no function had a score, which is left out of means and gets 0
 */
export function advantagesOf(
  rewards: readonly (number | null)[],
  groupSize: number,
  scaling: RewardScaling,
): number[] {
  const ofBatch = deviationOf(rewards.filter((reward) => reward !== null));
  const advantages: number[] = [];
  for (let first = 0; first < rewards.length; first += groupSize) {
    const group = rewards.slice(first, first + groupSize);
    const scored = group.filter((reward) => reward !== null);
    const centre = mean(scored);
    const deviation = scaling === 'batch' ? ofBatch : deviationOf(scored);
    for (const reward of group) {
      if (reward === null) advantages.push(0);
      else
        advantages.push(
          scaling === 'none' ? reward - centre : (reward - centre) / (deviation + DEVIATION_EPSILON),
        );
    }
  }
  return advantages;
}
