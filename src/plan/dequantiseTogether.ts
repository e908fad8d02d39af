/**
 * Dequantises the operands of several neighbouring products at once, ahead of the first: fewer dispatches for
 * memory that they share while they wait.
 */
import type { BufferReference, Dispatch, KernelSettings } from '../gpu/dispatch.ts';
import type { Graph } from '../graph/graph.ts';
import type { Node, NoAttributes, Op } from '../graph/op.ts';
import type { Value } from '../graph/value.ts';
import {
  dequantiseSeveral,
  fitTogether,
  isDequantisation,
  slotBytes,
  type Dequantisation,
} from '../ops/matmul/dequantiseSeveral.ts';
import { sum } from '../ops/numbered.ts';

/** A node that dequantises one operand for itself. */
interface Product {
  index: number;
  dispatches: Dispatch[];
  dequantisation: Dequantisation;
}

/**
 * @param nodes of a plan, in order @param bytes that operands may take together; one alone may take more
 * @returns the same, with a node ahead of each group that dequantises for all of it
 */
export function dequantiseTogether(
  nodes: readonly Node[],
  graph: Graph,
  settings: KernelSettings,
  bytes: number,
): Node[] {
  const products = nodes.flatMap((node, index): Product[] => {
    const dispatches = node.op.dispatches(node, settings);
    const [dequantisation, ...others] = dispatches.filter(isDequantisation);
    return dequantisation && others.length === 0 ? [{ index, dispatches, dequantisation }] : [];
  });
  const out = [...nodes] as (Node | Node[])[];
  let group: Product[] = [];
  const close = () => {
    if (group.length > 1) {
      const { ahead, members } = together(group, nodes, graph);
      group.forEach(({ index }, i) => (out[index] = i === 0 ? [ahead, members[i]] : members[i]));
    }
    group = [];
  };
  for (const product of products) {
    const all = [...group, product].map(({ dequantisation }) => dequantisation);
    if (group.length > 0 && (sum(all.map(slotBytes)) > bytes || !fitTogether(all, settings))) close();
    group.push(product);
  }
  close();
  return out.flat();
}

function together(
  group: readonly Product[],
  nodes: readonly Node[],
  graph: Graph,
): { ahead: Node; members: Node[] } {
  const all = group.map(({ dequantisation }) => dequantisation);
  const sizes = all.map(slotBytes);
  const first = nodes[group[0].index];
  const y = graph.value('activation', `dequantised for ${first.outputs[0].name}`, [sum(sizes) / 4], {
    dtype: 'u32',
  });
  const ahead: Node = {
    ...first,
    op: dequantiseOp(all),
    inputs: {},
    outputs: [y],
    attributes: {},
    inPlaceOf: [undefined],
  };
  let offsetBytes = 0;
  const members = group.map(({ index, dispatches, dequantisation }, i) => {
    const slot: BufferReference = {
      type: 'value',
      id: y.id,
      offsetBytes,
      sizeBytes: dequantisation.bindings.y.bytes,
    };
    offsetBytes += sizes[i];
    return readingFrom(nodes[index], y, withoutDequantisation(dispatches, dequantisation, slot));
  });
  return { ahead, members };
}

/** The dispatches that are left, which read `slot` where the dequantisation's scratch was. */
function withoutDequantisation(
  dispatches: readonly Dispatch[],
  dequantisation: Dequantisation,
  slot: BufferReference,
): Dispatch[] {
  const scratch = dequantisation.bindings.y.index;
  const { tuningProblem } = dequantisation;
  return dispatches
    .filter((dispatch) => dispatch !== dequantisation)
    .map((dispatch, i) => ({
      ...dispatch,
      ...(i === 0 && tuningProblem && { tuningProblem }),
      bindings: Object.fromEntries(
        Object.entries(dispatch.bindings).map(([name, reference]) => [
          name,
          reference.type === 'scratch' && reference.index === scratch ? slot : reference,
        ]),
      ),
    }));
}

/** The node with other dispatches, which read `dequantised` too. */
function readingFrom(node: Node, dequantised: Value, dispatches: Dispatch[]): Node {
  return {
    ...node,
    op: { ...node.op, dispatches: () => dispatches },
    inputs: { ...node.inputs, dequantised },
  };
}

function dequantiseOp(all: readonly Dequantisation[]): Op<object, NoAttributes> {
  return {
    name: 'dequantise',
    outputs() {
      throw new Error('dequantise is made for plans');
    },
    dispatches: ({ outputs: [y] }, settings) => [dequantiseSeveral(all, y, settings)],
  };
}
