/** y = cap · tanh(x / cap): how Gemma keeps logits small (arXiv:2408.00118). */
import { flatGrid, value } from '../../gpu/dispatch.ts';
import { elements, type Graph, type Op, type Value } from '../../graph/graph.ts';

/** @param x any shape @param cap positive @returns as x */
export function softcap(graph: Graph, x: Value, cap: number): Value {
  return graph.append(softcapOp, [x], { cap })[0];
}

export const softcapOp: Op = {
  name: 'softcap',
  outputs: ([x]) => [{ shape: x.shape }],
  gradient(backward, { inputs: [x], outputs: [y], attributes }, [dy]) {
    if (dy) backward.emit(x, softcapDxOp, [y, dy], attributes);
  },
  dispatches({ inputs: [x], outputs: [y], attributes }, settings) {
    return [
      {
        shader: 'softcap',
        constants: { COUNT: elements(y), CAP: { f32: attributes.cap as number } },
        bindings: { 0: value(y), 1: value(x) },
        workgroups: flatGrid(elements(y), 64, settings),
      },
    ];
  },
  tensorflow: (tf, [x], { attributes: { cap } }) => [
    tf.mul(tf.tanh(tf.div(x, cap as number)), cap as number),
  ],
};

/** Inputs: y, dy, and the sum so far where it accumulates. */
export const softcapDxOp: Op = {
  name: 'softcapDx',
  outputs: ([y, , sum]) => [{ shape: y.shape, inPlaceOf: sum ? 2 : undefined }],
  dispatches({ inputs: [y, dy], outputs: [dx], attributes }, settings) {
    return [
      {
        shader: 'softcap_dx',
        constants: {
          COUNT: elements(y),
          CAP: { f32: attributes.cap as number },
          ACCUMULATE: attributes.accumulate === true,
        },
        bindings: { 0: value(dx), 1: value(y), 2: value(dy) },
        workgroups: flatGrid(elements(y), 64, settings),
      },
    ];
  },
};
