/** y = a + b: the residual connection. The gradient passes to both. */
import { flatGrid, value } from '../../gpu/dispatch.ts';
import { elements, type Graph, type Op, type Value } from '../../graph/graph.ts';

/** @param a, b of one shape @returns that shape */
export function add(graph: Graph, a: Value, b: Value): Value {
  return graph.append(addOp, [a, b])[0];
}

export const addOp: Op = {
  name: 'add',
  outputs([a, b]) {
    if (elements(a) !== elements(b)) throw new Error(`add: [${a.shape}] and [${b.shape}]`);
    return [{ shape: a.shape }];
  },
  gradient(backward, { inputs: [a, b] }, [dy]) {
    if (!dy) return;
    backward.pass(a, dy);
    backward.pass(b, dy);
  },
  dispatches({ inputs: [a, b], outputs: [y] }, settings) {
    return [
      {
        shader: 'add',
        constants: { COUNT: elements(y) },
        bindings: { 0: value(y), 1: value(a), 2: value(b) },
        workgroups: flatGrid(elements(y), 64, settings),
      },
    ];
  },
  tensorflow: (tf, [a, b]) => [tf.add(a, b)],
};
