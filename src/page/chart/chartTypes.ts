/** What a chart shows. */
import { exponential, precise } from '../language/numbers.ts';
import type { Numbers } from '../../training/metrics.ts';

export interface Series {
  name: string;
  steps: Numbers;
  values: Numbers;
  /** A custom property: --curve-1. */
  colour: string;
  dash?: readonly number[];
  /** Drawn behind, pale: a raw curve under its smoothed one. */
  faint?: boolean;
  /** Drawn thicker than the others: the best of several. */
  strong?: boolean;
}

/** A step that a chart points at. */
export interface Mark {
  step: number;
  label: string;
  colour: string;
  /** line: over the whole height. tick: at the foot, without a label. */
  kind: 'line' | 'tick';
}

/** Dashes by which curves differ without colour. */
export const DASHES: readonly (readonly number[] | undefined)[] = [undefined, [8, 4], [2, 3], [10, 3, 2, 3]];

/** Colour and dash of the i-th of several curves. */
export function curveStyle(i: number): Pick<Series, 'colour' | 'dash'> {
  return { colour: `--curve-${(i % 8) + 1}`, dash: DASHES[Math.floor(i / 2) % DASHES.length] };
}

export function formatValue(value: number): string {
  const size = Math.abs(value);
  return size !== 0 && (size < 1e-3 || size >= 1e5) ? exponential(value, 2) : precise(value, 4);
}

/** The value at the last step that is not after the given one; null where there is none. */
export function valueAt({ steps, values }: Pick<Series, 'steps' | 'values'>, step: number): number | null {
  let found: number | null = null;
  for (let low = 0, high = steps.length - 1; low <= high;) {
    const middle = (low + high) >> 1;
    if (steps[middle] <= step) {
      found = values[middle];
      low = middle + 1;
    } else high = middle - 1;
  }
  return found;
}
