/**
 * An output gate a head: y[t, h, i] = σ(gate[t, h]) · x[t, h, i], as LFM3's attention has it (modeling_lfm3.py).
 * dx = σ(gate) · dy; dgate[t, h] = σ'(gate) · Σ_i x[t, h, i] dy[t, h, i].
 */
import { flatGrid, value } from '../../gpu/dispatch.ts';
import { elements, type Graph, type Op, type Value } from '../../graph/graph.ts';

/** @param x [T, heads · d] @param gate [T, heads], before the logistic function @returns as x */
export function headGate(graph: Graph, x: Value, gate: Value): Value {
  return graph.append(headGateOp, [x, gate])[0];
}

/** Inputs: x (or dy), gate, and the sum so far where it accumulates. */
export const headGateOp: Op = {
  name: 'headGate',
  outputs([x, gate, sum]) {
    if (x.shape[0] !== gate.shape[0] || x.shape[1] % gate.shape[1] !== 0)
      throw new Error(`headGate: [${x.shape}] is not made of heads for the gate [${gate.shape}]`);
    return [{ shape: x.shape, inPlaceOf: sum ? 2 : undefined }];
  },
  gradient(backward, { inputs: [x, gate] }, [dy]) {
    if (!dy) return;
    backward.emit(x, headGateOp, [dy, gate]);
    backward.emitAll([gate], headGateDgateOp, [x, gate, dy]);
  },
  dispatches({ inputs: [x, gate], outputs: [y], attributes }, settings) {
    return [
      {
        shader: 'head_gate',
        constants: {
          COUNT: elements(y),
          D: x.shape[1] / gate.shape[1],
          ACCUMULATE: attributes.accumulate === true,
        },
        bindings: { 0: value(y), 1: value(x), 2: value(gate) },
        workgroups: flatGrid(elements(y), 64, settings),
      },
    ];
  },
  tensorflow(tf, [x, gate]) {
    const heads = tf.reshape(x, [...gate.shape, -1]);
    return [tf.reshape(tf.mul(heads, tf.expandDims(tf.sigmoid(gate), 2)), x.shape)];
  },
};

const headGateDgateOp: Op = {
  name: 'headGateDgate',
  outputs: ([, gate]) => [{ shape: gate.shape }],
  dispatches({ inputs: [x, gate, dy], outputs: [dgate] }, settings) {
    return [
      {
        shader: 'head_gate_dgate',
        constants: { COUNT: elements(gate), D: x.shape[1] / gate.shape[1] },
        bindings: { 0: value(dgate), 1: value(x), 2: value(gate), 3: value(dy) },
        workgroups: flatGrid(elements(gate), 64, settings),
      },
    ];
  },
};
