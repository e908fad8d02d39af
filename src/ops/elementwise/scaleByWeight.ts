/** y = w · x with one stored number w: the scalar at the end of each of Gemma 4's layers. */
import { flatGrid, value } from '../../gpu/dispatch.ts';
import type { Graph } from '../../graph/graph.ts';
import type { AccumulatingOp, Accumulator, NoAttributes } from '../../graph/op.ts';
import { elements, type Value } from '../../graph/value.ts';
import { weightBindings, weightKind } from '../weights/weightBindings.ts';

/** @param x any shape @param weight [1] @returns as x */
export function scaleByWeight(graph: Graph, x: Value, weight: Value): Value {
  return graph.append(scaleByWeightOp, { x, weight }, {})[0];
}

/** The gradient is the same op on dy. */
export const scaleByWeightOp: AccumulatingOp<{ x: Value; weight: Value } & Accumulator, NoAttributes> = {
  name: 'scaleByWeight',
  accumulates: true,
  outputs({ x, weight, sum }) {
    if (elements(weight) !== 1) throw new Error(`scaleByWeight: [${weight.shape}] is not one number`);
    return [{ shape: x.shape, inPlaceOf: sum }];
  },
  gradient(backward, { inputs: { x, weight } }, [dy]) {
    if (dy) backward.emit(x, scaleByWeightOp, { x: dy, weight }, {});
  },
  dispatches({ inputs: { x, weight, sum }, outputs: [y] }, settings) {
    return [
      {
        shader: 'scale_by_weight',
        constants: { COUNT: elements(y), ACCUMULATE: sum !== undefined, WEIGHT_KIND: weightKind(weight) },
        bindings: { y: value(y), x: value(x), ...weightBindings(weight) },
        workgroups: flatGrid(elements(y), 64, settings),
      },
    ];
  },
  tensorflow: (tf, { x, weight }) => [tf.mul(x, weight)],
};
