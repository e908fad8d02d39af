/** y = activation(x), element by element: what follows the short convolution of a gated delta net. */
import { flatGrid, value } from '../../gpu/dispatch.ts';
import type { Graph } from '../../graph/graph.ts';
import type { AccumulatingOp, Accumulator, Op } from '../../graph/op.ts';
import { elements, type Value } from '../../graph/value.ts';
import { activate as activated } from './gated.ts';
import type { Activation } from './activation.ts';

interface ActivateAttributes {
  activation: Activation;
}

/** @param x any shape @returns as x */
export function activate(graph: Graph, x: Value, activation: Activation): Value {
  return graph.append(activateOp, { x }, { activation })[0];
}

export const activateOp: Op<{ x: Value }, ActivateAttributes> = {
  name: 'activate',
  outputs: ({ x }) => [{ shape: x.shape }],
  gradient(backward, { inputs: { x }, attributes }, [dy]) {
    if (dy) backward.emit(x, activateDxOp, { x, dy }, attributes);
  },
  dispatches({ inputs: { x }, outputs: [y], attributes: { activation } }, settings) {
    return [
      {
        shader: 'activate',
        constants: constants(y, activation, false),
        bindings: { y: value(y), x: value(x) },
        workgroups: flatGrid(elements(y), 64, settings),
      },
    ];
  },
  tensorflow: (tf, { x }, { attributes: { activation } }) => [activated(tf, x, activation)],
};

const activateDxOp: AccumulatingOp<{ x: Value; dy: Value } & Accumulator, ActivateAttributes> = {
  name: 'activateDx',
  accumulates: true,
  outputs: ({ x, sum }) => [{ shape: x.shape, inPlaceOf: sum }],
  dispatches({ inputs: { x, dy, sum }, outputs: [dx], attributes: { activation } }, settings) {
    return [
      {
        shader: 'activate',
        constants: { ...constants(dx, activation, true), ACCUMULATE: sum !== undefined },
        bindings: { y: value(dx), x: value(x), dy: value(dy) },
        workgroups: flatGrid(elements(dx), 64, settings),
      },
    ];
  },
};

function constants(y: Value, activation: Activation, gradient: boolean) {
  return {
    COUNT: elements(y),
    ACTIVATION: activation,
    GRADIENT: gradient,
    ACCUMULATE: false,
    VECTOR_WIDTH: 1,
  };
}
