/**
 * Causal grouped-query attention within documents, with optional sliding window and softcap: the forward pass
 * in the style of FlashAttention (arXiv:2205.14135). Its gradients are in attentionBackward.ts.
 */
import { flatGrid, value } from '../../gpu/dispatch.ts';
import type { Graph } from '../../graph/graph.ts';
import type { Op } from '../../graph/op.ts';
import type { Value } from '../../graph/value.ts';
import { attentionDeltaOp, attentionDkvOp, attentionDqOp } from './attentionBackward.ts';
import {
  attentionAttributes,
  attentionVariant,
  type AttentionAttributes,
  type AttentionSettings,
} from './attentionVariants.ts';

interface AttentionInputs {
  /** [T, heads · d] */
  q: Value;
  /** [T, keyHeads · d] each. */
  k: Value;
  v: Value;
  /** [T] u32 each: the first token of each token's document, and the one after its last. */
  documentStart: Value;
  documentEnd: Value;
}

/**
 * @param q [T, heads · d] @param k, v [T, keyHeads · d] @param documents [T] u32 each: the first token of
 * each token's document, and the one after its last @returns [T, heads · d]
 */
export function attention(
  graph: Graph,
  q: Value,
  k: Value,
  v: Value,
  documents: { start: Value; end: Value },
  settings: AttentionSettings,
): Value {
  const inputs = { q, k, v, documentStart: documents.start, documentEnd: documents.end };
  return graph.append(attentionOp, inputs, attentionAttributes(settings))[0];
}

/** Outputs: o [T, heads · d], and the log-sum-exp of each query's and head's scores [T, heads]. */
export const attentionOp: Op<AttentionInputs, AttentionAttributes> = {
  name: 'attention',
  outputs: ({ q }, { heads }) => [{ shape: q.shape }, { shape: [q.shape[0], heads] }],
  gradient(backward, { inputs, outputs: [o, lse], attributes }, [dO]) {
    if (!dO) return;
    const { q, k, v, documentStart, documentEnd } = inputs;
    const stats = backward.append(attentionDeltaOp, { o, dO, lse }, attributes)[0];
    backward.emitAll([q], attentionDqOp, { q, k, v, dO, stats, documentStart }, attributes);
    backward.emitAll([k, v], attentionDkvOp, { q, k, v, dO, stats, documentEnd }, attributes);
  },
  dispatches({ inputs: { q, k, v, documentStart }, outputs: [o, lse], attributes }, settings) {
    const tokens = q.shape[0];
    const variant = attentionVariant('forward', tokens, attributes, settings);
    const { constants } = variant;
    const bindings = {
      o: value(o),
      lse: value(lse),
      q: value(q),
      k: value(k),
      v: value(v),
      document_start: value(documentStart),
    };
    if (variant.name === 'serial') {
      const workgroups = flatGrid(tokens * attributes.heads, 64, settings);
      return [{ shader: 'attention_serial', constants, bindings, workgroups }];
    }
    return [
      {
        shader: variant.name === 'matrix' ? 'attention_subgroup_matrix' : 'attention_tiled',
        constants,
        bindings,
        workgroups: [Math.ceil(tokens / variant.blockRows), attributes.heads, 1],
      },
    ];
  },
  tensorflow(tf, { q, k, v, documentStart }, { attributes }) {
    const { heads, keyHeads, headDim, scale, window, softcap } = attributes;
    const tokens = q.shape[0];
    const group = heads / keyHeads;
    const perHead = (x: typeof q, count: number) =>
      tf.transpose(tf.reshape(x, [tokens, count, headDim]), [1, 0, 2]);
    const perQueryHead = (x: typeof q) => {
      const ofKeys = perHead(x, keyHeads);
      return group === 1
        ? ofKeys
        : tf.reshape(tf.tile(tf.expandDims(ofKeys, 1), [1, group, 1, 1]), [heads, tokens, headDim]);
    };
    let scores = tf.mul(tf.matMul(perHead(q, heads), perQueryHead(k), false, true), scale);
    if (softcap > 0) scores = tf.mul(tf.tanh(tf.div(scores, softcap)), softcap);
    const query = tf.expandDims(tf.range(0, tokens), 1);
    const key = tf.expandDims(tf.range(0, tokens), 0);
    let seen = tf.logicalAnd(
      tf.lessEqual(key, query),
      tf.greaterEqual(key, tf.expandDims(tf.cast(documentStart, 'float32'), 1)),
    );
    if (window > 0) seen = tf.logicalAnd(seen, tf.greater(key, tf.sub(query, window)));
    const masked = tf.add(scores, tf.expandDims(tf.mul(tf.sub(tf.cast(seen, 'float32'), 1), 1e9), 0));
    const o = tf.matMul(tf.softmax(masked), perQueryHead(v));
    return [tf.reshape(tf.transpose(o, [1, 0, 2]), q.shape), tf.transpose(tf.logSumExp(masked, 2))];
  },
};
