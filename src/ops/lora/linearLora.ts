/**
 * Linear layers of one input fused with their adapters, for a few rows as in generation: a first kernel
 * computes A x, a second one W x, to which it adds the adapter's part. The first also computes the norm of
 * the residual stream ahead of it, the second the gated activation after it, where these are neighbours.
 * Where the kernel before a projection can begin its A x (downPartials.ts), the second kernel alone remains.
 */
import type { Dispatch, KernelSettings } from '../../gpu/dispatch.ts';
import { isNodeOf, type Node, type Op } from '../../graph/op.ts';
import type { Value } from '../../graph/value.ts';
import type { Activation } from '../elementwise/activation.ts';
import { ropeAttentionDecodeOp } from '../attention/ropeAttentionDecode.ts';
import { fewRows } from '../matmul/matmulVariants.ts';
import { linearForward, linearGroupForward } from '../matmul/linear.ts';
import { addRmsNormOp, rmsNormOp, type RmsNormAttributes } from '../norm/rmsNorm.ts';
import { fuseAfterAttention } from './afterAttention.ts';
import { addPartials, gatedPartials } from './downPartials.ts';
import { addLoraToRows, gateRows, normedDown } from './fusedRowKernels.ts';
import { loraForward } from './loraForwardKernels.ts';
import type { LoraSizes } from './loraSizes.ts';

interface LinearLoraInputs {
  /** [T, in], normalised already unless `norm` is there. */
  x: Value;
  /** [G · r, in] */
  a: Value;
  /** [Σ out, r] */
  b: Value;
  /** [out, in] of each projection. */
  weights: readonly Value[];
  /** [T] */
  adapterScale?: Value;
  /** Added to x ahead of the norm, [T, in]. */
  residual?: Value;
  /** The weight of a norm of x, [in]. */
  norm?: Value;
  /** Of the projection of the gated activation, where it is computed too: A [r, out], B [next, r], W. */
  nextA?: Value;
  nextB?: Value;
  nextWeight?: Value;
}

interface LinearLoraAttributes {
  scale: number;
  /** Of the norm, where there is one. */
  norm?: RmsNormAttributes;
  /** Where the two outputs are gate and up, and only activation(gate) · up is wanted. */
  activation?: Activation;
  /** Of the next projection: what it reads, [T, out], and the scale of its adapter. */
  next?: { x: Value; scale: number };
}

type LinearLoraNode = Node<LinearLoraInputs, LinearLoraAttributes>;

/**
 * @param node of lora, whose outputs the fused node has @param inputs its operands and the weights of the
 * linear layers before it @returns null where other kernels compute it
 */
export function fuseLinearLora(
  node: Node<object, { scale: number }>,
  inputs: LinearLoraInputs,
  settings: KernelSettings,
): Node | null {
  return whereComputed({ ...node, op: linearLoraOp, inputs, inPlaceOf: none(node.outputs) }, settings);
}

/**
 * @param node of a gated activation @param gate, up its operands
 * @returns the fused node, whose last output is the activation's; null where `previous` does not compute
 * exactly these two, or something else reads them
 */
export function fuseGated(
  previous: Node,
  node: Node,
  { gate, up }: { gate: Value; up: Value },
  activation: Activation,
  settings: KernelSettings,
  readsOf: (value: Value) => number,
): Node | null {
  if (!isNodeOf(previous, linearLoraOp) || previous.inputs.weights.length !== 2) return null;
  const [first, second] = previous.outputs.slice(-2);
  if (first !== gate || second !== up || readsOf(gate) !== 1 || readsOf(up) !== 1) return null;
  const outputs = [...previous.outputs.slice(0, -2), ...node.outputs];
  const attributes = { ...previous.attributes, activation };
  return whereComputed({ ...previous, outputs, attributes, inPlaceOf: none(outputs) }, settings);
}

/** @returns the node, or null where its kernels do not fit the shape or the adapter */
function whereComputed(node: LinearLoraNode, settings: KernelSettings): LinearLoraNode | null {
  return linearLoraDispatches(node, settings) && node;
}

function none(outputs: readonly Value[]): undefined[] {
  return outputs.map(() => undefined);
}

