/** y = factor · x: a constant multiplier, such as Granite's on every residual branch. */
import { flatGrid, value } from '../../gpu/dispatch.ts';
import { elements, type Graph, type Op, type Value } from '../../graph/graph.ts';

/** @param x any shape @returns as x; x itself where the factor is 1 */
export function scale(graph: Graph, x: Value, factor: number): Value {
  return factor === 1 ? x : graph.append(scaleOp, [x], { factor })[0];
}

/** Inputs: x, and the sum so far where it accumulates: the gradient is the same op on dy. */
export const scaleOp: Op = {
  name: 'scale',
  outputs: ([x, sum]) => [{ shape: x.shape, inPlaceOf: sum ? 1 : undefined }],
  gradient(backward, { inputs: [x], attributes }, [dy]) {
    if (dy) backward.emit(x, scaleOp, [dy], attributes);
  },
  dispatches({ inputs: [x], outputs: [y], attributes }, settings) {
    return [
      {
        shader: 'scale',
        constants: {
          COUNT: elements(y),
          FACTOR: { f32: attributes.factor as number },
          ACCUMULATE: attributes.accumulate === true,
        },
        bindings: { 0: value(y), 1: value(x) },
        workgroups: flatGrid(elements(y), 64, settings),
      },
    ];
  },
  tensorflow: (tf, [x], { attributes: { factor } }) => [tf.mul(x, factor as number)],
};
