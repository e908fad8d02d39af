/**
 * Generation with a KV cache: writing new keys and values, and attention from one new token of each slot.
 * Inference only: nothing flows back.
 */
import { flatGrid, value } from '../../gpu/dispatch.ts';
import type { Graph } from '../../graph/graph.ts';
import { isNodeOf, type Node, type NoAttributes, type Op } from '../../graph/op.ts';
import { elements, type Value } from '../../graph/value.ts';
import { rowReduction } from '../norm/rowGrid.ts';
import { ropeDispatch, ropeOp, type RopeAttributes } from '../rope/rope.ts';
import {
  attentionAttributes,
  attentionConstants,
  type AttentionAttributes,
  type AttentionSettings,
} from './attentionVariants.ts';
import {
  decodeConstants,
  ropeAttentionDecodeOp,
  type RopeAttentionAttributes,
  type RopeCacheInputs,
} from './ropeAttentionDecode.ts';

interface CacheWriteInputs {
  k: Value;
  v: Value;
  slots: Value;
  positions: Value;
}

/**
 * keys[slots[t], positions[t]] = k[t], and values likewise. @param keys, values [S, L, width] state
 * @param k, v [T, width] @param slots, positions [T] u32; a token whose slot is S or more is not written
 */
export function cacheWrite(
  graph: Graph,
  { keys, values }: { keys: Value; values: Value },
  k: Value,
  v: Value,
  slots: Value,
  positions: Value,
): void {
  graph.appendInto([keys, values], cacheWriteOp, { k, v, slots, positions }, {});
}

interface AttentionDecodeInputs {
  q: Value;
  keys: Value;
  values: Value;
  positions: Value;
}

/**
 * @param q [S, heads · d] @param keys, values [S, L, keyHeads · d] state @param positions [S] u32: a token
 * attends to positions 0 to its own @returns [S, heads · d]
 */
export function attentionDecode(
  graph: Graph,
  q: Value,
  keys: Value,
  values: Value,
  positions: Value,
  settings: AttentionSettings,
): Value {
  const inputs = { q, keys, values, positions };
  return graph.append(attentionDecodeOp, inputs, attentionAttributes(settings))[0];
}

export const cacheWriteOp: Op<CacheWriteInputs, NoAttributes> = {
  name: 'cacheWrite',
  outputs() {
    throw new Error('cacheWrite writes to state only');
  },
  fuse(previous, node, settings, readsOf) {
    const { k, v, slots, positions } = node.inputs;
    if (!isNodeOf(previous, ropeOp)) return null;
    const { table, rows, xs } = previous.inputs;
    if (
      xs.length !== 2 ||
      previous.outputs[1] !== k ||
      rows !== positions ||
      readsOf(k) !== 1 ||
      settings.maxStorageBuffers < ROPE_CACHE_BUFFERS
    )
      return null;
    const outputs = [previous.outputs[0], ...node.outputs];
    const fused: Node<RopeCacheInputs, RopeAttributes> = {
      ...node,
      op: ropeCacheOp,
      inputs: { table, rows, q: xs[0], k: xs[1], v, slots },
      outputs,
      attributes: previous.attributes,
      inPlaceOf: outputs.map(() => undefined),
    };
    return fused;
  },
  dispatches({ inputs: { k, v, slots, positions }, outputs: [keys, values] }, settings) {
    return [
      {
        shader: 'cache_write',
        constants: { T: k.shape[0], WIDTH: k.shape[1], SLOTS: keys.shape[0], LENGTH: keys.shape[1] },
        bindings: {
          keys: value(keys),
          values: value(values),
          k: value(k),
          v: value(v),
          slots: value(slots),
          positions: value(positions),
        },
        workgroups: flatGrid(elements(k), 64, settings),
      },
    ];
  },
};

/** Angles, rows and slots; queries, keys and values, read and written. */
const ROPE_CACHE_BUFFERS = 9;

/**
 * Rotates queries and keys and writes the keys, which only the cache needs, straight to it, together with the
 * values. Only plans contain it. Outputs: the rotated queries, and the cache's keys and values.
 */
const ropeCacheOp: Op<RopeCacheInputs, RopeAttributes> = {
  name: 'ropeCache',
  outputs() {
    throw new Error('ropeCache is fused from rope and cacheWrite');
  },
  dispatches: ({ inputs: { table, rows, q, k, v, slots }, outputs, attributes }, settings) => [
    ropeDispatch({ table, rows }, [q, k, v], outputs, attributes, settings, slots),
  ],
};

export const attentionDecodeOp: Op<AttentionDecodeInputs, AttentionAttributes> = {
  name: 'attentionDecode',
  outputs: ({ q }) => [{ shape: q.shape }],
  fuse(previous, node, { target }, readsOf) {
    const { q, keys, values, positions } = node.inputs;
    if (target !== 'gpu' || !isNodeOf(previous, ropeCacheOp)) return null;
    const [rotated, ...cache] = previous.outputs;
    const { inputs } = previous;
    if (rotated !== q || readsOf(q) !== 1 || cache[0] !== keys || cache[1] !== values) return null;
    if (previous.attributes.inverse) return null;
    if (inputs.rows !== positions || inputs.k.shape[0] !== keys.shape[0]) return null;
    const outputs = [...node.outputs, ...cache];
    const fused: Node<RopeCacheInputs, RopeAttentionAttributes> = {
      ...node,
      op: ropeAttentionDecodeOp,
      inputs,
      outputs,
      attributes: { ...previous.attributes, ...node.attributes },
      inPlaceOf: outputs.map(() => undefined),
    };
    return fused;
  },
  dispatches({ inputs: { q, keys, values, positions }, outputs: [o], attributes }, settings) {
    const constants = { LENGTH: keys.shape[1], ...attentionConstants(attributes) };
    const [slots] = q.shape;
    const rows = slots * constants.HEADS;
    if (settings.target === 'cpu')
      return [
        {
          shader: 'attention_decode_serial',
          constants: { ...constants, ROWS: rows },
          bindings: {
            o: value(o),
            q: value(q),
            k: value(keys),
            v: value(values),
            positions: value(positions),
          },
          workgroups: rowReduction(rows, settings).workgroups,
        },
      ];
    return [
      {
        shader: 'attention_decode',
        constants: { ...decodeConstants(attributes, keys), ROTATES: false },
        bindings: {
          o: value(o),
          q: value(q),
          keys: value(keys),
          values: value(values),
          positions: value(positions),
        },
        workgroups: [constants.HEADS, slots, 1],
      },
    ];
  },
};
