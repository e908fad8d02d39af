/**
 * Gated activation: y = activation(gate) · up. SwiGLU with silu, GeGLU with gelu_tanh (arXiv:2002.05202); an
 * output gate with sigmoid; with identity a plain product; with relu and gate = up the squared ReLU
 * (arXiv:2109.08668).
 */
import { flatGrid, value } from '../../gpu/dispatch.ts';
import type { Graph } from '../../graph/graph.ts';
import type { Op } from '../../graph/op.ts';
import type { TensorFlow, TensorFlowTensor } from '../../graph/tensorflowTypes.ts';
import { elements, type Value } from '../../graph/value.ts';
import { fuseGated } from '../lora/linearLora.ts';
import type { Activation } from './activation.ts';

interface GatedInputs {
  gate: Value;
  up: Value;
}

interface GatedAttributes {
  activation: Activation;
}

/** @param gate, up [T, I] @returns [T, I] */
export function gated(graph: Graph, gate: Value, up: Value, activation: Activation): Value {
  return graph.append(gatedOp, { gate, up }, { activation })[0];
}

/** An activation in TensorFlow.js. */
export function activate(tf: TensorFlow, x: TensorFlowTensor, activation: Activation): TensorFlowTensor {
  switch (activation) {
    case 'relu':
      return tf.relu(x);
    case 'sigmoid':
      return tf.sigmoid(x);
    case 'identity':
      return x;
    case 'silu':
      return tf.mul(x, tf.sigmoid(x));
    case 'gelu_tanh': {
      const inner = tf.mul(tf.add(x, tf.mul(tf.mul(x, tf.square(x)), 0.044715)), Math.sqrt(2 / Math.PI));
      return tf.mul(tf.mul(x, 0.5), tf.add(tf.tanh(inner), 1));
    }
  }
}

/** An invocation computes four elements where their number is a multiple of four. */
function vectorised(y: Value) {
  const count = elements(y);
  return count % 4 === 0
    ? { count: count / 4, constants: { COUNT: count / 4, VECTOR_WIDTH: 4 } }
    : { count, constants: { COUNT: count, VECTOR_WIDTH: 1 } };
}

export const gatedOp: Op<GatedInputs, GatedAttributes> = {
  name: 'gated',
  isCheap: true,
  outputs: ({ gate }) => [{ shape: gate.shape }],
  gradient(backward, { inputs: { gate, up }, attributes }, [dy]) {
    if (dy) backward.emitAll([gate, up], gatedDxOp, { gate, up, dy }, attributes);
  },
  dispatches({ inputs: { gate, up }, outputs: [y], attributes: { activation } }, settings) {
    const { count, constants } = vectorised(y);
    return [
      {
        shader: 'gated',
        constants: { ...constants, ACTIVATION: activation },
        bindings: { y: value(y), gate: value(gate), up: value(up) },
        workgroups: flatGrid(count, 64, settings),
      },
    ];
  },
  fuse: (previous, node, settings, readsOf) =>
    fuseGated(previous, node, node.inputs, node.attributes.activation, settings, readsOf),
  tensorflow: (tf, { gate, up }, { attributes: { activation } }) => [
    tf.mul(activate(tf, gate, activation), up),
  ],
};

/** Each gradient may take over the storage of what it is the gradient of. */
export const gatedDxOp: Op<GatedInputs & { dy: Value }, GatedAttributes> = {
  name: 'gatedDx',
  outputs: ({ gate, up }) => [{ shape: gate.shape }, { shape: up.shape }],
  takesOver: ({ gate, up }) => (gate === up ? null : [gate, up]),
  dispatches(node, settings) {
    const { gate, up, dy } = node.inputs;
    const [dGate, dUp] = node.outputs;
    const { count, constants } = vectorised(dy);
    const isInPlace = node.inPlaceOf[0] !== undefined;
    return [
      {
        shader: 'gated_dx',
        constants: { ...constants, IN_PLACE: isInPlace, ACTIVATION: node.attributes.activation },
        bindings: {
          dgate: value(dGate),
          dup: value(dUp),
          dy: value(dy),
          ...(isInPlace ? {} : { gate: value(gate), up: value(up) }),
        },
        workgroups: flatGrid(count, 64, settings),
      },
    ];
  },
};
