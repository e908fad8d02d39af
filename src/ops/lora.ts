/**
 * LoRA (arXiv:2106.09685): y = W x + s B (A x). `loraDown` makes A x for all projections that share the input (their A matrices lie one under
 * the other), `loraUp` adds s B_g (A x)_g to each projection's output in place.
 */
import { value, type Dispatch } from '../gpu/dispatch.ts';
import type { Graph, Op, Value } from './graph.ts';
import { matrixProduct } from './matrixProduct.ts';

/** @param x [T, in] @param a [G · r, in], parameter @returns [T, G · r] */
export function loraDown(graph: Graph, x: Value, a: Value): Value {
  return graph.append(loraDownOp, [x, a])[0];
}

/**
 * @param down [T, G · r] @param ups one pair a projection: y [T, out] (taken over) and B [out, r], parameter
 * @param scale α/r, or α/√r with rank stabilisation (arXiv:2312.03732) @returns one [T, out] a projection
 */
export function loraUp(graph: Graph, down: Value, ups: { y: Value; b: Value }[], scale: number): Value[] {
  return graph.append(loraUpOp, [down, ...ups.flatMap(({ y, b }) => [y, b])], { scale });
}

export const loraDownOp: Op = {
  name: 'loraDown',
  outputs([x, a]) {
    if (x.shape[1] !== a.shape[1]) throw new Error(`loraDown ${a.name}: input of ${x.shape[1]} for A of [${a.shape}]`);
    return [{ shape: [x.shape[0], a.shape[0]] }];
  },
  gradient(backward, { inputs: [x, a] }, [dDown]) {
    if (!dDown) return;
    backward.emit(x, loraDownDxOp, [dDown, a]);
    backward.emit(a, transposedProductOp, [dDown, x], { scale: 1, column: 0 });
  },
  dispatches({ inputs: [x, a], outputs: [down] }, settings) {
    const [tokens, width] = x.shape;
    const ranks = a.shape[0];
    return matrixProduct(
      {
        m: tokens,
        n: ranks,
        k: width,
        a: { value: x, rowStride: width, columnStride: 1 },
        b: { value: a, rowStride: 1, columnStride: width },
        c: { value: down, rowStride: ranks },
      },
      settings,
    );
  },
  tensorflow: (tf, [x, a]) => [tf.matMul(x, a, false, true)],
};

/** dx = d(A x) · A. Inputs: dDown [T, G r], A [G r, in], and the sum so far where it accumulates. */
export const loraDownDxOp: Op = {
  name: 'loraDownDx',
  outputs: ([dDown, a, sum]) => [{ shape: [dDown.shape[0], a.shape[1]], inPlaceOf: sum ? 2 : undefined }],
  dispatches({ inputs: [dDown, a], outputs: [dx], attributes }, settings) {
    const [ranks, width] = a.shape;
    return matrixProduct(
      {
        m: dDown.shape[0],
        n: width,
        k: ranks,
        a: { value: dDown, rowStride: ranks, columnStride: 1 },
        b: { value: a, rowStride: width, columnStride: 1 },
        c: { value: dx, rowStride: width },
        accumulate: attributes.accumulate === true,
      },
      settings,
    );
  },
};

/** Gradient of a parameter: out[m, n] += scale Σ_t left[t, m] right[t, column + n]; both dA (left d(A x), right x) and dB (left dy, right A x). */
export const transposedProductOp: Op = {
  name: 'transposedProduct',
  outputs() {
    throw new Error('transposedProduct writes to gradients only');
  },
  dispatches({ inputs: [left, right], outputs: [gradient], attributes }, settings) {
    const [m, n] = gradient.shape;
    return matrixProduct(
      {
        m,
        n,
        k: left.shape[0],
        a: { value: left, rowStride: 1, columnStride: left.shape[1] },
        b: { value: right, offset: attributes.column as number, rowStride: right.shape[1], columnStride: 1 },
        c: { value: gradient, rowStride: n },
        alpha: attributes.scale as number,
        accumulate: true,
      },
      settings,
    );
  },
};

/** Ranks of which an invocation keeps four rows of B in registers. */
const MOST_RANKS_KEPT = 32;
/** Workgroups that keep an adapter busy. */
const UP_WORKGROUPS = 4096;

