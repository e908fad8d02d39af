/** Rotary position embedding (arXiv:2104.09864) in the Llama layout (halves rotated), over the first elements of each head. The gradient is the inverse rotation. */
import { flatGrid, value } from '../gpu/dispatch.ts';
import type { Graph, Op, Value } from './graph.ts';

/**
 * @param x [T, heads · headDim] @param cos, sin [P, rotated/2] f32: the elements of a head past the first `rotated` stay as they are
 * @param rows [T] u32: each token's row of the tables, its position @returns as x
 */
export function rope(graph: Graph, x: Value, tables: { cos: Value; sin: Value }, rows: Value, headDim: number): Value {
  return graph.append(ropeOp, [x, tables.cos, tables.sin, rows], { inverse: false, headDim })[0];
}

export const ropeOp: Op = {
  name: 'rope',
  outputs([x, cos, , , sum], attributes) {
    const headDim = attributes.headDim as number;
    if (x.shape[1] % headDim !== 0 || cos.shape[1] * 2 > headDim) throw new Error(`rope: rows of ${x.shape[1]} are not heads of ${headDim} with ${cos.shape[1] * 2} rotated`);
    return [{ shape: x.shape, inPlaceOf: sum ? 4 : undefined }];
  },
  gradient(backward, { inputs: [x, cos, sin, rows], attributes }, [dy]) {
    if (dy) backward.emit(x, ropeOp, [dy, cos, sin, rows], { ...attributes, inverse: !attributes.inverse });
  },
  dispatches({ inputs: [x, cos, sin, rows], outputs: [y], attributes }, settings) {
    const [tokens, width] = x.shape;
    const D = attributes.headDim as number;
    return [
      {
        shader: 'rope',
        constants: {
          T: tokens,
          HEADS: width / D,
          D,
          ROTATED: 2 * cos.shape[1],
          P: cos.shape[0],
          SIGN: { f32: attributes.inverse ? -1 : 1 },
          ACCUMULATE: attributes.accumulate === true,
        },
        bindings: { 0: value(y), 1: value(x), 2: value(cos), 3: value(sin), 4: value(rows) },
        workgroups: flatGrid((tokens * width) / 2, 64, settings),
      },
    ];
  },
  tensorflow(tf, [x, cos, sin, rows], { attributes }) {
    const half = cos.shape[1]!;
    const headDim = attributes.headDim as number;
    const at = tf.cast(rows, 'int32');
    const c = tf.expandDims(tf.gather(cos, at), 1);
    const s = tf.expandDims(tf.mul(tf.gather(sin, at), attributes.inverse ? -1 : 1), 1);
    const heads = tf.reshape(x, [-1, x.shape[1]! / headDim, headDim]);
    const [low, high, rest] = tf.split(heads, [half, half, headDim - 2 * half], 2);
    return [tf.reshape(tf.concat([tf.sub(tf.mul(low, c), tf.mul(high, s)), tf.add(tf.mul(high, c), tf.mul(low, s)), rest], 2), x.shape)];
  },
};
