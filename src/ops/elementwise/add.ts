/** y = a + b: the residual connection. The gradient passes to both. */
import { flatGrid, value } from '../../gpu/dispatch.ts';
import type { Graph } from '../../graph/graph.ts';
import type { NoAttributes, Op } from '../../graph/op.ts';
import { elements, type Value } from '../../graph/value.ts';

interface AddInputs {
  a: Value;
  b: Value;
}

/** @param a, b of one shape @returns that shape */
export function add(graph: Graph, a: Value, b: Value): Value {
  return graph.append(addOp, { a, b })[0];
}

export const addOp: Op<AddInputs, NoAttributes> = {
  name: 'add',
  outputs({ a, b }) {
    if (elements(a) !== elements(b)) throw new Error(`add: [${a.shape}] and [${b.shape}]`);
    return [{ shape: a.shape }];
  },
  gradient(backward, { inputs: { a, b } }, [dy]) {
    if (!dy) return;
    backward.pass(a, dy);
    backward.pass(b, dy);
  },
  dispatches({ inputs: { a, b }, outputs: [y] }, settings) {
    return [
      {
        shader: 'add',
        constants: { COUNT: elements(y) },
        bindings: { y: value(y), a: value(a), b: value(b) },
        workgroups: flatGrid(elements(y), 64, settings),
      },
    ];
  },
  tensorflow: (tf, { a, b }) => [tf.add(a, b)],
};
