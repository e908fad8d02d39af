/**
 * Constants and bindings of kernels that process several values in one dispatch, such as the projections of
 * one input: the shader declares them with a number at the end of the name (`SIZE0`, `SIZE1`, … and `y0`,
 * `y1`, …).
 */
import { value, type BufferReference } from '../gpu/dispatch.ts';
import type { Value } from '../graph/value.ts';

/** For each count the sum of those before it. */
export function exclusivePrefixSum(counts: readonly number[]): number[] {
  let before = 0;
  return counts.map((count) => (before += count) - count);
}

export function sum(counts: readonly number[]): number {
  return counts.reduce((a, b) => a + b, 0);
}

/** NAME0, NAME1, … for each name. */
export function numberedConstants(
  columns: Readonly<Record<string, readonly number[]>>,
): Record<string, number> {
  return Object.fromEntries(
    Object.entries(columns).flatMap(([name, numbers]) => numbers.map((number, i) => [`${name}${i}`, number])),
  );
}

/** name0, name1, … for the values. */
export function numberedBindings(name: string, values: readonly Value[]): Record<string, BufferReference> {
  return Object.fromEntries(values.map((one, i) => [`${name}${i}`, value(one)]));
}
