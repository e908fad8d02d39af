/** Generation with a KV cache: writing new keys and values, and attending from one new token a slot. Inference only. */
import { flatGrid, value } from '../gpu/dispatch.ts';
import { attentionConstants, type AttentionSettings } from './attention.ts';
import { elements, type Graph, type Op, type Value } from './graph.ts';

/** cache[slots[t], positions[t]] = x[t]. @param cache [S, L, width] state @param x [T, width] @param slots, positions [T] u32; a slot >= S drops the token */
export function cacheWrite(graph: Graph, cache: Value, x: Value, slots: Value, positions: Value): void {
  graph.append(cacheWriteOp, [x, slots, positions], {}, [cache]);
}

/** @param q [S, heads · d] @param keys, values [S, L, keyHeads · d] state @param positions [S] u32: attends to 0..position @returns [S, heads · d] */
export function attentionDecode(graph: Graph, q: Value, keys: Value, values: Value, positions: Value, settings: AttentionSettings): Value {
  return graph.append(attentionDecodeOp, [q, keys, values, positions], { window: 0, softcap: 0, ...settings })[0];
}

export const cacheWriteOp: Op = {
  name: 'cacheWrite',
  outputs() {
    throw new Error('cacheWrite writes to state only');
  },
  dispatches({ inputs: [x, slots, positions], outputs: [cache] }, settings) {
    return [
      {
        shader: 'cache_write',
        constants: { T: x.shape[0], WIDTH: x.shape[1], SLOTS: cache.shape[0], LENGTH: cache.shape[1] },
        bindings: { 0: value(cache), 1: value(x), 2: value(slots), 3: value(positions) },
        workgroups: flatGrid(elements(x), 64, settings),
      },
    ];
  },
};

export const attentionDecodeOp: Op = {
  name: 'attentionDecode',
  outputs: ([q]) => [{ shape: q.shape }],
  dispatches({ inputs: [q, keys, values, positions], outputs: [o], attributes }, settings) {
    const constants = { LENGTH: keys.shape[1], WORKGROUP: settings.rowWorkgroup, ...attentionConstants(attributes) };
    return [
      {
        shader: 'attention_decode',
        constants,
        bindings: { 0: value(o), 1: value(q), 2: value(keys), 3: value(values), 4: value(positions) },
        workgroups: [constants.HEADS, q.shape[0], 1],
      },
    ];
  },
};
