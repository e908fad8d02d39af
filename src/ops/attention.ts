/** Causal grouped-query attention within documents, with optional sliding window and softcap; forward and backward in flash style. */
import { flatGrid, value } from '../gpu/dispatch.ts';
import type { Attributes, Graph, Node, Op, Value } from './graph.ts';

export interface AttentionSettings {
  heads: number;
  keyHeads: number;
  headDim: number;
  /** Multiplies q·k: 1/√headDim in most families. */
  scale: number;
  /** Keys a query sees, itself included; 0: all of its document. */
  window?: number;
  /** score = cap · tanh(score / cap); 0: none. */
  softcap?: number;
}

/** @param q [T, heads · d] @param k, v [T, keyHeads · d] @param documents documentStart and documentEnd, [T] u32 each @returns [T, heads · d] */
export function attention(graph: Graph, q: Value, k: Value, v: Value, documents: { start: Value; end: Value }, settings: AttentionSettings): Value {
  return graph.append(attentionOp, [q, k, v, documents.start, documents.end], { window: 0, softcap: 0, ...settings })[0];
}

/** Constants that all attention kernels share. */
export function attentionConstants(attributes: Attributes) {
  const a = attributes as unknown as Required<AttentionSettings>;
  if (a.heads % a.keyHeads !== 0) throw new Error(`attention: ${a.heads} heads do not share ${a.keyHeads} key heads evenly`);
  return {
    HEADS: a.heads,
    GROUP: a.heads / a.keyHeads,
    D: a.headDim,
    SCALE: { f32: a.scale },
    WINDOW: a.window,
    SOFTCAP: { f32: a.softcap },
    VECTOR: `vector${a.headDim % 4 === 0 ? 4 : 2}`,
  };
}

export const attentionOp: Op = {
  name: 'attention',
  outputs: ([q], attributes) => [{ shape: q.shape }, { shape: [q.shape[0], attributes.heads as number] }],
  gradient(backward, { inputs: [q, k, v, start, end], outputs: [o, lse], attributes }, [dO]) {
    if (!dO) return;
    const stats = backward.graph.append(attentionDeltaOp, [o, dO, lse], attributes)[0];
    backward.emitAll([q], attentionDqOp, [q, k, v, dO, stats, start], attributes);
    backward.emitAll([k, v], attentionDkvOp, [q, k, v, dO, stats, end], attributes);
  },
  dispatches({ inputs: [q, k, v, start], outputs: [o, lse], attributes }, settings) {
    const tokens = q.shape[0];
    const constants = { T: tokens, ...attentionConstants(attributes) };
    return [
      {
        shader: 'attention',
        constants,
        bindings: { 0: value(o), 1: value(lse), 2: value(q), 3: value(k), 4: value(v), 5: value(start) },
        workgroups: flatGrid(tokens * constants.HEADS, 64, settings),
      },
    ];
  },
  tensorflow(tf, [q, k, v, start], { attributes }: Node) {
    const { HEADS: heads, GROUP: group, D: dim, SCALE, WINDOW: window, SOFTCAP } = attentionConstants(attributes);
    const tokens = q.shape[0]!;
    const perHead = (x: typeof q, count: number) => tf.transpose(tf.reshape(x, [tokens, count, dim]), [1, 0, 2]);
    const shared = (x: typeof q) => {
      const keyHeads = perHead(x, heads / group);
      return group === 1 ? keyHeads : tf.reshape(tf.tile(tf.expandDims(keyHeads, 1), [1, group, 1, 1]), [heads, tokens, dim]);
    };
    let scores = tf.mul(tf.matMul(perHead(q, heads), shared(k), false, true), SCALE.f32);
    if (SOFTCAP.f32 > 0) scores = tf.mul(tf.tanh(tf.div(scores, SOFTCAP.f32)), SOFTCAP.f32);
    const query = tf.expandDims(tf.range(0, tokens), 1);
    const key = tf.expandDims(tf.range(0, tokens), 0);
    let seen = tf.logicalAnd(tf.lessEqual(key, query), tf.greaterEqual(key, tf.expandDims(tf.cast(start, 'float32'), 1)));
    if (window > 0) seen = tf.logicalAnd(seen, tf.greater(key, tf.sub(query, window)));
    const masked = tf.add(scores, tf.expandDims(tf.mul(tf.sub(tf.cast(seen, 'float32'), 1), 1e9), 0));
    const o = tf.reshape(tf.transpose(tf.matMul(tf.softmax(masked), shared(v)), [1, 0, 2]), q.shape);
    return [o, tf.transpose(tf.logSumExp(masked, 2))];
  },
};

/** (lse, Σ o·do) a query and head: [T, heads, 2]. Inputs: o, do, lse. */
export const attentionDeltaOp: Op = {
  name: 'attentionDelta',
  outputs: ([, , lse]) => [{ shape: [...lse.shape, 2] }],
  dispatches({ inputs: [o, dO, lse], outputs: [stats], attributes }, settings) {
    const { HEADS, D, VECTOR } = attentionConstants(attributes);
    return [
      {
        shader: 'attention_delta',
        constants: { T: o.shape[0], HEADS, D, VECTOR },
        bindings: { 0: value(stats), 1: value(o), 2: value(dO), 3: value(lse) },
        workgroups: flatGrid(o.shape[0] * HEADS, 64, settings),
      },
    ];
  },
};

export const attentionDqOp: Op = {
  name: 'attentionDq',
  outputs: ([q]) => [{ shape: q.shape }],
  dispatches({ inputs: [q, k, v, dO, stats, start], outputs: [dq], attributes }, settings) {
    const constants = { T: q.shape[0], ...attentionConstants(attributes) };
    return [
      {
        shader: 'attention_dq',
        constants,
        bindings: { 0: value(dq), 1: value(q), 2: value(k), 3: value(v), 4: value(dO), 5: value(stats), 6: value(start) },
        workgroups: flatGrid(q.shape[0] * constants.HEADS, 64, settings),
      },
    ];
  },
};

export const attentionDkvOp: Op = {
  name: 'attentionDkv',
  outputs: ([, k, v]) => [{ shape: k.shape }, { shape: v.shape }],
  dispatches({ inputs: [q, k, v, dO, stats, end], outputs: [dk, dv], attributes }, settings) {
    const constants = { T: q.shape[0], ...attentionConstants(attributes) };
    return [
      {
        shader: 'attention_dkv',
        constants,
        bindings: { 0: value(dk), 1: value(dv), 2: value(q), 3: value(k), 4: value(v), 5: value(dO), 6: value(stats), 7: value(end) },
        workgroups: flatGrid((q.shape[0] * constants.HEADS) / constants.GROUP, 64, settings),
      },
    ];
  },
};