function linearLoraDispatches(
  { inputs, outputs, attributes }: LinearLoraNode,
  settings: KernelSettings,
): Dispatch[] | null {
  const { a, b, weights, adapterScale, residual, norm, nextA, nextB, nextWeight } = inputs;
  const { scale, activation, next } = attributes;
  const [tokens, width] = inputs.x.shape;
  if (tokens > fewRows(settings)) return null;
  const before = norm ? outputs.slice(0, residual ? 2 : 1) : [];
  const [down, ...ys] = outputs.slice(before.length);
  const x = before.at(-1) ?? inputs.x;
  const outs = weights.map(({ shape }) => shape[0]);
  const sizes: LoraSizes = { tokens, width, rank: b.shape[1], outs };
  const gatedY = next?.x ?? ys[0];
  const targets = activation ? [gatedY, gatedY] : ys;
  const product = addLoraToRows(
    linearGroupForward(x, weights, targets, settings),
    sizes,
    { down, b, scale },
    settings,
  );
  const second = product && activation ? gateRows(product, outs, gatedY, activation, settings) : product;
  if (!second) return null;
  const first = norm
    ? normedDown(
        sizes,
        { x: inputs.x, a, down, adapterScale, residual, norm, y: x, sum: residual && before[0] },
        attributes.norm!,
        settings,
      )
    : loraForward(sizes, { x, a, down, adapterScale }, settings);
  if (!first) return null;
  if (!next) return [...first, second];
  const writer = gatedPartials(second, next.x, nextA!, settings);
  const third =
    writer &&
    addPartials(
      linearForward(next.x, nextWeight!, ys[0], settings),
      writer.partials,
      next.x,
      { b: nextB!, scale: next.scale, adapterScale },
      settings,
    );
  return third && [...first, writer.dispatch, third];
}

/**
 * A projection with an adapter fused with what computes its input: a gated activation or attention over the
 * cache. @returns null where anything else reads that input, or A x
 */
function fuseNext(
  previous: Node,
  { inputs, outputs: [down, y], attributes }: LinearLoraNode,
  settings: KernelSettings,
  readsOf: (value: Value) => number,
): Node | null {
  const { x, a, b, weights, adapterScale } = inputs;
  // The projection and its adapter read x.
  if (weights.length !== 1 || readsOf(x) !== 2 || readsOf(down) > 0) return null;
  const { scale } = attributes;
  if (isNodeOf(previous, ropeAttentionDecodeOp))
    return fuseAfterAttention(previous, { x, y, a, b, weight: weights[0], scale, adapterScale }, settings);
  if (!isNodeOf(previous, linearLoraOp) || previous.attributes.next) return null;
  if (previous.outputs.at(-1) !== x || !previous.attributes.activation) return null;
  if (previous.inputs.adapterScale !== adapterScale) return null;
  const outputs = [...previous.outputs.slice(0, -1), y];
  return whereComputed(
    {
      ...previous,
      inputs: { ...previous.inputs, nextA: a, nextB: b, nextWeight: weights[0] },
      outputs,
      attributes: { ...previous.attributes, next: { x, scale } },
      inPlaceOf: none(outputs),
    },
    settings,
  );
}

/**
 * Only plans contain it. Outputs as lora's: A x, then one y for each projection, or the gated activation of
 * the two; before these, where there is a norm, what it computes: the sum with the residual, and its result.
 */
const linearLoraOp: Op<LinearLoraInputs, LinearLoraAttributes> = {
  name: 'linearLora',
  outputs() {
    throw new Error('linearLora is fused from linear and lora');
  },
  contiguousWeights: ({ weights }) => weights,
  fuse(previous, node, settings, readsOf) {
    const { x } = node.inputs;
    if (node.inputs.norm || node.attributes.next) return null;
    const fed = fuseNext(previous, node, settings, readsOf);
    if (fed) return fed;
    const isNorm = isNodeOf(previous, rmsNormOp);
    if (!isNorm && !isNodeOf(previous, addRmsNormOp)) return null;
    const { weight } = previous.inputs;
    if (previous.outputs.at(-1) !== x || weight.shape[0] !== x.shape[1]) return null;
    const operands = isNorm
      ? { x: previous.inputs.x }
      : { x: previous.inputs.a, residual: previous.inputs.b };
    const outputs = [...previous.outputs, ...node.outputs];
    return whereComputed(
      {
        ...node,
        inputs: { ...node.inputs, ...operands, norm: weight },
        outputs,
        attributes: { ...node.attributes, norm: previous.attributes },
        inPlaceOf: none(outputs),
      },
      settings,
    );
  },
  dispatches: (node, settings) => linearLoraDispatches(node, settings)!,
};
