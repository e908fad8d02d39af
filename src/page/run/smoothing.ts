import type { Numbers } from '../../training/metrics.ts';

/**
 * Exponential moving average, corrected for its start as Adam's moments are.
 * @param weight of the past, 0 to 1
 */
export function smoothed(values: Numbers, weight = 0.9): Float64Array {
  let mean = 0;
  return Float64Array.from(values, (value, i) => {
    mean = weight * mean + (1 - weight) * value;
    return mean / (1 - weight ** (i + 1));
  });
}
