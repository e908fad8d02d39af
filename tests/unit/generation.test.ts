/**
 * Slots over a runner whose next id is a hash of all ids before it: what is fed back, asked for ahead,
 * dropped after an end, and prefilled again.
 */
import { describe, expect, it } from 'vitest';
import { mix32 } from '../../src/lib/counterRandom.ts';
import type { GenerationOptions } from '../../src/engine/engine.ts';
import { generateInSlots } from '../../src/engine/webgpu/generation.ts';
import type { SlotInputs, SlotRunner } from '../../src/engine/webgpu/slotRunner.ts';

const VOCABULARY = 50;
const GREEDY: GenerationOptions = {
  maxNewTokens: 40,
  stopTokenIds: [],
  doSample: false,
  temperature: 1,
  topP: 1,
  seed: 0,
};

/** Before and after the switch length the same ids go on otherwise, as by another rotation. */
function nextOf(ids: readonly number[], key: number, switchLength: number | null): number {
  const rotation = switchLength !== null && ids.length > switchLength ? 1 : 0;
  return ids.reduce((state, id) => mix32(state + id + 1), 7 + rotation + key) % VOCABULARY;
}

class FakeRunner implements SlotRunner {
  readonly slots = 3;
  readonly prefillTokens = 16;
  /** Rounds asked for at once, and how often prompts were read. */
  readonly asked: number[] = [];
  prefills = 0;
  /** What a round takes. */
  delayMs = 0;
  needsIds = false;
  private readonly cache: number[][] = Array.from({ length: this.slots }, () => []);
  /** What a cache was read by: the rotation of its length then. */
  private readonly rotated: boolean[] = [];
  private kept: SlotInputs = {};

  constructor(
    readonly maxLength: number,
    readonly switchLength: number | null,
  ) {}

  async prefill({
    inputIds,
    positions,
    slots,
    lastRows,
    samplingKeys,
    documentEnd,
    documentStart,
  }: SlotInputs): Promise<Uint32Array> {
    this.prefills++;
    slots.forEach((slot, t) => {
      if (slot >= this.slots) return;
      this.cache[slot][positions[t]] = inputIds[t];
      this.rotated[slot] = this.isRotated(documentEnd[t] - documentStart[t]);
    });
    return Uint32Array.from({ length: this.slots }, (_, slot) =>
      this.next(slot, positions[lastRows[slot]], samplingKeys),
    );
  }

  async decode(rounds: readonly SlotInputs[]): Promise<Uint32Array[]> {
    this.asked.push(rounds.length);
    const made: Uint32Array[] = [];
    for (const [round, inputs] of rounds.entries()) {
      if (round > 0) expect(inputs.inputIds).toBeUndefined();
      this.kept = { ...this.kept, ...inputs };
      const { positions, documentEnd, slots, samplingKeys } = this.kept;
      const ids = made.at(-1) ?? this.kept.inputIds;
      made.push(
        Uint32Array.from({ length: this.slots }, (_, slot) => {
          if (slots[slot] !== slot || positions[slot] >= this.maxLength) return 0;
          this.cache[slot][positions[slot]] = ids[slot];
          // A cache that was read before the switch is void after it.
          if (this.rotated[slot] !== this.isRotated(documentEnd[slot]))
            throw new Error(`slot ${slot} was rotated for another length`);
          return this.next(slot, positions[slot], samplingKeys);
        }),
      );
    }
    if (this.delayMs > 0) await new Promise((resolve) => setTimeout(resolve, this.delayMs * rounds.length));
    return made;
  }

  private isRotated(length: number): boolean {
    return this.switchLength !== null && length > this.switchLength;
  }

  private next(slot: number, position: number, keys: Float32Array | Uint32Array): number {
    return nextOf(this.cache[slot].slice(0, position + 1), keys[2 + slot], this.switchLength);
  }
}

const prompts = [3, 1, 20, 7, 5].map((length, i) =>
  Array.from({ length }, (_, p) => (i * 11 + p * 7) % VOCABULARY),
);

/** The same one token at a time: a runner that takes so long that nothing is asked for ahead. */
async function oneByOne(
  options: GenerationOptions,
  maxLength = 64,
  switchLength: number | null = null,
): Promise<number[][]> {
  const runner = new FakeRunner(maxLength, switchLength);
  runner.delayMs = 41;
  const made = await generateInSlots(runner, prompts, options);
  expect(runner.asked.every((rounds) => rounds === 1)).toBe(true);
  return made;
}

describe('generation in slots', () => {
  it('asks for several tokens at once where they take no time, and gives the same', async () => {
    const runner = new FakeRunner(64, null);
    const options = { ...GREEDY, maxNewTokens: 12 };
    const made = await generateInSlots(runner, prompts, options);
    expect(Math.max(...runner.asked)).toBeGreaterThan(5);
    expect(made).toEqual(await oneByOne(options));
    expect(made.every(({ length }) => length === 12)).toBe(true);
  });

  it('asks for one token at a time where the host reads rows by their ids', async () => {
    const runner = new FakeRunner(64, null);
    runner.needsIds = true;
    await generateInSlots(runner, prompts, { ...GREEDY, maxNewTokens: 12 });
    expect(Math.max(...runner.asked)).toBe(1);
  });

  it('drops what was made beyond a stop token, the longest answer and the cache', async () => {
    const options = { ...GREEDY, maxNewTokens: 12 };
    const whole = await generateInSlots(new FakeRunner(64, null), prompts, options);
    const stop = whole[0][5];
    const stopped = await generateInSlots(new FakeRunner(64, null), prompts, {
      ...options,
      stopTokenIds: [stop],
    });
    expect(stopped).toEqual(
      whole.map((ids) => (ids.includes(stop) ? ids.slice(0, ids.indexOf(stop) + 1) : ids)),
    );
    const short = await generateInSlots(new FakeRunner(24, null), prompts, options);
    expect(short).toEqual(whole.map((ids, i) => ids.slice(0, 24 - prompts[i].length)));
  });

  it('prefills a sequence again where it grows past the switch length, and asks for nothing beyond it', async () => {
    const options = { ...GREEDY, maxNewTokens: 12 };
    const runner = new FakeRunner(64, 12);
    const made = await generateInSlots(runner, prompts, options);
    expect(made).toEqual(await oneByOne(options, 64, 12));
    const unswitched = await generateInSlots(new FakeRunner(64, null), prompts, options);
    expect(made).not.toEqual(unswitched);
    expect(runner.prefills).toBeGreaterThan(2);
    expect(Math.max(...runner.asked)).toBeGreaterThan(2);
  });

  it('draws each token by its own number, asked for ahead or not', async () => {
    const options = { ...GREEDY, maxNewTokens: 12, doSample: true, seed: 3 };
    expect(await generateInSlots(new FakeRunner(64, null), prompts, options)).toEqual(
      await oneByOne(options),
    );
  });

  it('reports every token, and takes no more once it is asked to stop', async () => {
    const reported: number[][] = [];
    let asked = 0;
    const runner = new FakeRunner(64, null);
    const made = await generateInSlots(
      runner,
      [prompts[0]],
      { ...GREEDY, maxNewTokens: 30 },
      { onIds: (_, ids) => reported.push([...ids]), stopped: () => ++asked > 8 },
    );
    expect(made[0].length).toBe(8);
    expect(reported).toEqual(made[0].map((_, i) => made[0].slice(0, i + 1)));
    expect(Math.max(...runner.asked)).toBeGreaterThan(5);
  });
});
