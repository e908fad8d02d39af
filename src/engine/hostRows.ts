/**
 * Inputs that are rows of a table which stays in storage (ModelBuilder.embedFromStorage): the rows of the
 * tokens that a plan is about to run on.
 */
import { TABLE_INPUT } from '../model/builder.ts';
import type { Value } from '../graph/value.ts';
import type { WeightSource } from '../formats/tensors.ts';

/** The tables whose rows a graph takes as inputs, by the input's name. */
export function tableInputs(values: readonly Value[]): string[] {
  return values.flatMap(({ role, name }) => (role === 'input' && name.startsWith(TABLE_INPUT) ? [name] : []));
}

/** @returns [ids.length, width] by the input's name @throws Error where the source cannot read rows */
export async function hostRows(
  source: WeightSource,
  inputs: readonly string[],
  ids: ArrayLike<number>,
): Promise<Record<string, Float32Array>> {
  const rows: Record<string, Float32Array> = {};
  for (const input of inputs) {
    if (!source.readRows) throw new Error('these weights cannot be read by rows');
    rows[input] = await source.readRows(input.slice(TABLE_INPUT.length), ids);
  }
  return rows;
}
