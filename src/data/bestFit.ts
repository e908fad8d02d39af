/** Best-fit decreasing bin packing in n log n. */

/**
 * Which items lie in which bin: those of bin b are `items[starts[b]]` up to `items[starts[b + 1] - 1]`, in
 * the order of their placing.
 */
export interface Bins {
  count: number;
  starts: Uint32Array;
  items: Uint32Array;
}

/** Which of several bins with the same free space is filled: the oldest, or the longest unchanged one. */
export type Ties = 'oldest' | 'longest unchanged';

/**
 * Places the longest item first (the first of equal ones), each in the fullest bin that still holds it, or
 * in a new one.
 * @param lengths whole numbers from 0 to `capacity`
 */
export function bestFitDecreasing(lengths: ArrayLike<number>, capacity: number, ties: Ties = 'oldest'): Bins {
  const order = longestFirst(lengths, capacity);
  const binOf = new Uint32Array(lengths.length);
  const open = new OpenBins(capacity, ties);
  let count = 0;
  for (const item of order) {
    const length = lengths[item];
    const free = open.leastFree(length);
    const bin = free < 0 ? count++ : open.take(free);
    binOf[item] = bin;
    open.put((free < 0 ? capacity : free) - length, bin);
  }
  return grouped(order, binOf, count);
}

/** Indices by falling length, rising where lengths are equal (a counting sort). */
function longestFirst(lengths: ArrayLike<number>, longest: number): Uint32Array {
  const next = new Uint32Array(longest + 2);
  for (let i = 0; i < lengths.length; i++) next[longest - lengths[i] + 1]++;
  for (let l = 1; l < next.length; l++) next[l] += next[l - 1];
  const order = new Uint32Array(lengths.length);
  for (let i = 0; i < lengths.length; i++) order[next[longest - lengths[i]]++] = i;
  return order;
}

function grouped(order: Uint32Array, binOf: Uint32Array, count: number): Bins {
  const starts = new Uint32Array(count + 1);
  for (const bin of binOf) starts[bin + 1]++;
  for (let b = 0; b < count; b++) starts[b + 1] += starts[b];
  const next = starts.slice();
  const items = new Uint32Array(order.length);
  for (const item of order) items[next[binOf[item]]++] = item;
  return { count, starts, items };
}

/**
 * Bins by their free space: for each free space a heap of bin numbers, and a tree of bits that says which
 * heaps have any. Where ties go to the bin that was put first, a heap is a queue.
 */
class OpenBins {
  private readonly heaps: (number[] | undefined)[];
  /** Level 0 has a bit for each free space; each level above has a bit for each word of the one below. */
  private readonly levels: Uint32Array[] = [];

  constructor(
    capacity: number,
    private readonly ties: Ties,
  ) {
    this.heaps = new Array<number[] | undefined>(capacity + 1);
    let bits = capacity + 1;
    do {
      bits = Math.ceil(bits / 32);
      this.levels.push(new Uint32Array(bits));
    } while (bits > 1);
  }

  /** The least free space of at least `from` that a bin has; -1 where none has. */
  leastFree(from: number): number {
    let position = from;
    for (let level = 0; level < this.levels.length; level++) {
      const words = this.levels[level];
      const word = position >>> 5;
      if (word >= words.length) return -1;
      const rest = (words[word] & (-1 << (position & 31))) >>> 0;
      if (rest !== 0) return this.descend(level, 32 * word + lowestBit(rest));
      position = word + 1;
    }
    return -1;
  }

  put(free: number, bin: number): void {
    const heap = (this.heaps[free] ??= []);
    let at = heap.push(bin) - 1;
    const isHeap = this.ties === 'oldest';
    for (
      let parent = (at - 1) >> 1;
      isHeap && at > 0 && heap[parent] > bin;
      at = parent, parent = (at - 1) >> 1
    )
      heap[at] = heap[parent];
    heap[at] = bin;
    if (heap.length === 1)
      for (let level = 0, bit = free; level < this.levels.length; level++, bit >>>= 5)
        this.levels[level][bit >>> 5] |= 1 << (bit & 31);
  }

  /** Removes the oldest bin of a free space that has one, or the first that was put there. */
  take(free: number): number {
    const heap = this.heaps[free]!;
    if (this.ties === 'longest unchanged') {
      const first = heap.shift()!;
      if (heap.length === 0) this.clear(free);
      return first;
    }
    const oldest = heap[0];
    const last = heap.pop()!;
    if (heap.length === 0) this.clear(free);
    else sink(heap, last);
    return oldest;
  }

  private descend(level: number, position: number): number {
    let found = position;
    for (let below = level - 1; below >= 0; below--)
      found = 32 * found + lowestBit(this.levels[below][found]);
    return found;
  }

  private clear(free: number): void {
    for (let level = 0, bit = free; level < this.levels.length; level++, bit >>>= 5) {
      this.levels[level][bit >>> 5] &= ~(1 << (bit & 31));
      if (this.levels[level][bit >>> 5] !== 0) return;
    }
  }
}

/** Puts a value in place of a heap's root. */
function sink(heap: number[], value: number): void {
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    if (child + 1 < heap.length && heap[child + 1] < heap[child]) child++;
    if (child >= heap.length || heap[child] >= value) break;
    heap[at] = heap[child];
    at = child;
  }
  heap[at] = value;
}

/** Place of the lowest 1 of a word that is not 0. */
function lowestBit(word: number): number {
  return 31 - Math.clz32(word & -word);
}
