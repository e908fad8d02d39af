/** What every benchmark needs: its options, where it runs, and the small arithmetic of measuring. */
import type { KernelLevel } from '../../src/gpu/dispatch.ts';

export const PARTS = ['kernels', 'steps', 'decode', 'eager', 'levels', 'longRun', 'growth'] as const;
export type Part = (typeof PARTS)[number];

export interface BenchOptions {
  parts: readonly Part[];
  /** 'tiny': models and shapes that a CPU adapter can run. */
  size: 'real' | 'tiny';
  /** Of those the adapter offers; all where absent. */
  levels?: readonly KernelLevel[];
  models?: readonly string[];
  /** Steps of `longRun`. */
  steps?: number;
  /** Whether NF4 products are timed by the way that the tuner finds, too. */
  tune?: boolean;
}

/** Where the bench runs: Node, or a page. */
export interface BenchHost {
  log(line: string): void;
  /** A file of public/demo. */
  demoFile(name: string): Promise<Blob>;
  /** Bytes of JavaScript's heap after a collection; null where that cannot be known. */
  heapBytes(): number | null;
  /** Called after each part, so that what is measured is never lost. */
  save?(figures: object): Promise<void>;
}

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}

export const LORA = {
  r: 16,
  lora_alpha: 32,
  lora_dropout: 0,
  target_modules: 'all-linear' as const,
  use_rslora: false,
  use_dora: false,
};

/** Runs `count` steps as the training loop does, each asked for before the one ahead of it is over. @returns milliseconds from the end of one to the end of the next */
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

/** So long a GPU works before anything is timed: it leaves its idle clock only then, and slow figures of a fast kernel are those of a slow clock. */
const WARM_MS = 500;

export async function warmUp(work: () => Promise<unknown>): Promise<void> {
  for (const started = performance.now(); performance.now() - started < WARM_MS;) await work();
}
