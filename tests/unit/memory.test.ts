import { describe, expect, it } from 'vitest';
import { mix32 } from '../../src/lib/counterRandom.ts';
import { ALIGNMENT_BYTES, planMemory, type Block } from '../../src/plan/memoryPlan.ts';

const LIMITS = { maxBindingBytes: 1 << 20, maxBufferBytes: 1 << 20 };

function randomBlocks(seed: number, count: number): { blocks: Block[]; apart: [number, number][] } {
  const random = (i: number, below: number) => mix32(seed * 100003 + i) % below;
  const blocks = Array.from({ length: count }, (_, i) => {
    const first = random(3 * i, 60);
    return {
      bytes: 4 + random(3 * i + 1, 5000),
      first,
      last: first + random(3 * i + 2, 12),
      name: `block ${i}`,
    };
  });
  // As in a plan: what one dispatch reads lies apart from what it writes.
  const apart = blocks.flatMap((block, i) =>
    blocks.map((_, j): [number, number] => [i, j]).filter(([, j]) => j > i && blocks[j].first === block.last),
  );
  return { blocks, apart };
}

describe('memory plan', () => {
  it.each([1, 2, 3, 4, 5])(
    'never overlaps what lives at the same time, and keeps pairs apart (%i)',
    (seed) => {
      const { blocks, apart } = randomBlocks(seed, 80);
      const { placements, arenaBytes } = planMemory(blocks, apart, LIMITS);
      for (const [i, a] of blocks.entries()) {
        expect(placements[i].offsetBytes % ALIGNMENT_BYTES).toBe(0);
        expect(placements[i].offsetBytes + a.bytes).toBeLessThanOrEqual(arenaBytes[placements[i].arena]);
        for (const [j, b] of blocks.entries()) {
          if (j <= i || placements[i].arena !== placements[j].arena || a.first > b.last || b.first > a.last)
            continue;
          const [from, to] = [placements[i].offsetBytes, placements[j].offsetBytes];
          expect(from + a.bytes <= to || to + b.bytes <= from, `${a.name} and ${b.name}`).toBe(true);
        }
      }
      for (const [i, j] of apart) expect(placements[i].arena).not.toBe(placements[j].arena);
      const sum = blocks.reduce((total, { bytes }) => total + bytes, 0);
      expect(arenaBytes.reduce((a, b) => a + b, 0)).toBeLessThan(sum);
    },
  );

  it('uses the memory of what has died again', () => {
    const blocks = [0, 1, 2, 3].map((i) => ({ bytes: 1000, first: 2 * i, last: 2 * i + 1, name: '' }));
    expect(planMemory(blocks, [], LIMITS).arenaBytes).toEqual([1024]);
  });

  it('opens another arena rather than a buffer over the limit, and refuses a block over it', () => {
    const blocks = [0, 1, 2].map(() => ({ bytes: 600_000, first: 0, last: 1, name: 'x' }));
    expect(planMemory(blocks, [], LIMITS).arenaBytes.length).toBe(3);
    expect(() => planMemory([{ bytes: 2 << 20, first: 0, last: 0, name: 'the logits' }], [], LIMITS)).toThrow(
      /the logits needs 2 MiB in one piece, but this GPU binds at most 1 MiB\. Lower max_length/,
    );
  });
});
