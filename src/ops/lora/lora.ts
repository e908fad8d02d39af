/**
 * LoRA (arXiv:2106.09685): y_g = W_g x + s B_g (A_g x), for all projections g of one input at once: their A
 * matrices lie one below the other in one parameter, and so do their B matrices. On a GPU the forward pass is
 * a kernel or two where the shape fits them (loraForwardKernels.ts); elsewhere it is matrix products
 * (loraMatmul.ts).
 */
import type { Graph } from '../../graph/graph.ts';
import { isNodeOf, type Node, type NoAttributes, type Op } from '../../graph/op.ts';
import type { Value } from '../../graph/value.ts';
import { linearDxOp, linearOp } from '../matmul/linear.ts';
import { linearGroupOp } from '../matmul/linearGroup.ts';
import { exclusivePrefixSum, sum } from '../numbered.ts';
import { fuseLinearLora } from './linearLora.ts';
import { loraDownDaOp, loraDxOp, loraParametersOp } from './loraBackward.ts';
import { loraForward } from './loraForwardKernels.ts';
import { downMatmul, upMatmul } from './loraMatmul.ts';
import { loraSizes, type LoraInputs } from './loraSizes.ts';
import { fuseThen } from './loraThen.ts';

interface LoraAttributes {
  /** α/r, or α/√r with rank stabilisation (arXiv:2312.03732). */
  scale: number;
}

export type LoraProjections = Omit<LoraInputs, 'x'> & LoraAttributes;

/** @param x [T, in] @returns one [T, out] for each projection */
export function lora(graph: Graph, x: Value, { a, b, ys, scale, adapterScale }: LoraProjections): Value[] {
  return graph.append(loraOp, { x, a, b, ys, adapterScale }, { scale }).slice(1);
}

/** A x alone. @param x [T, in] @param a [G · r, in], parameter @returns [T, G · r] */
export function loraDown(graph: Graph, x: Value, a: Value): Value {
  return graph.append(loraDownOp, { x, a })[0];
}

/** Outputs: A x [T, G · r], which the gradients need, then one y [T, out] for each projection. */
export const loraOp: Op<LoraInputs, LoraAttributes> = {
  name: 'lora',
  outputs({ x, a, b, ys }) {
    const { width, rank, outs } = loraSizes(x, b, ys);
    if (a.shape[1] !== width || a.shape[0] !== outs.length * rank || b.shape[0] !== sum(outs))
      throw new Error(
        `lora ${a.name}: A [${a.shape}] and B [${b.shape}] do not fit an input of ${width} ` +
          `and outputs of ${outs.join(', ')}`,
      );
    return [{ shape: [x.shape[0], a.shape[0]] }, ...ys.map((y) => ({ shape: y.shape, inPlaceOf: y }))];
  },
  gradient(backward, { inputs: { x, a, b, ys, adapterScale }, outputs: [down], attributes }, [, ...all]) {
    if (adapterScale) throw new Error('lora: nothing flows back through an adapter of a reduced scale');
    const dys = all.filter((dy) => dy !== null);
    if (dys.length < all.length) throw new Error('lora: a projection that shares its input is not used');
    const { scale } = attributes;
    ys.forEach((y, g) => backward.pass(y, dys[g]));
    const [dDown, dx] = backward.append(loraDxOp, { a, b, dys }, { scale, wantsDx: backward.wants(x) });
    if (dx) backward.pass(x, dx);
    backward.emitParameters([a, b], loraParametersOp, { x, down, dDown, dys }, { scale });
  },
  prune(node, needed) {
    const [down, ...ys] = node.outputs;
    if (ys.some((y) => needed.has(y))) return node;
    const { x, a, adapterScale } = node.inputs;
    const pruned: Node<LoraDownInputs, NoAttributes> = {
      ...node,
      op: loraDownOp,
      inputs: { x, a, adapterScale },
      outputs: [down],
      attributes: {},
      inPlaceOf: [undefined],
    };
    return pruned;
  },
  dispatches({ inputs: { x, a, b, ys, adapterScale }, outputs: [down], attributes: { scale } }, settings) {
    const sizes = loraSizes(x, b, ys);
    const kernels = loraForward(sizes, { x, a, down, adapterScale, up: { ys, b, scale } }, settings);
    return (
      kernels ?? [
        ...downMatmul(x, a, down, adapterScale, settings),
        ...ys.flatMap((y, g) => upMatmul(sizes, down, y, b, g, scale, settings)),
      ]
    );
  },
  fuse(previous, node, settings) {
    const { x, a, b, ys, adapterScale } = node.inputs;
    const { outputs } = previous;
    if (outputs.length !== ys.length || ys.some((y, g) => y !== outputs[g])) return null;
    if (isNodeOf(previous, linearOp) && previous.inputs.x === x)
      return fuseLinearLora(node, { x, a, b, weights: [previous.inputs.weight], adapterScale }, settings);
    if (isNodeOf(previous, linearGroupOp) && previous.inputs.x === x)
      return fuseLinearLora(node, { x, a, b, weights: previous.inputs.weights, adapterScale }, settings);
    return null;
  },
  fuseNext: fuseThen,
  tensorflow(tf, { x, a, b, ys, adapterScale }, { attributes: { scale } }) {
    const rank = b.shape[1]!;
    const product = tf.matMul(x, a, false, true);
    const down = adapterScale ? tf.mul(product, tf.reshape(adapterScale, [-1, 1])) : product;
    const first = exclusivePrefixSum(ys.map(({ shape }) => shape[1]!));
    return [
      down,
      ...ys.map((y, g) => {
        const part = tf.slice(down, [0, g * rank], [-1, rank]);
        const rows = tf.slice(b, [first[g], 0], [y.shape[1]!, rank]);
        return tf.add(y, tf.mul(tf.matMul(part, rows, false, true), scale));
      }),
    ];
  },
};

interface LoraDownInputs {
  /** [T, in] */
  x: Value;
  /** [G · r, in] */
  a: Value;
  /** [T] */
  adapterScale?: Value;
}

/** A x, multiplied with each token's adapter scale where there is one: [T, G · r]. */
export const loraDownOp: Op<LoraDownInputs, NoAttributes> = {
  name: 'loraDown',
  outputs({ x, a }) {
    if (x.shape[1] !== a.shape[1])
      throw new Error(`loraDown ${a.name}: input of ${x.shape[1]} for A of [${a.shape}]`);
    return [{ shape: [x.shape[0], a.shape[0]] }];
  },
  gradient(backward, { inputs: { x, a } }, [dDown]) {
    if (!dDown) return;
    backward.emit(x, linearDxOp, { dy: dDown, weight: a }, {});
    backward.emit(a, loraDownDaOp, { dDown, x }, {});
  },
  dispatches({ inputs: { x, a, adapterScale }, outputs: [down] }, settings) {
    const sizes = { tokens: x.shape[0], width: x.shape[1], rank: a.shape[0], outs: [a.shape[0]] };
    return (
      loraForward(sizes, { x, a, down, adapterScale }, settings) ??
      downMatmul(x, a, down, adapterScale, settings)
    );
  },
  tensorflow: (tf, { x, a }) => [tf.matMul(x, a, false, true)],
};
