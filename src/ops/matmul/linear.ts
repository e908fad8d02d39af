/** Frozen linear layers: y = x Wᵀ, with W [out, in] in any kind. Only the input has a gradient: dx = dy W. */
import type { BufferReference, Dispatch, KernelSettings } from '../../gpu/dispatch.ts';
import type { Graph, Op, Value } from '../../graph/graph.ts';
import { groupOf } from './groupedGemm.ts';
import { matmul } from './matmul.ts';
import type { MatmulProblem } from './matmulProblem.ts';

/** @param x [T, in] @param weight [out, in] @returns [T, out] */
export function linear(graph: Graph, x: Value, weight: Value): Value {
  return graph.append(linearOp, [x, weight])[0];
}

/** Several of one input, as one product where their weights allow. @param x [T, in] @param weights [out_g, in] @returns one [T, out_g] a weight */
export function linearGroup(graph: Graph, x: Value, weights: readonly Value[]): Value[] {
  return weights.length === 1 ? [linear(graph, x, weights[0])] : graph.append(linearGroupOp, [x, ...weights]);
}

function checkWidth(x: Value, weight: Value): void {
  if (x.shape[1] !== weight.shape[1])
    throw new Error(`linear ${weight.name}: input of ${x.shape[1]} for a weight of [${weight.shape}]`);
}

function forwardOf(x: Value, weight: Value, y: Value, slice?: BufferReference): MatmulProblem {
  const [tokens, width] = x.shape;
  const out = weight.shape[0];
  return {
    m: tokens,
    n: out,
    k: width,
    a: { value: x, rowStride: width, columnStride: 1 },
    b: { value: weight, rowStride: 1, columnStride: width },
    c: { value: y, rowStride: out, slice },
  };
}

/** y = x Wᵀ. @param weight [out, in], of any role @param slice where y goes instead of its own place */
export function forwardProduct(
  x: Value,
  weight: Value,
  y: Value,
  settings: KernelSettings,
  slice?: BufferReference,
): Dispatch[] {
  return matmul(forwardOf(x, weight, y, slice), settings);
}

/** y_g = x W_gᵀ, of one weight or several. */
export function forwardProducts(
  x: Value,
  weights: readonly Value[],
  ys: readonly Value[],
  settings: KernelSettings,
): Dispatch[] {
  return matmul(
    weights.length === 1 ? forwardOf(x, weights[0], ys[0]) : groupOf('columns', x, weights, ys),
    settings,
  );
}

/** dx = dy W. @param weight [out, in], of any role */
export function inputGradientProduct(
  dy: Value,
  weight: Value,
  dx: Value,
  accumulate: boolean,
  settings: KernelSettings,
): Dispatch[] {
  const [out, width] = weight.shape;
  return matmul(
    {
      m: dy.shape[0],
      n: width,
      k: out,
      a: { value: dy, rowStride: out, columnStride: 1 },
      b: { value: weight, rowStride: width, columnStride: 1 },
      c: { value: dx, rowStride: width },
      accumulate,
    },
    settings,
  );
}

export const linearOp: Op = {
  name: 'linear',
  outputs([x, weight]) {
    checkWidth(x, weight);
    return [{ shape: [x.shape[0], weight.shape[0]] }];
  },
  gradient(backward, { inputs: [x, weight] }, [dy]) {
    if (dy) backward.emit(x, linearDxOp, [dy, weight]);
  },
  dispatches: ({ inputs: [x, ...weights], outputs }, settings) =>
    forwardProducts(x, weights, outputs, settings),
  tensorflow: (tf, [x, weight]) => [tf.matMul(x, weight, false, true)],
};

export const linearDxOp: Op = {
  name: 'linearDx',
  outputs: ([dy, weight, sum]) => [{ shape: [dy.shape[0], weight.shape[1]], inPlaceOf: sum ? 2 : undefined }],
  dispatches: ({ inputs: [dy, weight], outputs: [dx], attributes }, settings) =>
    inputGradientProduct(dy, weight, dx, attributes.accumulate === true, settings),
};

export const linearGroupOp: Op = {
  name: 'linearGroup',
  outputs([x, ...weights]) {
    return weights.map((weight) => {
      checkWidth(x, weight);
      return { shape: [x.shape[0], weight.shape[0]] };
    });
  },
  gradient(backward, { inputs: [x, ...weights] }, dys) {
    const used = weights.flatMap((weight, g) => (dys[g] ? [{ dy: dys[g], weight }] : []));
    if (used.length === weights.length)
      backward.emit(x, linearGroupDxOp, [...dys.map((dy) => dy!), ...weights]);
    else for (const { dy, weight } of used) backward.emit(x, linearDxOp, [dy, weight]);
  },
  together: ([, ...weights]) => weights,
  dispatches: ({ inputs: [x, ...weights], outputs }, settings) =>
    forwardProducts(x, weights, outputs, settings),
  tensorflow: (tf, [x, ...weights]) => weights.map((weight) => tf.matMul(x, weight, false, true)),
};

/** dx = Σ dy_g W_g. Inputs: each dy_g [T, out_g], each W_g [out_g, in], and the sum so far where it accumulates. */
export const linearGroupDxOp: Op = {
  name: 'linearGroupDx',
  outputs(inputs) {
    const width = inputs[inputs.length >> 1].shape[1];
    return [
      {
        shape: [inputs[0].shape[0], width],
        inPlaceOf: inputs.length % 2 === 1 ? inputs.length - 1 : undefined,
      },
    ];
  },
  dispatches({ inputs, outputs: [dx], attributes }, settings) {
    const members = inputs.length >> 1;
    return matmul(
      groupOf(
        'terms',
        dx,
        inputs.slice(members, 2 * members),
        inputs.slice(0, members),
        attributes.accumulate === true,
      ),
      settings,
    );
  },
};
