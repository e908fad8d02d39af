/** stats[0] += Σ weights[t] loss[t]: the loss of the step, added up over its micro-batches. Its gradient to the losses is the weights. */
import { value } from '../../gpu/dispatch.ts';
import type { Graph, Op, Value } from '../../graph/graph.ts';

/** @param loss, weights [T] @param stats [STATS] f32 state of adamW.ts */
export function weightedSum(graph: Graph, loss: Value, weights: Value, stats: Value): void {
  graph.append(weightedSumOp, [loss, weights], {}, [stats]);
}

export const weightedSumOp: Op = {
  name: 'weightedSum',
  outputs() {
    throw new Error('weightedSum writes to state only');
  },
  dispatches({ inputs: [loss, weights], outputs: [stats] }, settings) {
    return [
      {
        shader: 'weighted_sum',
        constants: { T: loss.shape[0], WORKGROUP: settings.rowWorkgroup },
        bindings: { 0: value(stats), 1: value(loss), 2: value(weights) },
        workgroups: [1, 1, 1],
      },
    ];
  },
};
