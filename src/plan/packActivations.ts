/**
 * Halves what waits for the backward pass: an activation that is read there is packed into 16 bits after its
 * last use in the forward pass, and unpacked before its first use in the backward pass. The forward pass,
 * and so the loss, stays as it is; gradients are rounded by what they read.
 */
import type { Graph } from '../graph/graph.ts';
import { inputValues, mapInputs, type Node, type Op } from '../graph/op.ts';
import { elements, type Value } from '../graph/value.ts';
import { PACKED_TOGETHER, packE6m9Op, unpackE6m9Op } from '../ops/elementwise/packedFloats.ts';

/** Narrower values, such as the sums of attention's exponentials and LoRA's products, are not worth it. */
const LEAST_WIDTH = 128;

interface Uses {
  value: Value;
  /** Indices of nodes. */
  lastForward: number;
  firstBackward: number;
}

/**
 * @param nodes of a training plan, forward and then backward
 * @returns the same with packing and unpacking among them
 */
export function packActivations(nodes: readonly Node[], graph: Graph): Node[] {
  const uses = waiting(nodes, graph);
  const after = new Map<number, Node[]>();
  const before = new Map<number, Node[]>();
  const unpackedOf = new Map<Value, Value>();
  for (const { value, lastForward, firstBackward } of uses) {
    const packed = graph.value('activation', `${value.name} packed`, [elements(value) / 2], { dtype: 'u32' });
    const unpacked = graph.value('activation', `${value.name} unpacked`, value.shape);
    unpackedOf.set(value, unpacked);
    push(after, lastForward, nodeOf(packE6m9Op, { x: value }, packed, {}));
    push(before, firstBackward, nodeOf(unpackE6m9Op, { packed }, unpacked, { shape: value.shape }));
  }
  const swap = (value: Value): Value => unpackedOf.get(value) ?? value;
  return nodes.flatMap((node, index) => [
    ...(before.get(index) ?? []),
    isForward(node, graph)
      ? node
      : {
          ...node,
          inputs: mapInputs(node.inputs, swap),
          inPlaceOf: node.inPlaceOf.map((from) => from && swap(from)),
        },
    ...(after.get(index) ?? []),
  ]);
}

/** The activations that wait while at least one segment lies between their last use and the next. */
function waiting(nodes: readonly Node[], graph: Graph): Uses[] {
  const forward = nodes.filter((node) => isForward(node, graph));
  const lastSegment = forward.reduce((last, { segment }) => Math.max(last, segment ?? -1), -1);
  const lastForward = new Map<Value, number>();
  const firstBackward = new Map<Value, number>();
  nodes.forEach((node, index) => {
    if (isForward(node, graph))
      for (const value of [...inputValues(node), ...node.outputs]) lastForward.set(value, index);
    else
      for (const value of inputValues(node)) if (!firstBackward.has(value)) firstBackward.set(value, index);
  });
  return [...firstBackward].flatMap(([value, first]) => {
    const last = lastForward.get(value);
    if (last === undefined || !isPackable(value)) return [];
    const { segment } = nodes[last];
    return segment !== null && segment < lastSegment
      ? [{ value, lastForward: last, firstBackward: first }]
      : [];
  });
}

function isPackable({ role, dtype, shape }: Value): boolean {
  return (
    role === 'activation' &&
    dtype === 'f32' &&
    shape.length === 2 &&
    shape[1] >= LEAST_WIDTH &&
    (shape[0] * shape[1]) % PACKED_TOGETHER === 0
  );
}

function isForward({ outputs }: Node, { backwardFrom }: Graph): boolean {
  return backwardFrom === null || outputs.every(({ id }) => id < backwardFrom);
}

function nodeOf<Inputs extends object, Attributes extends object>(
  op: Op<Inputs, Attributes>,
  inputs: Inputs,
  output: Value,
  attributes: Attributes,
): Node {
  return {
    op,
    inputs,
    outputs: [output],
    attributes,
    inPlaceOf: [undefined],
    segment: null,
    beforeAttention: false,
  };
}

function push<K, V>(lists: Map<K, V[]>, key: K, item: V): void {
  const list = lists.get(key);
  if (list) list.push(item);
  else lists.set(key, [item]);
}