/** The rank is short and y long, so that this is a matter of bandwidth: y is read and written once, B kept, A x read by all neighbours at once. */
function loraUpDispatch(down: Value, y: Value, b: Value, g: number, scale: number): Dispatch {
  const [out, rank] = b.shape;
  const tokens = y.shape[0];
  const columns = Math.ceil(out / 256);
  const rows = Math.max(4, Math.ceil((tokens * columns) / UP_WORKGROUPS));
  return {
    shader: 'lora_up',
    constants: { T: tokens, WIDTH: out, ROW: down.shape[1], OFFSET: g * rank, RANK: rank, QUARTERS: rank / 4, TOKENS: rows, ALPHA: { f32: scale } },
    bindings: { 0: value(y), 1: value(down), 2: value(b) },
    workgroups: [columns, Math.ceil(tokens / rows), 1],
  };
}

export const loraUpOp: Op = {
  name: 'loraUp',
  outputs([down, ...ups]) {
    const projections = ups.length / 2;
    return Array.from({ length: projections }, (_, g) => {
      const [y, b] = [ups[2 * g], ups[2 * g + 1]];
      if (y.shape[1] !== b.shape[0] || b.shape[1] * projections !== down.shape[1])
        throw new Error(`loraUp ${b.name}: B [${b.shape}] does not fit an output of ${y.shape[1]} and ${down.shape[1]} ranks`);
      return { shape: y.shape, inPlaceOf: 1 + 2 * g };
    });
  },
  gradient(backward, { inputs: [down, ...ups], attributes }, dys) {
    const bs = ups.filter((_, i) => i % 2 === 1);
    dys.forEach((dy, g) => {
      if (!dy) return;
      backward.pass(ups[2 * g], dy);
      backward.emit(bs[g], transposedProductOp, [dy, down], { scale: attributes.scale, column: g * bs[g].shape[1] });
    });
    if (dys.some((dy) => !dy)) {
      if (dys.every((dy) => !dy)) return;
      throw new Error('loraUp: a projection that shares its input is not used');
    }
    backward.emitAll(
      [down],
      loraUpDxOp,
      dys.flatMap((dy, g) => [dy!, bs[g]]),
      attributes,
    );
  },
  dispatches({ inputs: [down, ...ups], outputs, attributes }, settings) {
    return outputs.flatMap((y, g) => {
      const b = ups[2 * g + 1];
      const [out, rank] = b.shape;
      if (settings.matmul === 'tiled' && rank % 4 === 0 && rank <= MOST_RANKS_KEPT && out % 4 === 0) return loraUpDispatch(down, y, b, g, attributes.scale as number);
      return matrixProduct(
        {
          m: y.shape[0],
          n: out,
          k: rank,
          a: { value: down, offset: g * rank, rowStride: down.shape[1], columnStride: 1 },
          b: { value: b, rowStride: 1, columnStride: rank },
          c: { value: y, rowStride: out },
          alpha: attributes.scale as number,
          accumulate: true,
        },
        settings,
        g,
      );
    });
  },
  tensorflow(tf, [down, ...ups], { attributes }) {
    return Array.from({ length: ups.length / 2 }, (_, g) => {
      const [y, b] = [ups[2 * g], ups[2 * g + 1]];
      const rank = b.shape[1]!;
      const part = tf.slice(down, [0, g * rank], [-1, rank]);
      return tf.add(y, tf.mul(tf.matMul(part, b as typeof part, false, true), attributes.scale as number));
    });
  },
};

/** d(A x)[:, g r ...] = scale dy_g B_g for each projection g. Inputs: pairs dy_g [T, out], B_g [out, r]. */
export const loraUpDxOp: Op = {
  name: 'loraUpDx',
  outputs: (inputs) => [{ shape: [inputs[0].shape[0], inputs.filter((_, i) => i % 2 === 1).reduce((sum, b) => sum + b.shape[1], 0)] }],
  dispatches({ inputs, outputs: [dDown], attributes }, settings) {
    return Array.from({ length: inputs.length / 2 }, (_, g) => {
      const [dy, b] = [inputs[2 * g], inputs[2 * g + 1]];
      const [out, rank] = b.shape;
      return matrixProduct(
        {
          m: dy.shape[0],
          n: rank,
          k: out,
          a: { value: dy, rowStride: out, columnStride: 1 },
          b: { value: b, rowStride: rank, columnStride: 1 },
          c: { value: dDown, offset: g * rank, rowStride: dDown.shape[1] },
          alpha: attributes.scale as number,
        },
        settings,
        g,
      );
    }).flat();
  },
};
