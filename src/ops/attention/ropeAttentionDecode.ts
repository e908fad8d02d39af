/** Attention from one new token of each slot, with its rotation and the writing of the cache, as a kernel. */
import { value, type Dispatch } from '../../gpu/dispatch.ts';
import type { Op } from '../../graph/op.ts';
import type { Value } from '../../graph/value.ts';
import type { RopeAngles, RopeAttributes } from '../rope/rope.ts';
import { attentionConstants, type AttentionAttributes } from './attentionVariants.ts';

export interface RopeCacheInputs extends RopeAngles {
  q: Value;
  k: Value;
  v: Value;
  slots: Value;
}

export type RopeAttentionAttributes = RopeAttributes & AttentionAttributes;

/** Invocations that share a slot and head on a GPU. */
const DECODE_INVOCATIONS = 256;

/** Of attention_decode.wgsl. @param keys [S, L, keyHeads · d] state */
export function decodeConstants(attributes: AttentionAttributes, keys: Value) {
  const constants = attentionConstants(attributes);
  const vectors = constants.D / constants.VECTOR_WIDTH;
  const UNROLLED = [4, 2, 1].find((unrolled) => vectors % unrolled === 0)!;
  return {
    LENGTH: keys.shape[1],
    ...constants,
    WORKGROUP: DECODE_INVOCATIONS,
    UNROLLED,
    VALUES: 4,
    NEXT_RANK: 0,
  };
}

/**
 * Rotates queries and keys, writes the new keys and values to the cache and attends, all in one kernel on a
 * GPU. Only plans contain it. Outputs: o [S, heads · d], and the cache's keys and values.
 */
export const ropeAttentionDecodeOp: Op<RopeCacheInputs, RopeAttentionAttributes> = {
  name: 'ropeAttentionDecode',
  outputs() {
    throw new Error('ropeAttentionDecode is fused from ropeCache and attentionDecode');
  },
  dispatches: ({ inputs, outputs: [o, ...cache], attributes }) => [
    ropeAttentionDecodeDispatch(inputs, o, cache, attributes),
  ],
};

/** @param o written, [S, heads · d] @param cache its keys and values, written */
export function ropeAttentionDecodeDispatch(
  { table, rows, q, k, v, slots }: RopeCacheInputs,
  o: Value,
  [keys, values]: readonly Value[],
  attributes: RopeAttentionAttributes,
): Dispatch {
  return {
    shader: 'attention_decode',
    constants: {
      ...decodeConstants(attributes, keys),
      ROTATES: true,
      SLOTS: keys.shape[0],
      P: table.shape[0],
      ROTATED: table.shape[1],
      INTERLEAVED: attributes.interleaved,
    },
    bindings: {
      o: value(o),
      q: value(q),
      keys: value(keys),
      values: value(values),
      positions: value(rows),
      k_new: value(k),
      v_new: value(v),
      slots: value(slots),
      angles: value(table),
    },
    workgroups: [attributes.heads, q.shape[0], 1],
  };
}
