/** Kernels that do the same for several values at once, MEMBERS of them (shaders/README.md): their constants, and what each binds of its own. */
import { value, type BufferReference } from '../gpu/dispatch.ts';
import type { Value } from '../graph/graph.ts';

/** First binding of what each member has of its own. */
export const MEMBER_BINDING = 10;

/** The sum of those before each. */
export function before(counts: readonly number[]): number[] {
  return counts.map((_, i) => counts.slice(0, i).reduce((a, b) => a + b, 0));
}

/** NAME0, NAME1, … for each name. */
export function memberConstants(
  columns: Readonly<Record<string, readonly number[]>>,
): Record<string, number> {
  return Object.fromEntries(
    Object.entries(columns).flatMap(([name, numbers]) => numbers.map((number, g) => [`${name}${g}`, number])),
  );
}

/** One binding a member. */
export function memberBindings(
  values: readonly Value[],
  first = MEMBER_BINDING,
): Record<number, BufferReference> {
  return Object.fromEntries(values.map((own, g) => [first + g, value(own)]));
}
