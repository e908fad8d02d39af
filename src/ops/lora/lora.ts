/**
 * LoRA (arXiv:2106.09685): y = W x + s B (A x), for all projections that share the input at once: their A matrices lie one under the other, and so do
 * their B matrices. On a GPU each of the three ops here is a kernel or two (loraKernels.ts) where the shape fits them; elsewhere it is matrix products.
 */
import {
  flatGrid,
  value,
  type BufferReference,
  type Dispatch,
  type KernelSettings,
} from '../../gpu/dispatch.ts';
import type { Graph, Node, Op, Value } from '../../graph/graph.ts';
import {
  forwardProduct,
  forwardProducts,
  inputGradientProduct,
  linearDxOp,
  linearGroupOp,
  linearOp,
} from '../matmul/linear.ts';
import {
  addedToRows,
  fitsKernels,
  loraBackward,
  loraForward,
  loraParameterGradients,
  MOST_ROWS,
  type LoraSizes,
} from './loraKernels.ts';
import { matmul } from '../matmul/matmul.ts';
import { before } from '../batchedBindings.ts';

export interface LoraProjections {
  /** [G · r, in], parameter */
  a: Value;
  /** [sum of out, r], parameter */
  b: Value;
  /** W x of each projection, [T, out]; taken over. */
  ys: readonly Value[];
  /** α/r, or α/√r with rank stabilisation (arXiv:2312.03732). */
  scale: number;
  /** How strongly the adapter acts on each token, [T]; forward only. */
  adapterScale?: Value;
}

/** @param x [T, in] @returns one [T, out] a projection */
export function lora(graph: Graph, x: Value, { a, b, ys, scale, adapterScale }: LoraProjections): Value[] {
  return graph
    .append(loraOp, [x, a, b, ...ys, ...(adapterScale ? [adapterScale] : [])], {
      scale,
      projections: ys.length,
    })
    .slice(1);
}

/** A x alone. @param x [T, in] @param a [G · r, in], parameter @returns [T, G · r] */
export function loraDown(graph: Graph, x: Value, a: Value): Value {
  return graph.append(loraDownOp, [x, a])[0];
}

function partsOf({ inputs: [x, a, b, ...rest], attributes }: Pick<Node, 'inputs' | 'attributes'>) {
  const projections = attributes.projections as number;
  return {
    x,
    a,
    b,
    ys: rest.slice(0, projections),
    adapterScale: rest.at(projections),
    scale: attributes.scale as number,
  };
}

function sizesOf(x: Value, b: Value, outputs: readonly Value[]): LoraSizes {
  return {
    tokens: x.shape[0],
    width: x.shape[1],
    rank: b.shape[1],
    outs: outputs.map(({ shape }) => shape[1]),
  };
}

