/**
 * Frozen linear layers: y = x Wᵀ, with W [out, in] of any kind. Only the input has a gradient: dx = dy W.
 * Several layers of one input are in linearGroup.ts.
 */
import type { BufferReference, Dispatch, KernelSettings } from '../../gpu/dispatch.ts';
import type { Graph } from '../../graph/graph.ts';
import type { AccumulatingOp, Accumulator, NoAttributes, Op } from '../../graph/op.ts';
import type { Value } from '../../graph/value.ts';
import { groupedProblem } from './groupedGemm.ts';
import { matmul } from './matmul.ts';
import type { MatmulProblem } from './matmulProblem.ts';

interface LinearInputs {
  /** [T, in] */
  x: Value;
  /** [out, in] */
  weight: Value;
}

/** @param x [T, in] @param weight [out, in] @returns [T, out] */
export function linear(graph: Graph, x: Value, weight: Value): Value {
  return graph.append(linearOp, { x, weight })[0];
}

/** @throws where the weight's rows are not as long as the input's */
export function checkWidth(x: Value, weight: Value): void {
  if (x.shape[1] !== weight.shape[1])
    throw new Error(`linear ${weight.name}: input of ${x.shape[1]} for a weight of [${weight.shape}]`);
}

function forwardProblem(x: Value, weight: Value, y: Value, slice?: BufferReference): MatmulProblem {
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
export function linearForward(
  x: Value,
  weight: Value,
  y: Value,
  settings: KernelSettings,
  slice?: BufferReference,
): Dispatch[] {
  return matmul(forwardProblem(x, weight, y, slice), settings);
}

/** y_g = x W_gᵀ, of one weight or several. */
export function linearGroupForward(
  x: Value,
  weights: readonly Value[],
  ys: readonly Value[],
  settings: KernelSettings,
): Dispatch[] {
  const [weight, ...others] = weights;
  const problem =
    others.length === 0 ? forwardProblem(x, weight, ys[0]) : groupedProblem('columns', x, weights, ys);
  return matmul(problem, settings);
}

/** dx = dy W. @param weight [out, in], of any role @param accumulate adds to dx */
export function linearInputGradient(
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

export const linearOp: Op<LinearInputs, NoAttributes> = {
  name: 'linear',
  outputs({ x, weight }) {
    checkWidth(x, weight);
    return [{ shape: [x.shape[0], weight.shape[0]] }];
  },
  gradient(backward, { inputs: { x, weight } }, [dy]) {
    if (dy) backward.emit(x, linearDxOp, { dy, weight }, {});
  },
  dispatches: ({ inputs: { x, weight }, outputs: [y] }, settings) => linearForward(x, weight, y, settings),
  tensorflow: (tf, { x, weight }) => [tf.matMul(x, weight, false, true)],
};

export const linearDxOp: AccumulatingOp<{ dy: Value; weight: Value } & Accumulator> = {
  name: 'linearDx',
  accumulates: true,
  outputs: ({ dy, weight, sum }) => [{ shape: [dy.shape[0], weight.shape[1]], inPlaceOf: sum }],
  dispatches: ({ inputs: { dy, weight, sum }, outputs: [dx] }, settings) =>
    linearInputGradient(dy, weight, dx, sum !== undefined, settings),
};
