/**
 * Generates answers in slots: prompts are prefilled in packed batches, then each decode round adds one token
 * to every slot. Several rounds are submitted before the host reads their tokens.
 */
import { mix32, randomKey } from '../../lib/counterRandom.ts';
import type { GenerationOptions, GenerationWatch } from '../engine.ts';
import { MOST_ROUNDS } from '../memoryReport.ts';
import type { SlotInputs, SlotRunner } from './slotRunner.ts';
import { largest, smallest } from '../../lib/extremes.ts';

/** A slot number that the cache kernels skip. */
const NO_SLOT = 0xffffffff;

/**
 * How long the host may go without reading tokens, in milliseconds. On a fast GPU waiting for each token
 * would cost more than computing it.
 */
const UNSEEN_MS = 40;

interface Sequence {
  /** Index of its prompt. */
  index: number;
  /** Keys its random numbers, so that they do not depend on what else is generated. */
  stream: number;
  adapterScale: number;
  ids: number[];
  promptLength: number;
  /** How many of its ids the KV cache holds. */
  cached: number;
  done: boolean;
}

/** @returns the new ids of each prompt, with the stop token where one was generated */
export async function generateInSlots(
  runner: SlotRunner,
  prompts: readonly number[][],
  options: GenerationOptions,
  watch: GenerationWatch = {},
): Promise<number[][]> {
  const results: number[][] = [];
  let mostRounds = 1;
  for (let first = 0; first < prompts.length; first += runner.slots) {
    const wave = prompts.slice(first, first + runner.slots).map((prompt, i): Sequence => {
      if (prompt.length === 0) throw new Error('a prompt has no tokens');
      const index = first + i;
      const [stream, adapterScale] = [options.streams?.[index] ?? index, options.adapterScales?.[index] ?? 1];
      return {
        index,
        stream,
        adapterScale,
        ids: [...prompt],
        promptLength: prompt.length,
        cached: 0,
        done: options.maxNewTokens === 0,
      };
    });
    const reported = wave.map(() => 0);
    const report = () =>
      wave.forEach(({ index: prompt, ids, promptLength }, i) => {
        if (ids.length - promptLength > reported[i]) watch.onIds?.(prompt, ids.slice(promptLength));
        reported[i] = ids.length - promptLength;
      });
    const goesOn = () => wave.some((sequence) => !sequence.done) && !watch.stopped?.();
    while (goesOn()) {
      if (wave.some(isUnread)) {
        await readPrompts(runner, wave, options);
        report();
        continue;
      }
      const count = Math.min(runner.needsIds ? 1 : mostRounds, roundsAhead(runner, wave, options));
      const started = performance.now();
      const made = await decodeRounds(runner, wave, options, count);
      mostRounds = Math.max(
        1,
        Math.min(MOST_ROUNDS, Math.floor((UNSEEN_MS * count) / (performance.now() - started))),
      );
      for (const [round, ids] of made.entries()) {
        // Rounds after the end of all answers were submitted in advance and do not count.
        if (round > 0 && !goesOn()) break;
        wave.forEach((sequence, slot) => {
          if (!sequence.done) advance(sequence, 1, ids[slot], options, runner);
        });
        report();
      }
    }
    for (const { ids, promptLength } of wave) results.push(ids.slice(promptLength));
  }
  return results;
}

function isUnread({ done, cached }: Sequence): boolean {
  return !done && cached === 0;
}

/**
 * Prefills the slots whose cache is empty, with as many prompts in a batch as fit. Of a prompt longer than a
 * batch only the beginning is prefilled; decode rounds read the rest.
 */
