/**
 * An output gate for each head: y[t, h, i] = σ(gate[t, h]) · x[t, h, i], as LFM3's attention has it
 * (modeling_lfm3.py). dx = σ(gate) · dy; dgate[t, h] = σ'(gate) · Σ_i x[t, h, i] dy[t, h, i].
 */
import { flatGrid, value } from '../../gpu/dispatch.ts';
import type { Graph } from '../../graph/graph.ts';
import type { AccumulatingOp, Accumulator, NoAttributes, Op } from '../../graph/op.ts';
import { elements, type Value } from '../../graph/value.ts';

interface HeadGateInputs extends Accumulator {
  /** [T, heads · d] */
  x: Value;
  /** [T, heads], before the logistic function. */
  gate: Value;
}

/** @param x [T, heads · d] @param gate [T, heads], before the logistic function @returns as x */
export function headGate(graph: Graph, x: Value, gate: Value): Value {
  return graph.append(headGateOp, { x, gate })[0];
}

/** The gradient with respect to x is the same op on dy. */
export const headGateOp: AccumulatingOp<HeadGateInputs> = {
  name: 'headGate',
  accumulates: true,
  outputs({ x, gate, sum }) {
    if (x.shape[0] !== gate.shape[0] || x.shape[1] % gate.shape[1] !== 0)
      throw new Error(`headGate: [${x.shape}] is not made of heads for the gate [${gate.shape}]`);
    return [{ shape: x.shape, inPlaceOf: sum }];
  },
  gradient(backward, { inputs: { x, gate } }, [dy]) {
    if (!dy) return;
    backward.emit(x, headGateOp, { x: dy, gate }, {});
    backward.emitAll([gate], headGateDgateOp, { x, gate, dy }, {});
  },
  dispatches({ inputs: { x, gate, sum }, outputs: [y] }, settings) {
    return [
      {
        shader: 'head_gate',
        constants: {
          COUNT: elements(y),
          D: x.shape[1] / gate.shape[1],
          ACCUMULATE: sum !== undefined,
        },
        bindings: { y: value(y), x: value(x), gate: value(gate) },
        workgroups: flatGrid(elements(y), 64, settings),
      },
    ];
  },
  tensorflow(tf, { x, gate }) {
    const heads = tf.reshape(x, [...gate.shape, -1]);
    return [tf.reshape(tf.mul(heads, tf.expandDims(tf.sigmoid(gate), 2)), x.shape)];
  },
};

const headGateDgateOp: Op<{ x: Value; gate: Value; dy: Value }, NoAttributes> = {
  name: 'headGateDgate',
  outputs: ({ gate }) => [{ shape: gate.shape }],
  dispatches({ inputs: { x, gate, dy }, outputs: [dgate] }, settings) {
    return [
      {
        shader: 'head_gate_dgate',
        constants: { COUNT: elements(gate), D: x.shape[1] / gate.shape[1] },
        bindings: { dgate: value(dgate), x: value(x), gate: value(gate), dy: value(dy) },
        workgroups: flatGrid(elements(gate), 64, settings),
      },
    ];
  },
};
