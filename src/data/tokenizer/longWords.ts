/**
 * Byte-pair merges of a long word: the pair of the lowest rank first, the leftmost of equal ones, as
 * everywhere; kept in flat arrays, so that a word of a million characters takes seconds, not minutes and
 * gigabytes.
 */

/** Ranks of pairs, by the left part and then the right one. */
export type MergeRanks = ReadonlyMap<string, ReadonlyMap<string, number>>;

/** A pair that is listed twice has its last rank. */
export function mergeRanks(merges: readonly (readonly [string, string])[]): MergeRanks {
  const ranks = new Map<string, Map<string, number>>();
  merges.forEach(([left, right], rank) => {
    const ofLeft = ranks.get(left) ?? new Map<string, number>();
    ranks.set(left, ofLeft.set(right, rank));
  });
  return ranks;
}

/** @param suffix of the last character; '' for none @returns the pieces in order */
export function mergeLongWord(word: string, suffix: string, ranks: MergeRanks): string[] {
  const tokens: (string | null)[] = Array.from(word);
  const count = tokens.length;
  if (count === 0) return [];
  tokens[count - 1] += suffix;
  const next = Int32Array.from({ length: count }, (_, i) => (i + 1 < count ? i + 1 : -1));
  const previous = Int32Array.from({ length: count }, (_, i) => i - 1);
  const heap = new PairHeap();
  const offer = (at: number) => {
    const right = next[at]!;
    if (right < 0) return;
    const rank = ranks.get(tokens[at]!)?.get(tokens[right]!);
    if (rank !== undefined) heap.push(rank, at);
  };
  for (let at = 0; at < count; at++) offer(at);
  while (heap.size > 0) {
    const [rank, at] = heap.pop();
    const right = next[at]!;
    // The pair may have changed since: what stands there now has another rank, and is listed under it.
    if (tokens[at] === null || right < 0 || ranks.get(tokens[at]!)?.get(tokens[right]!) !== rank) continue;
    tokens[at]! += tokens[right]!;
    tokens[right] = null;
    next[at] = next[right]!;
    if (next[at]! >= 0) previous[next[at]!] = at;
    if (previous[at]! >= 0) offer(previous[at]!);
    offer(at);
  }
  return tokens.filter((token) => token !== null);
}

/** A binary heap of pairs by rank, then place. */
class PairHeap {
  /** rank · 2^27 + place: one number orders both, exactly, up to ranks of 2^26 and words of 2^27. */
  private readonly keys: number[] = [];

  get size(): number {
    return this.keys.length;
  }

  push(rank: number, at: number): void {
    const { keys } = this;
    const key = rank * 2 ** 27 + at;
    let i = keys.length;
    keys.push(key);
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (keys[parent]! <= key) break;
      keys[i] = keys[parent]!;
      i = parent;
    }
    keys[i] = key;
  }

  /** @returns rank and place */
  pop(): [number, number] {
    const { keys } = this;
    const top = keys[0]!;
    const last = keys.pop()!;
    if (keys.length > 0) {
      let i = 0;
      for (;;) {
        let child = 2 * i + 1;
        if (child >= keys.length) break;
        if (child + 1 < keys.length && keys[child + 1]! < keys[child]!) child++;
        if (keys[child]! >= last) break;
        keys[i] = keys[child]!;
        i = child;
      }
      keys[i] = last;
    }
    return [Math.floor(top / 2 ** 27), top % 2 ** 27];
  }
}
