/** y = factor · x: a constant multiplier, such as Granite's on every residual branch. */
import { flatGrid, value } from '../../gpu/dispatch.ts';
import type { Graph } from '../../graph/graph.ts';
import type { AccumulatingOp, Accumulator } from '../../graph/op.ts';
import { elements, type Value } from '../../graph/value.ts';

/** @param x any shape @returns as x; x itself where the factor is 1 */
export function scale(graph: Graph, x: Value, factor: number): Value {
  return factor === 1 ? x : graph.append(scaleOp, { x }, { factor })[0];
}

/** The gradient is the same op on dy. */
export const scaleOp: AccumulatingOp<{ x: Value } & Accumulator, { factor: number }> = {
  name: 'scale',
  accumulates: true,
  outputs: ({ x, sum }) => [{ shape: x.shape, inPlaceOf: sum }],
  gradient(backward, { inputs: { x }, attributes }, [dy]) {
    if (dy) backward.emit(x, scaleOp, { x: dy }, attributes);
  },
  dispatches({ inputs: { x, sum }, outputs: [y], attributes: { factor } }, settings) {
    return [
      {
        shader: 'scale',
        constants: { COUNT: elements(y), FACTOR: { f32: factor }, ACCUMULATE: sum !== undefined },
        bindings: { y: value(y), x: value(x) },
        workgroups: flatGrid(elements(y), 64, settings),
      },
    ];
  },
  tensorflow: (tf, { x }, { attributes: { factor } }) => [tf.mul(x, factor)],
};
