/**
 * The memory plan: every activation and scratch gets an arena and an offset for its lifetime, so that the
 * exact bytes of a step are known before anything is allocated. A block that a dispatch reads and one that it
 * writes lie in different arenas, because WebGPU lets a dispatch bind a buffer as read-only or as writable,
 * not as both.
 */
import { TooLargeError } from '../lib/errors.ts';

export const ALIGNMENT_BYTES = 256;

/** A piece of memory that is in use from dispatch `first` to dispatch `last`, both included. */
export interface Block {
  bytes: number;
  first: number;
  last: number;
  /** Its name in the message where it is too large. */
  name: string;
}

export interface Placement {
  arena: number;
  offsetBytes: number;
}

export interface MemoryLimits {
  /** Largest binding and largest buffer of the adapter, in bytes. */
  maxBindingBytes: number;
  maxBufferBytes: number;
}

/** A plan does not fit this adapter: a block is larger than one binding may be. */
export class BlockTooLargeError extends TooLargeError {
  constructor(
    readonly block: string,
    readonly bytes: number,
    readonly limit: number,
  ) {
    super(
      `${block} needs ${(bytes / 2 ** 20).toFixed(0)} MiB in one piece, but this GPU binds at most ${(limit / 2 ** 20).toFixed(0)} MiB. Lower max_length or use a smaller model.`,
    );
  }
}

/**
 * Places blocks greedily, the largest first, where they enlarge the arenas least.
 * @param apart pairs of block indices that must not share an arena
 * @returns a placement for each block, and the bytes of each arena
 * @throws BlockTooLargeError
 */
export function planMemory(
  blocks: readonly Block[],
  apart: Iterable<readonly [number, number]>,
  limits: MemoryLimits,
): { placements: Placement[]; arenaBytes: number[] } {
  const conflicts: Set<number>[] = blocks.map(() => new Set());
  for (const [a, b] of apart) {
    conflicts[a].add(b);
    conflicts[b].add(a);
  }
  const placements = new Array<Placement>(blocks.length);
  const arenas: { bytes: number; placed: number[] }[] = [];
  const order = blocks
    .map((_, i) => i)
    .sort((a, b) => blocks[b].bytes - blocks[a].bytes || blocks[a].first - blocks[b].first || a - b);
  for (const index of order) {
    const block = blocks[index];
    const bytes = align(block.bytes);
    if (block.bytes > limits.maxBindingBytes)
      throw new BlockTooLargeError(block.name, block.bytes, limits.maxBindingBytes);
    let best: { arena: number; offset: number; growth: number } | null = null;
    const closed = new Set(
      [...conflicts[index]].filter((other) => placements[other]).map((other) => placements[other].arena),
    );
    for (let arena = 0; arena < arenas.length && (!best || best.growth > 0); arena++) {
      if (closed.has(arena)) continue;
      const offset = lowestGap(block, bytes, arenas[arena].placed, blocks, placements);
      const growth = Math.max(0, offset + bytes - arenas[arena].bytes);
      if (offset + bytes <= limits.maxBufferBytes && (!best || growth < best.growth))
        best = { arena, offset, growth };
    }
    if (!best || best.growth > bytes) {
      arenas.push({ bytes: 0, placed: [] });
      best = { arena: arenas.length - 1, offset: 0, growth: bytes };
    }
    const arena = arenas[best.arena];
    arena.bytes += best.growth;
    arena.placed.push(index);
    placements[index] = { arena: best.arena, offsetBytes: best.offset };
  }
  return { placements, arenaBytes: arenas.map((arena) => arena.bytes) };
}

/** @returns the lowest offset where the block overlaps no placed block with an overlapping lifetime */
function lowestGap(
  block: Block,
  bytes: number,
  placed: readonly number[],
  blocks: readonly Block[],
  placements: readonly Placement[],
): number {
  const living = placed.filter((i) => blocks[i].first <= block.last && block.first <= blocks[i].last);
  const taken = living
    .map((i) => ({ from: placements[i].offsetBytes, to: placements[i].offsetBytes + align(blocks[i].bytes) }))
    .sort((a, b) => a.from - b.from);
  let offset = 0;
  for (const { from, to } of taken) {
    if (from - offset >= bytes) break;
    offset = Math.max(offset, to);
  }
  return offset;
}

export function align(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT_BYTES) * ALIGNMENT_BYTES;
}
