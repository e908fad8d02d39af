/**
 * Two-sided exact sign test: the chance that n fair coins fall at least as unevenly as a against b. 1 where
 * there is nothing to compare.
 */
export function signTest(a: number, b: number): number {
  const n = a + b;
  const least = Math.min(a, b);
  let term = 2 ** -n;
  let tail = 0;
  for (let k = 0; k <= least; k++) {
    tail += term;
    term *= (n - k) / (k + 1);
  }
  return Math.min(1, 2 * tail);
}
