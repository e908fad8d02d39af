/** Rotary position embedding (arXiv:2104.09864) in the Llama layout (halves rotated). The gradient is the inverse rotation. */
import { flatGrid, value } from '../gpu/dispatch.ts';
import type { Graph, Op, Value } from './graph.ts';

/** @param x [T, heads · dim] @param cos, sin [P, dim/2] f32 @param positions [T] u32 @returns as x */
export function rope(graph: Graph, x: Value, tables: { cos: Value; sin: Value }, positions: Value): Value {
  return graph.append(ropeOp, [x, tables.cos, tables.sin, positions], { inverse: false })[0];
}

export const ropeOp: Op = {
  name: 'rope',
  outputs([x, cos, , , sum]) {
    if (x.shape[1] % (cos.shape[1] * 2) !== 0) throw new Error(`rope: rows of ${x.shape[1]} are not heads of ${cos.shape[1] * 2}`);
    return [{ shape: x.shape, inPlaceOf: sum ? 4 : undefined }];
  },
  gradient(backward, { inputs: [x, cos, sin, positions], attributes }, [dy]) {
    if (dy) backward.emit(x, ropeOp, [dy, cos, sin, positions], { inverse: !attributes.inverse });
  },
  dispatches({ inputs: [x, cos, sin, positions], outputs: [y], attributes }, settings) {
    const [tokens, width] = x.shape;
    const half = cos.shape[1];
    return [
      {
        shader: 'rope',
        constants: { T: tokens, HEADS: width / (2 * half), D: 2 * half, P: cos.shape[0], SIGN: { f32: attributes.inverse ? -1 : 1 }, ACCUMULATE: attributes.accumulate === true },
        bindings: { 0: value(y), 1: value(x), 2: value(cos), 3: value(sin), 4: value(positions) },
        workgroups: flatGrid((tokens * width) / 2, 64, settings),
      },
    ];
  },
  tensorflow(tf, [x, cos, sin, positions], { attributes }) {
    const half = cos.shape[1]!;
    const heads = x.shape[1]! / (2 * half);
    const at = tf.cast(positions, 'int32');
    const c = tf.expandDims(tf.gather(cos, at), 1);
    const s = tf.expandDims(tf.mul(tf.gather(sin, at), attributes.inverse ? -1 : 1), 1);
    const [low, high] = tf.split(tf.reshape(x, [-1, heads, 2 * half]), 2, 2);
    return [tf.reshape(tf.concat([tf.sub(tf.mul(low, c), tf.mul(high, s)), tf.add(tf.mul(high, c), tf.mul(low, s))], 2), x.shape)];
  },
};
