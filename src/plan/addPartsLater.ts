/**
 * Leaves the sums of split-K (ops/matmul/splitK.ts) to the kernels that read them next, where these can add
 * them up: a dispatch and a pass over memory less.
 */
import type { BufferReference, Dispatch, KernelSettings } from '../gpu/dispatch.ts';
import type { Graph } from '../graph/graph.ts';
import { inputValues } from '../graph/op.ts';
import type { Value } from '../graph/value.ts';
import { addsParts } from '../ops/lora/loraParts.ts';
import { splitSum } from '../ops/matmul/splitK.ts';
import type { PlannedNode } from './dequantiseTogether.ts';

/** @param planned the nodes of a plan, in order @returns the same, with fewer kernels */
export function addPartsLater(
  planned: readonly PlannedNode[],
  graph: Graph,
  settings: KernelSettings,
): PlannedNode[] {
  const reads = new Map<Value, number>();
  for (const { node } of planned)
    for (const input of inputValues(node)) reads.set(input, (reads.get(input) ?? 0) + 1);
  const out = [...planned];
  planned.forEach(({ node, dispatches }, index) => {
    const split = splitSum(dispatches.at(-1));
    const reader = out[index + 1];
    if (!split || !reader || dispatches.length < 2) return;
    const { outputs, inPlaceOf } = node;
    if (outputs.some((output) => output.role !== 'activation' || reads.get(output) !== 1)) return;
    const [sum] = inPlaceOf;
    if (split.accumulates !== (sum !== undefined)) return;
    const partial = graph.value('activation', `parts of ${outputs[0].name}`, [split.partial.bytes / 4]);
    const changed = addsParts(reader, { outputs, sum, partial, parts: split.parts }, settings);
    if (!changed) return;
    out[index] = {
      node: { ...node, outputs: [partial], inPlaceOf: [undefined] },
      dispatches: dispatches.slice(0, -1).map((dispatch) => writesTo(dispatch, split.partial, partial)),
    };
    out[index + 1] = changed;
  });
  return out;
}

/** The dispatch, with a value where its scratch was. */
function writesTo(dispatch: Dispatch, scratch: { index: number; bytes: number }, { id }: Value): Dispatch {
  const moved = (reference: BufferReference): BufferReference =>
    reference.type === 'scratch' && reference.index === scratch.index ? { type: 'value', id } : reference;
  return {
    ...dispatch,
    bindings: Object.fromEntries(
      Object.entries(dispatch.bindings).map(([name, reference]) => [name, moved(reference)]),
    ),
  };
}
