/** What the benchmarks share: their options, their host, and helpers for timing. */
import type { KernelLevel } from '../../src/gpu/dispatch.ts';
import type { RunFiles } from './runData.ts';

export const PARTS = [
  'kernels',
  'steps',
  'decode',
  'eager',
  'levels',
  'longRun',
  'growth',
  'variants',
] as const;
export type Part = (typeof PARTS)[number];

export interface BenchOptions {
  parts: readonly Part[];
  /** tiny: models and shapes that a software adapter can run. */
  size: 'real' | 'tiny';
  /** Of the levels that the adapter offers; all where absent. */
  levels?: readonly KernelLevel[];
  models?: readonly string[];
  /** Steps of `longRun`. */
  steps?: number;
}

/** Where the benchmark runs: in Node or in a page. */
export interface BenchHost {
  log(line: string): void;
  /** A file of public/demo. */
  demoFile(name: string): Promise<Blob>;
  /** A run that `levels` trains instead of the demo. */
  ownRun?: RunFiles;
  /** Bytes of JavaScript's heap after a garbage collection; null where that cannot be known. */
  heapBytes(): number | null;
  /** Called after each part with the figures so far, so that a crash loses none. */
  save?(figures: object): Promise<void>;
}

/**
 * Milliseconds of work before anything is timed: a GPU raises its clock only then.
 */
const WARM_MS = 500;

export async function warmUp(work: () => Promise<unknown>): Promise<void> {
  for (const started = performance.now(); performance.now() - started < WARM_MS;) await work();
}
