/** y += bias, a frozen vector added to every row in place. The gradient passes through. */
import { flatGrid, value } from '../gpu/dispatch.ts';
import { elements, type Graph, type Op, type Value } from './graph.ts';
import { weightBindings, weightKind } from './product.ts';

/** @param y [T, N], taken over @param bias [N] @returns [T, N] */
export function addBias(graph: Graph, y: Value, bias: Value): Value {
  return graph.append(addBiasOp, [y, bias])[0];
}

export const addBiasOp: Op = {
  name: 'addBias',
  outputs([y, bias]) {
    if (y.shape[1] !== bias.shape[0]) throw new Error(`addBias ${bias.name}: rows of ${y.shape[1]} and a bias of ${bias.shape[0]}`);
    return [{ shape: y.shape, inPlaceOf: 0 }];
  },
  gradient(backward, { inputs: [y] }, [dy]) {
    if (dy) backward.pass(y, dy);
  },
  dispatches({ inputs: [, bias], outputs: [y] }, settings) {
    return [
      {
        shader: 'add_bias',
        constants: { ROWS: y.shape[0], WIDTH: y.shape[1], W_KIND: weightKind(bias) },
        bindings: { 0: value(y), ...weightBindings(bias) },
        workgroups: flatGrid(elements(y), 64, settings),
      },
    ];
  },
  tensorflow: (tf, [y, bias]) => [tf.add(y, bias)],
};
