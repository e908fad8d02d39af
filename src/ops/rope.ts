/** Rotary position embedding (arXiv:2104.09864) in the Llama layout (halves rotated), over the first elements of each head. The gradient is the inverse rotation. */
import { flatGrid, value, type Dispatch, type KernelSettings } from '../gpu/dispatch.ts';
import type { Graph, Node, Op, Value } from './graph.ts';
import { before, memberBindings, memberConstants } from './members.ts';

/** Values that one kernel rotates: with the tables it then has seven buffers. */
const MOST_AT_ONCE = 2;

/**
 * @param xs each [T, heads · headDim], queries and keys @param cos, sin [P, rotated/2] f32: the elements of a head past the first `rotated` stay as they are
 * @param rows [T] u32: each token's row of the tables, its position @returns as xs
 */
export function rope(graph: Graph, xs: readonly Value[], tables: { cos: Value; sin: Value }, rows: Value, headDim: number): Value[] {
  return graph.append(ropeOp, [tables.cos, tables.sin, rows, ...xs], { inverse: false, headDim });
}

export const ropeOp: Op = {
  name: 'rope',
  outputs([cos, , , ...xs], attributes) {
    const headDim = attributes.headDim as number;
    return xs.map((x) => {
      if (x.shape[1] % headDim !== 0 || cos.shape[1] * 2 > headDim) throw new Error(`rope: rows of ${x.shape[1]} are not heads of ${headDim} with ${cos.shape[1] * 2} rotated`);
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
  dispatches(node, settings) {
    const dispatches: Dispatch[] = [];
    for (let first = 0; first < node.outputs.length; first += MOST_AT_ONCE) dispatches.push(ropeDispatch(node, first, settings));
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
      const [low, high, rest] = tf.split(heads, [half, half, headDim - 2 * half], 2);
      return tf.reshape(tf.concat([tf.sub(tf.mul(low, c), tf.mul(high, s)), tf.add(tf.mul(high, c), tf.mul(low, s)), rest], 2), x.shape);
    });
  },
};

/** Of the values from `first` on, as many as one kernel takes. */
function ropeDispatch({ inputs: [cos, sin, rows, ...xs], outputs, attributes }: Node, first: number, settings: KernelSettings): Dispatch {
  const D = attributes.headDim as number;
  const members = xs.slice(first, first + MOST_AT_ONCE);
  const heads = members.map((x) => x.shape[1] / D);
  const shape = { T: rows.shape[0], D, ROTATED: 2 * cos.shape[1], P: cos.shape[0], SIGN: { f32: attributes.inverse ? -1 : 1 } };
  return {
    shader: 'rope',
    constants: { ...shape, MEMBERS: members.length, ...memberConstants({ FIRST: before(heads), HEADS: heads }) },
    bindings: { 0: value(cos), 1: value(sin), 2: value(rows), ...memberBindings(members), ...memberBindings(outputs.slice(first, first + MOST_AT_ONCE), 20) },
    workgroups: flatGrid((rows.shape[0] * heads.reduce((a, b) => a + b, 0) * D) / 2, 64, settings),
  };
}