/** Outputs: A x, which the gradients need, then one y a projection. */
export const loraOp: Op = {
  name: 'lora',
  outputs(inputs, attributes) {
    const { x, a, b, ys } = partsOf({ inputs: [...inputs], attributes });
    const { width, rank, outs } = sizesOf(x, b, ys);
    if (
      a.shape[1] !== width ||
      a.shape[0] !== outs.length * rank ||
      b.shape[0] !== outs.reduce((sum, out) => sum + out, 0)
    )
      throw new Error(
        `lora ${a.name}: A [${a.shape}] and B [${b.shape}] do not fit an input of ${width} and outputs of ${outs.join(', ')}`,
      );
    return [{ shape: [x.shape[0], a.shape[0]] }, ...ys.map(({ shape }, g) => ({ shape, inPlaceOf: 3 + g }))];
  },
  gradient(backward, node, [, ...dys]) {
    const { x, a, b, ys, adapterScale, scale } = partsOf(node);
    if (adapterScale) throw new Error('lora: nothing flows back through an adapter of a reduced scale');
    if (dys.some((dy) => !dy)) throw new Error('lora: a projection that shares its input is not used');
    const gradients = dys as Value[];
    ys.forEach((y, g) => backward.pass(y, gradients[g]));
    const [dDown, dx] = backward.graph.append(loraDxOp, [a, b, ...gradients], {
      scale,
      dx: backward.wants(x),
    });
    if (dx) backward.pass(x, dx);
    backward.emitParameters([a, b], loraParametersOp, [x, node.outputs[0], dDown, ...gradients], { scale });
  },
  only(node, wanted) {
    if (node.outputs.slice(1).some((y) => wanted.has(y))) return node;
    const { x, a, adapterScale } = partsOf(node);
    return {
      ...node,
      op: loraDownOp,
      inputs: adapterScale ? [x, a, adapterScale] : [x, a],
      outputs: node.outputs.slice(0, 1),
      inPlaceOf: [undefined],
    };
  },
  dispatches(node, settings) {
    const { x, a, b, ys, adapterScale, scale } = partsOf(node);
    const [down] = node.outputs;
    const sizes = sizesOf(x, b, ys);
    const kernels = loraForward(sizes, { x, a, down, adapterScale, up: { ys, b, scale } }, settings);
    return (
      kernels ?? [
        ...downProducts(x, a, down, adapterScale, settings),
        ...ys.flatMap((y, g) => upProduct(sizes, down, y, b, g, scale, settings)),
      ]
    );
  },
  joined(before, node, settings) {
    const { x, a, b, ys, adapterScale } = partsOf(node);
    const [input, ...weights] = before.inputs;
    if (
      (before.op !== linearOp && before.op !== linearGroupOp) ||
      input !== x ||
      before.outputs.length !== ys.length ||
      ys.some((y, g) => y !== before.outputs[g])
    )
      return null;
    const both = {
      ...node,
      op: linearLoraOp,
      inputs: [x, a, b, ...weights, ...(adapterScale ? [adapterScale] : [])],
      inPlaceOf: node.outputs.map(() => undefined),
    };
    return linearWithLora(both, settings) && both;
  },
  tensorflow(tf, [x, a, b, ...rest], { attributes }) {
    const ys = rest.slice(0, attributes.projections as number);
    const rank = b.shape[1]!;
    const product = tf.matMul(x, a as typeof x, false, true);
    const down = rest.length > ys.length ? tf.mul(product, tf.reshape(rest[ys.length], [-1, 1])) : product;
    const first = before(ys.map(({ shape }) => shape[1]!));
    return [
      down,
      ...ys.map((y, g) => {
        const part = tf.slice(down, [0, g * rank], [-1, rank]);
        const rows = tf.slice(b, [first[g], 0], [y.shape[1]!, rank]);
        return tf.add(
          y,
          tf.mul(tf.matMul(part, rows as typeof part, false, true), attributes.scale as number),
        );
      }),
    ];
  },
};

/** Of a few rows: A x, then each W x, to which the rest is added as it is made. Null where other kernels compute it. */
function linearWithLora(
  { inputs, outputs: [down, ...ys], attributes }: Node,
  settings: KernelSettings,
): Dispatch[] | null {
  const { x, a, b, ys: weights, adapterScale, scale } = partsOf({ inputs, attributes });
  if (x.shape[0] > MOST_ROWS) return null;
  const sizes = sizesOf(x, b, ys);
  const product = addedToRows(forwardProducts(x, weights, ys, settings), sizes, { down, b, scale }, settings);
  const first = product && loraForward(sizes, { x, a, down, adapterScale }, settings);
  return first && [...first, product];
}

/** Linear layers of one input and their adapters at once. Plans have it, graphs do not. Inputs: x, A, B, each W [out, in], and adapterScale where there is one; outputs as lora's. */
const linearLoraOp: Op = {
  name: 'linearLora',
  outputs() {
    throw new Error('linearLora is made of linear and lora');
  },
  together: (inputs) => inputs.filter(({ role }) => role === 'weight'),
  dispatches: (node, settings) => linearWithLora(node, settings)!,
};

