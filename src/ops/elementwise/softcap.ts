/** y = cap · tanh(x / cap): how Gemma keeps logits small (arXiv:2408.00118). */
import { flatGrid, value } from '../../gpu/dispatch.ts';
import type { Graph } from '../../graph/graph.ts';
import type { AccumulatingOp, Accumulator, Op } from '../../graph/op.ts';
import { elements, type Value } from '../../graph/value.ts';

interface SoftcapAttributes {
  /** Positive. */
  cap: number;
}

/** @param x any shape @param cap positive @returns as x */
export function softcap(graph: Graph, x: Value, cap: number): Value {
  return graph.append(softcapOp, { x }, { cap })[0];
}

export const softcapOp: Op<{ x: Value }, SoftcapAttributes> = {
  name: 'softcap',
  outputs: ({ x }) => [{ shape: x.shape }],
  gradient(backward, { inputs: { x }, outputs: [y], attributes }, [dy]) {
    if (dy) backward.emit(x, softcapDxOp, { y, dy }, attributes);
  },
  dispatches({ inputs: { x }, outputs: [y], attributes: { cap } }, settings) {
    return [
      {
        shader: 'softcap',
        constants: { COUNT: elements(y), CAP: { f32: cap } },
        bindings: { y: value(y), x: value(x) },
        workgroups: flatGrid(elements(y), 64, settings),
      },
    ];
  },
  tensorflow: (tf, { x }, { attributes: { cap } }) => [tf.mul(tf.tanh(tf.div(x, cap)), cap)],
};

/** dx = dy (1 - (y / cap)²), from the op's output. */
export const softcapDxOp: AccumulatingOp<{ y: Value; dy: Value } & Accumulator, SoftcapAttributes> = {
  name: 'softcapDx',
  accumulates: true,
  outputs: ({ y, sum }) => [{ shape: y.shape, inPlaceOf: sum }],
  dispatches({ inputs: { y, dy, sum }, outputs: [dx], attributes: { cap } }, settings) {
    return [
      {
        shader: 'softcap_dx',
        constants: { COUNT: elements(y), CAP: { f32: cap }, ACCUMULATE: sum !== undefined },
        bindings: { dx: value(dx), y: value(y), dy: value(dy) },
        workgroups: flatGrid(elements(y), 64, settings),
      },
    ];
  },
};
