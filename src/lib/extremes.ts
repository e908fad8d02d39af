/**
 * The largest and smallest of many numbers. `Math.max(...values)` overflows the call stack from about 65,000
 * values on.
 */

/** @param least the result where there is none that is larger */
export function largest(values: Iterable<number> | ArrayLike<number>, least = -Infinity): number {
  let found = least;
  for (const value of iterable(values)) found = Math.max(found, value);
  return found;
}

/** @param most the result where there is none that is smaller */
export function smallest(values: Iterable<number> | ArrayLike<number>, most = Infinity): number {
  let found = most;
  for (const value of iterable(values)) found = Math.min(found, value);
  return found;
}

/**
 * The place of the value that no other is better than, the first of equals.
 * @param isBetter whether a value is better than the best so far
 * @returns -1 where there is none
 */
export function placeOfBest(
  values: ArrayLike<number>,
  isBetter: (value: number, best: number) => boolean,
): number {
  let [place, best, bestValue] = [0, -1, NaN];
  for (const value of iterable(values)) {
    if (best < 0 || isBetter(value, bestValue)) [best, bestValue] = [place, value];
    place++;
  }
  return best;
}

function iterable(values: Iterable<number> | ArrayLike<number>): Iterable<number> {
  return Symbol.iterator in values ? values : Array.from(values);
}
