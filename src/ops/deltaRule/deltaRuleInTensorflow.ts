/** The gated delta rule in TensorFlow.js, token after token. */
import type { Op } from '../../graph/op.ts';
import type { GatedDeltaAttributes, GatedDeltaInputs } from './deltaOperands.ts';

type InTensorflow = NonNullable<Op<GatedDeltaInputs, GatedDeltaAttributes>['tensorflow']>;

/** @returns o alone: what the backward kernels need beside it is not computed */
export const deltaRuleInTensorflow: InTensorflow = (
  tf,
  { q, k, v, gates },
  {
    inputs: {
      start,
      v: { shape },
    },
    attributes,
  },
  host,
) => {
  const { keyHeads, valueHeads, keyDim, valueDim } = attributes;
  const [tokens] = shape;
  const first = host(start);
  const group = valueHeads / keyHeads;
  /** @returns [T, valueHeads, keyDim, 1] */
  const perValueHead = (x: typeof q) =>
    tf.reshape(tf.tile(tf.reshape(x, [tokens, keyHeads, 1, keyDim]), [1, 1, group, 1]), [
      tokens,
      valueHeads,
      keyDim,
      1,
    ]);
  const queries = tf.unstack(perValueHead(q));
  const keys = tf.unstack(perValueHead(k));
  const values = tf.unstack(tf.reshape(v, [tokens, valueHeads, 1, valueDim]));
  const [decays, betas] = tf
    .split(tf.reshape(gates, [tokens, 2, valueHeads, 1, 1]), 2, 1)
    .map((part) => tf.unstack(tf.reshape(part, [tokens, valueHeads, 1, 1])));
  let state: typeof q = tf.zeros([valueHeads, keyDim, valueDim]);
  const rows = queries.map((query, t) => {
    if (first[t] === t) state = tf.zeros([valueHeads, keyDim, valueDim]);
    state = tf.mul(state, tf.exp(decays[t]));
    const error = tf.sub(values[t], tf.sum(tf.mul(state, keys[t]), 1, true));
    state = tf.add(state, tf.mul(keys[t], tf.mul(error, betas[t])));
    return tf.reshape(tf.sum(tf.mul(state, query), 1), [valueHeads * valueDim]);
  });
  return [tf.stack(rows)];
};
