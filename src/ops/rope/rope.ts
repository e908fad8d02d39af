/**
 * Rotary position embedding (arXiv:2104.09864) over the first elements of each head, whose pairs are (i, i +
 * half) as in Llama or neighbours. The gradient is the transposed rotation.
 */
import { flatGrid, value, type Dispatch, type KernelSettings } from '../../gpu/dispatch.ts';
import type { Graph } from '../../graph/graph.ts';
import type { Op } from '../../graph/op.ts';
import type { Value } from '../../graph/value.ts';
import { exclusivePrefixSum, numberedBindings, numberedConstants, sum } from '../numbered.ts';

/** Values that one kernel rotates; with the table it then binds six buffers. */
const VALUES_PER_KERNEL = 2;

/** The table of angles, and which of its rows each token takes. */
export interface RopeAngles {
  /** [P, rotated] f32: a row's cosines, then its sines. */
  table: Value;
  /** [T] u32 */
  rows: Value;
}

interface RopeInputs extends RopeAngles {
  /** Each [T, heads · headDim]. */
  xs: readonly Value[];
}

export interface RopeAttributes {
  headDim: number;
  /** Rotates back. */
  inverse: boolean;
  /** Pairs are elements (2i, 2i + 1) instead of (i, i + rotated/2). */
  interleaved: boolean;
}

/**
 * @param xs each [T, heads · headDim], queries and keys @param table [P, rotated] f32, a row's cosines, then
 * its sines: the elements of a head past the first `rotated` stay as they are @param rows [T] u32: each
 * token's row of the table, its position
 * @param interleaved pairs are elements (2i, 2i + 1) instead of (i, i + rotated/2) @returns as xs
 */
export function rope(
  graph: Graph,
  xs: readonly Value[],
  table: Value,
  rows: Value,
  headDim: number,
  interleaved = false,
): Value[] {
  return graph.append(ropeOp, { table, rows, xs }, { inverse: false, headDim, interleaved });
}

export const ropeOp: Op<RopeInputs, RopeAttributes> = {
  name: 'rope',
  outputs({ table, xs }, { headDim }) {
    return xs.map((x) => {
      if (x.shape[1] % headDim !== 0 || table.shape[1] > headDim)
        throw new Error(
          `rope: rows of ${x.shape[1]} are not heads of ${headDim} with ${table.shape[1]} rotated`,
        );
      return { shape: x.shape };
    });
  },
  gradient(backward, { inputs: { table, rows, xs }, attributes }, dys) {
    const used = xs.flatMap((x, i) => (dys[i] ? [{ x, dy: dys[i] }] : []));
    backward.emitAll(
      used.map(({ x }) => x),
      ropeOp,
      { table, rows, xs: used.map(({ dy }) => dy) },
      { ...attributes, inverse: !attributes.inverse },
    );
  },
  dispatches({ inputs: { table, rows, xs }, outputs, attributes }, settings) {
    const dispatches: Dispatch[] = [];
    for (let first = 0; first < xs.length; first += VALUES_PER_KERNEL) {
      const part = (values: readonly Value[]) => values.slice(first, first + VALUES_PER_KERNEL);
      dispatches.push(ropeDispatch({ table, rows }, part(xs), part(outputs), attributes, settings));
    }
    return dispatches;
  },
  tensorflow(tf, { table, rows, xs }, { attributes: { headDim, inverse, interleaved } }) {
    const half = table.shape[1]! / 2;
    const angles = tf.expandDims(tf.gather(table, tf.cast(rows, 'int32')), 1);
    const [c, sine] = tf.split(angles, 2, 2);
    const s = tf.mul(sine, inverse ? -1 : 1);
    return xs.map((x) => {
      const heads = tf.reshape(x, [-1, x.shape[1]! / headDim, headDim]);
      const [rotated, rest] = tf.split(heads, [2 * half, headDim - 2 * half], 2);
      if (interleaved) {
        const pairs = tf.reshape(rotated, [-1, heads.shape[1]!, half, 2]);
        const [even, odd] = tf.unstack(pairs, 3);
        const pairsRotated = tf.stack(
          [tf.sub(tf.mul(even, c), tf.mul(odd, s)), tf.add(tf.mul(odd, c), tf.mul(even, s))],
          3,
        );
        return tf.reshape(tf.concat([tf.reshape(pairsRotated, rotated.shape), rest], 2), x.shape);
      }
      const [low, high] = tf.split(rotated, 2, 2);
      return tf.reshape(
        tf.concat(
          [tf.sub(tf.mul(low, c), tf.mul(high, s)), tf.add(tf.mul(high, c), tf.mul(low, s)), rest],
          2,
        ),
        x.shape,
      );
    });
  },
};

/**
 * @param xs, ys as many as one kernel takes @param slots where `xs` are queries, keys and values and `ys` the
 * rotated queries and the KV cache: the cache slot of each row
 */
export function ropeDispatch(
  { table, rows }: RopeAngles,
  xs: readonly Value[],
  ys: readonly Value[],
  { headDim, inverse, interleaved }: RopeAttributes,
  settings: KernelSettings,
  slots?: Value,
): Dispatch {
  const heads = xs.map((x) => x.shape[1] / headDim);
  const cache: Dispatch['constants'] = slots
    ? { WRITES_CACHE: true, SLOTS: ys[1].shape[0], LENGTH: ys[1].shape[1] }
    : { WRITES_CACHE: false };
  const slotBinding: Dispatch['bindings'] = slots ? { slots: value(slots) } : {};
  return {
    shader: 'rope',
    constants: {
      T: rows.shape[0],
      D: headDim,
      ROTATED: table.shape[1],
      P: table.shape[0],
      SIGN: { f32: inverse ? -1 : 1 },
      INTERLEAVED: interleaved,
      ...cache,
      PROJECTIONS: xs.length,
      ...numberedConstants({ FIRST: exclusivePrefixSum(heads), HEADS: heads }),
    },
    bindings: {
      angles: value(table),
      rows: value(rows),
      ...slotBinding,
      ...numberedBindings('x', xs),
      ...numberedBindings('y', ys),
    },
    workgroups: flatGrid((rows.shape[0] * sum(heads) * headDim) / 2, 64, settings),
  };
}