/** Inputs: x [T, in], A [G r, in], and adapterScale [T] where there is one. */
export const loraDownOp: Op = {
  name: 'loraDown',
  outputs([x, a]) {
    if (x.shape[1] !== a.shape[1])
      throw new Error(`loraDown ${a.name}: input of ${x.shape[1]} for A of [${a.shape}]`);
    return [{ shape: [x.shape[0], a.shape[0]] }];
  },
  gradient(backward, { inputs: [x, a] }, [dDown]) {
    if (!dDown) return;
    backward.emit(x, linearDxOp, [dDown, a]);
    backward.emit(a, loraDownDaOp, [dDown, x]);
  },
  dispatches({ inputs: [x, a, adapterScale], outputs: [down] }, settings) {
    const sizes = { tokens: x.shape[0], width: x.shape[1], rank: a.shape[0], outs: [a.shape[0]] };
    return (
      loraForward(sizes, { x, a, down, adapterScale }, settings) ??
      downProducts(x, a, down, adapterScale, settings)
    );
  },
  tensorflow: (tf, [x, a]) => [tf.matMul(x, a, false, true)],
};

function downProducts(
  x: Value,
  a: Value,
  down: Value,
  adapterScale: Value | undefined,
  settings: KernelSettings,
): Dispatch[] {
  const [tokens, ranks] = down.shape;
  const unscaled: BufferReference | undefined = adapterScale && {
    type: 'scratch',
    index: 2,
    bytes: tokens * ranks * 4,
  };
  const products = forwardProduct(x, a, down, settings, unscaled);
  if (!unscaled) return products;
  return [
    ...products,
    {
      shader: 'scale_rows',
      constants: { ROWS: tokens, WIDTH: ranks, ACCUMULATE: false },
      bindings: { 0: value(down), 1: unscaled, 2: value(adapterScale!) },
      workgroups: flatGrid(tokens * ranks, 64, settings),
    },
  ];
}

/** Ranks of which an invocation keeps four rows of B in registers. */
const MOST_RANKS_KEPT = 32;
/** Workgroups that keep an adapter busy. */
const UP_WORKGROUPS = 4096;

/** y_g += scale down_g B_g^T, in place. */
function upProduct(
  { tokens, rank, outs }: LoraSizes,
  down: Value,
  y: Value,
  b: Value,
  g: number,
  scale: number,
  settings: KernelSettings,
): Dispatch[] {
  const out = outs[g];
  const first = before(outs)[g];
  if (settings.target === 'gpu' && rank % 4 === 0 && rank <= MOST_RANKS_KEPT && out % 4 === 0) {
    // The rank is short and y long, so that this is a matter of bandwidth: y is read and written once, B kept, A x read by all neighbours at once.
    const columns = Math.ceil(out / 256);
    const rows = Math.max(4, Math.ceil((tokens * columns) / UP_WORKGROUPS));
    return [
      {
        shader: 'lora_up',
        constants: {
          T: tokens,
          WIDTH: out,
          FIRST: first,
          ROW: rank * outs.length,
          OFFSET: g * rank,
          RANK: rank,
          RANK_QUADS: rank / 4,
          TOKENS: rows,
          ALPHA: { f32: scale },
        },
        bindings: { 0: value(y), 1: value(down), 2: value(b) },
        workgroups: [columns, Math.ceil(tokens / rows), 1],
      },
    ];
  }
  return matmul(
    {
      m: tokens,
      n: out,
      k: rank,
      a: { value: down, offset: g * rank, rowStride: rank * outs.length, columnStride: 1 },
      b: { value: b, offset: first * rank, rowStride: 1, columnStride: rank },
      c: { value: y, rowStride: out },
      alpha: scale,
      accumulate: true,
    },
    settings,
  );
}

