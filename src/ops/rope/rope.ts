/**
 * Rotary position embedding (arXiv:2104.09864) over the first elements of each head, whose pairs are (i, i + half) as in Llama
 * or neighbours. The gradient is the transposed rotation.
 */
import {
  flatGrid,
  value,
  type BufferReference,
  type Dispatch,
  type KernelSettings,
} from '../../gpu/dispatch.ts';
import type { Attributes, Graph, Op, Value } from '../../graph/graph.ts';
import { before, memberBindings, memberConstants } from '../batchedBindings.ts';

/** Values that one kernel rotates: with the tables it then has seven buffers. */
const MOST_AT_ONCE = 2;

/**
 * @param xs each [T, heads · headDim], queries and keys @param cos, sin [P, rotated/2] f32: the elements of a head past the first `rotated` stay as they are
 * @param rows [T] u32: each token's row of the tables, its position
 * @param interleaved pairs are elements (2i, 2i + 1) instead of (i, i + rotated/2)
 * @returns as xs
 */
export function rope(
  graph: Graph,
  xs: readonly Value[],
  tables: { cos: Value; sin: Value },
  rows: Value,
  headDim: number,
  interleaved = false,
): Value[] {
  return graph.append(ropeOp, [tables.cos, tables.sin, rows, ...xs], {
    inverse: false,
    headDim,
    interleaved,
  });
}

export const ropeOp: Op = {
  name: 'rope',
  outputs([cos, , , ...xs], attributes) {
    const headDim = attributes.headDim as number;
    return xs.map((x) => {
      if (x.shape[1] % headDim !== 0 || cos.shape[1] * 2 > headDim)
        throw new Error(
          `rope: rows of ${x.shape[1]} are not heads of ${headDim} with ${cos.shape[1] * 2} rotated`,
        );
      return { shape: x.shape };
    });
  },
  gradient(backward, { inputs: [cos, sin, rows, ...xs], attributes }, dys) {
    const used = xs.flatMap((x, i) => (dys[i] ? [{ x, dy: dys[i] }] : []));
    const inverse = { ...attributes, inverse: !attributes.inverse };
    backward.emitAll(
      used.map(({ x }) => x),
      ropeOp,
      [cos, sin, rows, ...used.map(({ dy }) => dy)],
      inverse,
    );
  },
  dispatches({ inputs: [cos, sin, rows, ...xs], outputs, attributes }, settings) {
    const dispatches: Dispatch[] = [];
    for (let first = 0; first < xs.length; first += MOST_AT_ONCE) {
      const ofThese = (values: readonly Value[]) => values.slice(first, first + MOST_AT_ONCE);
      dispatches.push(ropeDispatch({ cos, sin, rows }, ofThese(xs), ofThese(outputs), attributes, settings));
    }
    return dispatches;
  },
  tensorflow(tf, [cos, sin, rows, ...xs], { attributes }) {
    const half = cos.shape[1]!;
    const headDim = attributes.headDim as number;
    const at = tf.cast(rows, 'int32');
    const c = tf.expandDims(tf.gather(cos, at), 1);
    const s = tf.expandDims(tf.mul(tf.gather(sin, at), attributes.inverse ? -1 : 1), 1);
    return xs.map((x) => {
      const heads = tf.reshape(x, [-1, x.shape[1]! / headDim, headDim]);
      const [rotated, rest] = tf.split(heads, [2 * half, headDim - 2 * half], 2);
      if (attributes.interleaved) {
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

/** @param xs, ys as many as one kernel takes @param slots where `ys` is the rotated queries and the cache of keys and values: the slot of each row of x */
export function ropeDispatch(
  { cos, sin, rows }: { cos: Value; sin: Value; rows: Value },
  xs: readonly Value[],
  ys: readonly Value[],
  attributes: Attributes,
  settings: KernelSettings,
  slots?: Value,
): Dispatch {
  const D = attributes.headDim as number;
  const heads = xs.map((x) => x.shape[1] / D);
  const shape = {
    T: rows.shape[0],
    D,
    ROTATED: 2 * cos.shape[1],
    P: cos.shape[0],
    SIGN: { f32: attributes.inverse ? -1 : 1 },
    INTERLEAVED: attributes.interleaved === true,
  };
  const cache: Record<string, number | boolean> = slots
    ? { WRITES_CACHE: true, SLOTS: ys[1].shape[0], LENGTH: ys[1].shape[1] }
    : { WRITES_CACHE: false };
  const ofSlots: Record<number, BufferReference> = slots ? { 3: value(slots) } : {};
  return {
    shader: 'rope',
    constants: {
      ...shape,
      ...cache,
      PROJECTIONS: xs.length,
      ...memberConstants({ FIRST: before(heads), HEADS: heads }),
    },
    bindings: {
      0: value(cos),
      1: value(sin),
      2: value(rows),
      ...ofSlots,
      ...memberBindings(xs),
      ...memberBindings(ys, 20),
    },
    workgroups: flatGrid((rows.shape[0] * heads.reduce((a, b) => a + b, 0) * D) / 2, 64, settings),
  };
}
