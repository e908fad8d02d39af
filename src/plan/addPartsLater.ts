/**
 * Leaves the sums of split-K (ops/matmul/splitK.ts) to the kernels that read them next, where these can add
 * them up: a dispatch and a pass over memory less.
 */
import { value, withScratchAt, type KernelSettings } from '../gpu/dispatch.ts';
import type { Graph } from '../graph/graph.ts';
import { countReads } from '../graph/op.ts';
import { addsParts } from '../ops/lora/loraParts.ts';
import { splitSum } from '../ops/matmul/splitK.ts';
import type { PlannedNode } from './dequantiseTogether.ts';

/** @param planned the nodes of a plan, in order @returns the same, with fewer kernels */
export function addPartsLater(
  planned: readonly PlannedNode[],
  graph: Graph,
  settings: KernelSettings,
): PlannedNode[] {
  const readsOf = countReads(planned.map(({ node }) => node));
  const out = [...planned];
  planned.forEach(({ node, dispatches }, index) => {
    const split = splitSum(dispatches.at(-1));
    const reader = out[index + 1];
    if (!split || !reader) return;
    const { outputs, inPlaceOf } = node;
    if (outputs.some((output) => readsOf(output) !== 1)) return;
    const [sum] = inPlaceOf;
    if (split.accumulates !== (sum !== undefined)) return;
    const partial = graph.value('activation', `parts of ${outputs[0].name}`, [split.partial.bytes / 4]);
    const changed = addsParts(reader, { outputs, sum, partial, parts: split.parts }, settings);
    if (!changed) return;
    out[index] = {
      node: { ...node, outputs: [partial], inPlaceOf: [undefined] },
      dispatches: dispatches
        .slice(0, -1)
        .map((dispatch) => withScratchAt(dispatch, split.partial.index, value(partial))),
    };
    out[index + 1] = changed;
  });
  return out;
}
