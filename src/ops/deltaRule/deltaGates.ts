/**
 * The gates of a gated delta net, from two projections of its input (modeling_qwen3_5.py): the logarithm of
 * the decay −exp(w) · softplus(a) and beta = σ(b), one of each a value head.
 */
import { flatGrid, value } from '../../gpu/dispatch.ts';
import type { Graph } from '../../graph/graph.ts';
import type { NoAttributes, Op } from '../../graph/op.ts';
import { elements, type Value } from '../../graph/value.ts';
import { weightBindings, weightKind } from '../weights/weightBindings.ts';

interface DeltaGatesInputs {
  /** [T, heads] each. */
  a: Value;
  b: Value;
  /** [heads], `A_log` of the checkpoint. */
  weight: Value;
}

/** @returns [T, 2 · heads]: the logarithms of the decays of each row, then its betas */
export function deltaGates(graph: Graph, a: Value, b: Value, weight: Value): Value {
  return graph.append(deltaGatesOp, { a, b, weight })[0];
}

function constants({ a, weight }: DeltaGatesInputs) {
  return { T: a.shape[0], HEADS: a.shape[1], WEIGHT_KIND: weightKind(weight) };
}

export const deltaGatesOp: Op<DeltaGatesInputs, NoAttributes> = {
  name: 'deltaGates',
  outputs({ a, b, weight }) {
    if (a.shape[1] !== b.shape[1] || a.shape[1] !== elements(weight))
      throw new Error(
        `deltaGates: [${a.shape}], [${b.shape}] and [${weight.shape}] are not of the same heads`,
      );
    return [{ shape: [a.shape[0], 2 * a.shape[1]] }];
  },
  gradient(backward, { inputs: { a, b, weight } }, [dgates]) {
    if (dgates) backward.emitAll([a, b], deltaGatesDxOp, { a, b, weight, dgates }, {});
  },
  dispatches({ inputs, outputs: [gates] }, settings) {
    const { a, b, weight } = inputs;
    return [
      {
        shader: 'delta_gates',
        constants: constants(inputs),
        bindings: { gates: value(gates), a: value(a), b: value(b), ...weightBindings(weight) },
        workgroups: flatGrid(elements(a), 64, settings),
      },
    ];
  },
  tensorflow: (tf, { a, b, weight }) => [
    tf.concat([tf.mul(tf.neg(tf.exp(weight)), tf.softplus(a)), tf.sigmoid(b)], 1),
  ],
};

const deltaGatesDxOp: Op<DeltaGatesInputs & { dgates: Value }, NoAttributes> = {
  name: 'deltaGatesDx',
  outputs: ({ a, b }) => [{ shape: a.shape }, { shape: b.shape }],
  dispatches({ inputs, outputs: [da, db] }, settings) {
    const { a, b, weight, dgates } = inputs;
    return [
      {
        shader: 'delta_gates_dx',
        constants: constants(inputs),
        bindings: {
          da: value(da),
          db: value(db),
          a: value(a),
          b: value(b),
          dgates: value(dgates),
          ...weightBindings(weight),
        },
        workgroups: flatGrid(elements(a), 64, settings),
      },
    ];
  },
};
