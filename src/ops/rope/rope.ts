/**
 * Rotary position embedding (arXiv:2104.09864) over the first elements of each head, whose pairs are (i, i +
 * half) as in Llama or neighbours. The gradient is the transposed rotation.
 */
import { flatGrid, value, type Dispatch, type KernelSettings } from '../../gpu/dispatch.ts';
import type { Graph } from '../../graph/graph.ts';
import type { Op } from '../../graph/op.ts';
import type { Value } from '../../graph/value.ts';
import { exclusivePrefixSum, numberedBindings, numberedConstants, sum } from '../numbered.ts';

/** Values that one kernel rotates; with the tables it then binds seven buffers. */
const VALUES_PER_KERNEL = 2;

/** The tables of angles, and which of their rows each token takes. */
export interface RopeTables {
  /** [P, rotated/2] f32 each. */
  cos: Value;
  sin: Value;
  /** [T] u32 */
  rows: Value;
}

interface RopeInputs extends RopeTables {
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
 * @param xs each [T, heads · headDim], queries and keys @param cos, sin [P, rotated/2] f32: the elements of a
 * head past the first `rotated` stay as they are @param rows [T] u32: each token's row of the tables, its
 * position
 * @param interleaved pairs are elements (2i, 2i + 1) instead of (i, i + rotated/2) @returns as xs
 */
export function rope(
  graph: Graph,
  xs: readonly Value[],
  { cos, sin }: { cos: Value; sin: Value },
  rows: Value,
  headDim: number,
  interleaved = false,
): Value[] {
  return graph.append(ropeOp, { cos, sin, rows, xs }, { inverse: false, headDim, interleaved });
}

export const ropeOp: Op<RopeInputs, RopeAttributes> = {
  name: 'rope',
  outputs({ cos, xs }, { headDim }) {
    return xs.map((x) => {
      if (x.shape[1] % headDim !== 0 || cos.shape[1] * 2 > headDim)
        throw new Error(
          `rope: rows of ${x.shape[1]} are not heads of ${headDim} with ${cos.shape[1] * 2} rotated`,
        );
      return { shape: x.shape };
    });
  },
  gradient(backward, { inputs: { cos, sin, rows, xs }, attributes }, dys) {
    const used = xs.flatMap((x, i) => (dys[i] ? [{ x, dy: dys[i] }] : []));
    backward.emitAll(
      used.map(({ x }) => x),
      ropeOp,
      { cos, sin, rows, xs: used.map(({ dy }) => dy) },
      { ...attributes, inverse: !attributes.inverse },
    );
  },
  dispatches({ inputs: { cos, sin, rows, xs }, outputs, attributes }, settings) {
    const dispatches: Dispatch[] = [];
    for (let first = 0; first < xs.length; first += VALUES_PER_KERNEL) {
      const part = (values: readonly Value[]) => values.slice(first, first + VALUES_PER_KERNEL);
      dispatches.push(ropeDispatch({ cos, sin, rows }, part(xs), part(outputs), attributes, settings));
    }
    return dispatches;
  },
  tensorflow(tf, { cos, sin, rows, xs }, { attributes: { headDim, inverse, interleaved } }) {
    const half = cos.shape[1]!;
    const at = tf.cast(rows, 'int32');
    const c = tf.expandDims(tf.gather(cos, at), 1);
    const s = tf.expandDims(tf.mul(tf.gather(sin, at), inverse ? -1 : 1), 1);
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
  { cos, sin, rows }: RopeTables,
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
      ROTATED: 2 * cos.shape[1],
      P: cos.shape[0],
      SIGN: { f32: inverse ? -1 : 1 },
      INTERLEAVED: interleaved,
      ...cache,
      PROJECTIONS: xs.length,
      ...numberedConstants({ FIRST: exclusivePrefixSum(heads), HEADS: heads }),
    },
    bindings: {
      cos_table: value(cos),
      sin_table: value(sin),
      rows: value(rows),
      ...slotBinding,
      ...numberedBindings('x', xs),
      ...numberedBindings('y', ys),
    },
    workgroups: flatGrid((rows.shape[0] * sum(heads) * headDim) / 2, 64, settings),
  };
}
