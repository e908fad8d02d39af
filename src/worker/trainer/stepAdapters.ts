/** Adapters of a run's earlier steps, to be tried beside the one that is kept: a few, spread over the run. */
import type { AdapterTensors } from '../../engine/engine.ts';

export interface StepAdapter {
  step: number;
  adapter: AdapterTensors;
}

const MOST = 6;
/** Of all of them together. */
const MOST_BYTES = 96 * 2 ** 20;

/** @returns those that are kept once another step is added, by step */
export function withStep(
  kept: readonly StepAdapter[],
  added: StepAdapter,
  mostBytes = MOST_BYTES,
): StepAdapter[] {
  const all = [...kept.filter(({ step }) => step !== added.step), added].sort((a, b) => a.step - b.step);
  const each = bytesOf(added.adapter);
  while (all.length > MOST || (all.length > 0 && all.length * each > mostBytes)) all.splice(closest(all), 1);
  return all;
}

export function bytesOf(adapter: AdapterTensors): number {
  return [...adapter.values()].reduce((sum, { data }) => sum + data.byteLength, 0);
}

/** Index of the one whose neighbours lie closest together; not the first or the last where there are more. */
function closest(all: readonly StepAdapter[]): number {
  if (all.length < 3) return 0;
  const gap = (i: number) => all[i + 1].step - all[i - 1].step;
  let found = 1;
  for (let i = 2; i < all.length - 1; i++) if (gap(i) < gap(found)) found = i;
  return found;
}
