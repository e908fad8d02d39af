/** A frozen linear layer: y = x Wᵀ, with W [out, in] in any kind. Only the input has a gradient: dx = dy W. */
import type { Graph, Op, Value } from './graph.ts';
import { matrixProduct } from './matrixProduct.ts';

/** @param x [T, in] @param weight [out, in] @returns [T, out] */
export function linear(graph: Graph, x: Value, weight: Value): Value {
  return graph.append(linearOp, [x, weight])[0];
}

export const linearOp: Op = {
  name: 'linear',
  outputs([x, weight]) {
    if (x.shape[1] !== weight.shape[1]) throw new Error(`linear ${weight.name}: input of ${x.shape[1]} for a weight of [${weight.shape}]`);
    return [{ shape: [x.shape[0], weight.shape[0]] }];
  },
  gradient(backward, { inputs: [x, weight] }, [dy]) {
    if (dy) backward.emit(x, linearDxOp, [dy, weight]);
  },
  dispatches({ inputs: [x, weight], outputs: [y] }, settings) {
    const [tokens, width] = x.shape;
    const out = weight.shape[0];
    return matrixProduct(
      {
        m: tokens,
        n: out,
        k: width,
        a: { value: x, rowStride: width, columnStride: 1 },
        b: { value: weight, rowStride: 1, columnStride: width },
        c: { value: y, rowStride: out },
      },
      settings,
    );
  },
  tensorflow: (tf, [x, weight]) => [tf.matMul(x, weight, false, true)],
};

export const linearDxOp: Op = {
  name: 'linearDx',
  outputs: ([dy, weight, sum]) => [{ shape: [dy.shape[0], weight.shape[1]], inPlaceOf: sum ? 2 : undefined }],
  dispatches({ inputs: [dy, weight], outputs: [dx], attributes }, settings) {
    const [out, width] = weight.shape;
    return matrixProduct(
      {
        m: dy.shape[0],
        n: width,
        k: out,
        a: { value: dy, rowStride: out, columnStride: 1 },
        b: { value: weight, rowStride: width, columnStride: 1 },
        c: { value: dx, rowStride: width },
        accumulate: attributes.accumulate === true,
      },
      settings,
    );
  },
};