async function readPrompts(runner: SlotRunner, wave: Sequence[], options: GenerationOptions): Promise<void> {
  const pending = wave
    .map((sequence, slot) => ({
      sequence,
      slot,
      length: Math.min(sequence.ids.length, runner.prefillTokens),
    }))
    .filter(({ sequence }) => isUnread(sequence));
  while (pending.length > 0) {
    const T = runner.prefillTokens;
    const inputs = {
      inputIds: new Uint32Array(T),
      positions: new Uint32Array(T),
      documentStart: Uint32Array.from({ length: T }, (_, t) => t),
      documentEnd: Uint32Array.from({ length: T }, (_, t) => t + 1),
      slots: new Uint32Array(T).fill(NO_SLOT),
      lastRows: new Uint32Array(runner.slots),
      adapterScale: new Float32Array(T),
    };
    const batch: typeof pending = [];
    let used = 0;
    while (pending.length > 0 && used + pending[0].length <= T) {
      const item = pending.shift()!;
      for (let p = 0; p < item.length; p++) {
        inputs.inputIds[used + p] = item.sequence.ids[p];
        inputs.positions[used + p] = p;
        inputs.documentStart[used + p] = used;
        inputs.documentEnd[used + p] = used + item.sequence.ids.length;
        inputs.slots[used + p] = item.slot;
        inputs.adapterScale[used + p] = item.sequence.adapterScale;
      }
      used += item.length;
      inputs.lastRows[item.slot] = used - 1;
      batch.push(item);
    }
    const ids = await runner.prefill({ ...inputs, ...sampling(runner, wave, options) });
    for (const { sequence, slot, length } of batch) advance(sequence, length, ids[slot], options, runner);
  }
}

/**
 * Decode rounds that may be submitted together: until the last answer has its full length, or the first one
 * grows past the switch length. It is 1 while a prompt is still being read.
 */
function roundsAhead(
  { maxLength, switchLength }: SlotRunner,
  wave: readonly Sequence[],
  { maxNewTokens }: GenerationOptions,
): number {
  const active = wave.filter(({ done }) => !done);
  if (active.some(({ cached, ids }) => cached < ids.length - 1)) return 1;
  const toEnd = active.map(
    ({ ids, promptLength }) => Math.min(promptLength + maxNewTokens, maxLength) - ids.length,
  );
  const toSwitch = active.map(({ ids }) =>
    switchLength !== null && ids.length <= switchLength ? switchLength + 1 - ids.length : Infinity,
  );
  return smallest([largest(toEnd), ...toSwitch]);
}

/** @returns the ids of every slot, for each round */
function decodeRounds(
  runner: SlotRunner,
  wave: readonly Sequence[],
  options: GenerationOptions,
  count: number,
): Promise<Uint32Array[]> {
  const ofSlots = (of: (sequence: Sequence) => number) =>
    Uint32Array.from({ length: runner.slots }, (_, slot) =>
      wave[slot] && !wave[slot].done ? of(wave[slot]) : 0,
    );
  const rounds = Array.from({ length: count }, (_, round): SlotInputs => ({
    positions: ofSlots(({ cached }) => cached + round),
    documentEnd: ofSlots(({ ids }) => ids.length + round),
    ...sampling(runner, wave, options, round),
  }));
  Object.assign(rounds[0], {
    inputIds: ofSlots(({ ids, cached }) => ids[cached]),
    documentStart: new Uint32Array(runner.slots),
    slots: Uint32Array.from({ length: runner.slots }, (_, slot) =>
      wave[slot] && !wave[slot].done ? slot : NO_SLOT,
    ),
    adapterScale: Float32Array.from({ length: runner.slots }, (_, slot) =>
      wave[slot] && !wave[slot].done ? wave[slot].adapterScale : 0,
    ),
  });
  return runner.decode(rounds);
}

/**
 * Records that the cache holds `count` more ids. Where it holds all ids now, `next` is appended. Past the
 * switch length the cache is void.
 */
function advance(
  sequence: Sequence,
  count: number,
  next: number,
  options: GenerationOptions,
  { maxLength, switchLength }: SlotRunner,
): void {
  sequence.cached += count;
  if (sequence.done || sequence.cached < sequence.ids.length) return;
  sequence.ids.push(next);
  const made = sequence.ids.length - sequence.promptLength;
  sequence.done =
    made >= options.maxNewTokens || options.stopTokenIds.includes(next) || sequence.ids.length >= maxLength;
  if (switchLength !== null && sequence.ids.length === switchLength + 1) sequence.cached = 0;
}

/** @param ahead rounds before this one whose ids the host has not read yet */
function sampling(
  runner: SlotRunner,
  wave: readonly Sequence[],
  options: GenerationOptions,
  ahead = 0,
): SlotInputs {
  const samplingKeys = new Uint32Array(2 + runner.slots);
  samplingKeys[0] = options.seed;
  wave.forEach(
    ({ stream, ids, promptLength }, slot) =>
      (samplingKeys[2 + slot] = randomKey(mix32(stream), ids.length - promptLength + ahead)),
  );
  return {
    samplingOptions: new Float32Array([options.doSample ? 1 : 0, options.temperature, options.topP]),
    samplingKeys,
  };
}
