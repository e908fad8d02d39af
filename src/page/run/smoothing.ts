/**
 * Exponential moving average, corrected for its start as Adam's moments are.
 * @param weight of the past, 0 to 1
 */
export function smoothed(values: readonly number[], weight = 0.9): number[] {
  let mean = 0;
  return values.map((value, i) => {
    mean = weight * mean + (1 - weight) * value;
    return mean / (1 - weight ** (i + 1));
  });
}