/** d(A x)[:, g r ...] = scale dy_g B_g for each projection g, and dx = d(A x) A where attribute `dx` says that it is wanted. Inputs: A, B, dy_g [T, out]. */
export const loraDxOp: Op = {
  name: 'loraDx',
  outputs: ([a, , dy], { dx }) => [
    { shape: [dy.shape[0], a.shape[0]] },
    ...(dx ? [{ shape: [dy.shape[0], a.shape[1]] }] : []),
  ],
  dispatches({ inputs: [a, b, ...dys], outputs: [dDown, dx], attributes }, settings) {
    const sizes: LoraSizes = {
      tokens: dDown.shape[0],
      width: a.shape[1],
      rank: b.shape[1],
      outs: dys.map(({ shape }) => shape[1]),
    };
    const scale = attributes.scale as number;
    const kernel =
      fitsKernels(sizes, settings) && loraBackward(sizes, { dys, b, dDown, a, dx, scale }, settings);
    if (kernel) return [kernel];
    const { rank, outs } = sizes;
    const first = before(outs);
    const toDown = dys.flatMap((dy, g) =>
      matmul(
        {
          m: sizes.tokens,
          n: rank,
          k: outs[g],
          a: { value: dy, rowStride: outs[g], columnStride: 1 },
          b: { value: b, offset: first[g] * rank, rowStride: rank, columnStride: 1 },
          c: { value: dDown, offset: g * rank, rowStride: dDown.shape[1] },
          alpha: scale,
        },
        settings,
      ),
    );
    return dx ? [...toDown, ...inputGradientProduct(dDown, a, dx, false, settings)] : toDown;
  },
};

/** Gradients of both parameters: dA += dDown^T x and dB_g += scale dy_g^T (A x)_g. Inputs: x, A x, d(A x), then dy_g. */
export const loraParametersOp: Op = {
  name: 'loraParameters',
  outputs() {
    throw new Error('loraParameters writes to gradients only');
  },
  dispatches({ inputs: [x, down, dDown, ...dys], outputs: [da, db], attributes }, settings) {
    const sizes = sizesOf(x, db, dys);
    const scale = attributes.scale as number;
    const kernel =
      fitsKernels(sizes, settings) &&
      loraParameterGradients(sizes, { x, down, dDown, dys, da, db, scale }, settings);
    if (kernel) return [kernel];
    const { rank, outs } = sizes;
    const first = before(outs);
    const ofB = dys.flatMap((dy, g) =>
      transposedProduct(
        dy,
        { value: down, offset: g * rank },
        { value: db, offset: first[g] * rank, shape: [outs[g], rank] },
        scale,
        settings,
      ),
    );
    return [...transposedProduct(dDown, { value: x }, { value: da, shape: da.shape }, 1, settings), ...ofB];
  },
};

/** dA += dDown^T x. Inputs: dDown, x. */
const loraDownDaOp: Op = {
  name: 'loraDownDa',
  outputs() {
    throw new Error('loraDownDa writes to gradients only');
  },
  dispatches: ({ inputs: [dDown, x], outputs: [da] }, settings) =>
    transposedProduct(dDown, { value: x }, { value: da, shape: da.shape }, 1, settings),
};

interface Part {
  value: Value;
  /** In elements. */
  offset?: number;
}

/** out[m, n] += scale Σ_t left[t, m] right[t, n]. */
function transposedProduct(
  left: Value,
  right: Part,
  out: Part & { shape: readonly number[] },
  scale: number,
  settings: KernelSettings,
): Dispatch[] {
  const [m, n] = out.shape;
  return matmul(
    {
      m,
      n,
      k: left.shape[0],
      a: { value: left, rowStride: 1, columnStride: left.shape[1] },
      b: { ...right, rowStride: right.value.shape[1], columnStride: 1 },
      c: { value: out.value, offset: out.offset, rowStride: n },
      alpha: scale,
      accumulate: true,
    },
    settings,
  );
}
