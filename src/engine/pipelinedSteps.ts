/** Training steps as the training loop submits them, for measurements. */

/** The adapter that is measured. */
export const LORA = {
  r: 16,
  lora_alpha: 32,
  lora_dropout: 0,
  target_modules: 'all-linear' as const,
  use_rslora: false,
  use_dora: false,
};

/**
 * Runs `count` steps, pipelined `stepsAhead` steps ahead.
 * @returns milliseconds from the end of one to the end of the next
 */
export async function takeSteps(
  engine: { stepsAhead: number },
  count: number,
  step: () => Promise<unknown>,
): Promise<number[]> {
  const asked: Promise<unknown>[] = [];
  const times: number[] = [];
  let since = performance.now();
  for (let number = 0; number < count; number++) {
    while (asked.length <= Math.min(engine.stepsAhead, count - 1 - number)) asked.push(step());
    await asked.shift();
    const now = performance.now();
    times.push(now - since);
    since = now;
  }
  return times;
}

/** The middle value; of an even number the larger of the two in the middle. */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}
