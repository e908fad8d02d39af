/**
 * stats[0] += Σ weights[t] loss[t]: adds a micro-batch to the loss of the step. The gradient with respect to
 * the losses is the weights, which enter the backward pass as its seed.
 */
import { value } from '../../gpu/dispatch.ts';
import type { Graph } from '../../graph/graph.ts';
import type { NoAttributes, Op } from '../../graph/op.ts';
import type { Value } from '../../graph/value.ts';

interface WeightedSumInputs {
  loss: Value;
  weights: Value;
}

/** @param loss, weights [T] @param stats [STATS] f32 state of adamW.ts */
export function weightedSum(graph: Graph, loss: Value, weights: Value, stats: Value): void {
  graph.appendInto([stats], weightedSumOp, { loss, weights }, {});
}

export const weightedSumOp: Op<WeightedSumInputs, NoAttributes> = {
  name: 'weightedSum',
  outputs() {
    throw new Error('weightedSum writes to state only');
  },
  dispatches({ inputs: { loss, weights }, outputs: [stats] }, settings) {
    return [
      {
        shader: 'weighted_sum',
        constants: { T: loss.shape[0], WORKGROUP: settings.rowWorkgroup },
        bindings: { stats: value(stats), loss: value(loss), weights: value(weights) },
        workgroups: [1, 1, 1],
      },
    ];
  },
};
