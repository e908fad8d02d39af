/** Generation with a KV cache: writing new keys and values, and attending from one new token a slot. Inference only. */
import { flatGrid, value } from '../../gpu/dispatch.ts';
import { attentionConstants, type AttentionSettings } from './attention.ts';
import { elements, type Graph, type Op, type Value } from '../../graph/graph.ts';
import { ropeDispatch, ropeOp } from '../rope/rope.ts';
import { rowsShared } from '../norm/rowGrid.ts';

/** keys[slots[t], positions[t]] = k[t], and values likewise. @param keys, values [S, L, width] state @param k, v [T, width] @param slots, positions [T] u32; a slot >= S drops the token */
export function cacheWrite(
  graph: Graph,
  { keys, values }: { keys: Value; values: Value },
  k: Value,
  v: Value,
  slots: Value,
  positions: Value,
): void {
  graph.append(cacheWriteOp, [k, v, slots, positions], {}, [keys, values]);
}

/** @param q [S, heads · d] @param keys, values [S, L, keyHeads · d] state @param positions [S] u32: attends to 0..position @returns [S, heads · d] */
export function attentionDecode(
  graph: Graph,
  q: Value,
  keys: Value,
  values: Value,
  positions: Value,
  settings: AttentionSettings,
): Value {
  return graph.append(attentionDecodeOp, [q, keys, values, positions], {
    window: 0,
    softcap: 0,
    ...settings,
  })[0];
}

export const cacheWriteOp: Op = {
  name: 'cacheWrite',
  outputs() {
    throw new Error('cacheWrite writes to state only');
  },
  joined(before, node, settings, isReadOnce) {
    const [k, v, slots, positions] = node.inputs;
    const [cos, sin, rows, ...xs] = before.inputs;
    if (
      before.op !== ropeOp ||
      xs.length !== 2 ||
      before.outputs[1] !== k ||
      rows !== positions ||
      !isReadOnce(k) ||
      settings.maxStorageBuffers < ROPE_CACHE_BUFFERS
    )
      return null;
    const outputs = [before.outputs[0], ...node.outputs];
    return {
      ...node,
      op: ropeCacheOp,
      inputs: [cos, sin, rows, ...xs, v, slots],
      outputs,
      attributes: before.attributes,
      inPlaceOf: outputs.map(() => undefined),
    };
  },
  dispatches({ inputs: [k, v, slots, positions], outputs: [keys, values] }, settings) {
    return [
      {
        shader: 'cache_write',
        constants: { T: k.shape[0], WIDTH: k.shape[1], SLOTS: keys.shape[0], LENGTH: keys.shape[1] },
        bindings: {
          0: value(keys),
          1: value(values),
          2: value(k),
          3: value(v),
          4: value(slots),
          5: value(positions),
        },
        workgroups: flatGrid(elements(k), 64, settings),
      },
    ];
  },
};

/** Tables, rows and slots; queries, keys and values, read and written. */
const ROPE_CACHE_BUFFERS = 10;

/** Queries and keys are rotated, and keys go where only the cache is read, with the values. Plans have it, graphs do not. Inputs: cos, sin, rows, q, k, v, slots; outputs: q and the cache. */
const ropeCacheOp: Op = {
  name: 'ropeCache',
  outputs() {
    throw new Error('ropeCache is made of rope and cacheWrite');
  },
  dispatches: ({ inputs: [cos, sin, rows, q, k, v, slots], outputs, attributes }, settings) => [
    ropeDispatch({ cos, sin, rows }, [q, k, v], outputs, attributes, settings, slots),
  ],
};

/** Invocations of a slot and head, but on a CPU adapter. */
const DECODE_INVOCATIONS = 256;

export const attentionDecodeOp: Op = {
  name: 'attentionDecode',
  outputs: ([q]) => [{ shape: q.shape }],
  dispatches({ inputs: [q, keys, values, positions], outputs: [o], attributes }, settings) {
    const constants = { LENGTH: keys.shape[1], ...attentionConstants(attributes) };
    const bindings = { 0: value(o), 1: value(q), 2: value(keys), 3: value(values), 4: value(positions) };
    const [slots] = q.shape;
    const rows = slots * constants.HEADS;
    if (settings.target === 'cpu')
      return [
        {
          shader: 'attention_decode_serial',
          constants: { ...constants, ROWS: rows },
          bindings,
          workgroups: rowsShared(rows, settings).workgroups,
        },
      ];
    const vectors = constants.D / constants.VECTOR_WIDTH;
    const UNROLLED = [4, 2, 1].find((unrolled) => vectors % unrolled === 0)!;
    return [
      {
        shader: 'attention_decode',
        constants: { ...constants, WORKGROUP: DECODE_INVOCATIONS, UNROLLED, VALUES: 4 },
        bindings,
        workgroups: [constants.HEADS, slots, 1],
      },
    ];
  },
};
