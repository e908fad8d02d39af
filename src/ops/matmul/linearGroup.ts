/**
 * Frozen linear layers of one input, such as the projections of attention: one grouped GEMM where their
 * weights allow.
 */
import type { Graph } from '../../graph/graph.ts';
import type { AccumulatingOp, Accumulator, NoAttributes, Op } from '../../graph/op.ts';
import type { Value } from '../../graph/value.ts';
import { groupedProblem } from './groupedGemm.ts';
import { checkWidth, linearGroupForward, linear, linearDxOp } from './linear.ts';
import { matmul } from './matmul.ts';

interface LinearGroupInputs {
  /** [T, in] */
  x: Value;
  /** [out_g, in] each. */
  weights: readonly Value[];
}

/** @param x [T, in] @param weights [out_g, in] each @returns one [T, out_g] for each weight */
export function linearGroup(graph: Graph, x: Value, weights: readonly Value[]): Value[] {
  return weights.length === 1 ? [linear(graph, x, weights[0])] : graph.append(linearGroupOp, { x, weights });
}

export const linearGroupOp: Op<LinearGroupInputs, NoAttributes> = {
  name: 'linearGroup',
  outputs({ x, weights }) {
    return weights.map((weight) => {
      checkWidth(x, weight);
      return { shape: [x.shape[0], weight.shape[0]] };
    });
  },
  gradient(backward, { inputs: { x, weights } }, gradients) {
    const dys = gradients.filter((dy) => dy !== null);
    if (dys.length === weights.length) backward.emit(x, linearGroupDxOp, { dys, weights }, {});
    else gradients.forEach((dy, g) => dy && backward.emit(x, linearDxOp, { dy, weight: weights[g] }, {}));
  },
  contiguousWeights: ({ weights }) => weights,
  dispatches: ({ inputs: { x, weights }, outputs }, settings) =>
    linearGroupForward(x, weights, outputs, settings),
  tensorflow: (tf, { x, weights }) => weights.map((weight) => tf.matMul(x, weight, false, true)),
};

interface LinearGroupDxInputs extends Accumulator {
  /** [T, out_g] each. */
  dys: readonly Value[];
  /** [out_g, in] each. */
  weights: readonly Value[];
}

/** dx = Σ dy_g W_g. */
export const linearGroupDxOp: AccumulatingOp<LinearGroupDxInputs> = {
  name: 'linearGroupDx',
  accumulates: true,
  outputs: ({ dys, weights, sum }) => [{ shape: [dys[0].shape[0], weights[0].shape[1]], inPlaceOf: sum }],
  dispatches: ({ inputs: { dys, weights, sum }, outputs: [dx] }, settings) =>
    matmul(groupedProblem('terms', dx, weights, dys, sum !== undefined), settings),
};
