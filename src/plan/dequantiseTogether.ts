/**
 * Dequantises the operands of several neighbouring products at once, ahead of the first: fewer dispatches for
 * memory that they share while they wait.
 */
import { withScratchAt, type BufferReference, type Dispatch, type KernelSettings } from '../gpu/dispatch.ts';
import type { Graph } from '../graph/graph.ts';
import type { Node, NoAttributes, Op } from '../graph/op.ts';
import {
  dequantiseSeveral,
  fitTogether,
  isDequantisation,
  slotBytes,
  type Dequantisation,
} from '../ops/matmul/dequantiseSeveral.ts';
import { exclusivePrefixSum, sum } from '../ops/numbered.ts';

/** A node with the kernels that it takes in a plan. */
export interface PlannedNode {
  node: Node;
  dispatches: readonly Dispatch[];
}

/** A node that dequantises one operand for itself. */
interface Product extends PlannedNode {
  index: number;
  dequantisation: Dequantisation;
}

/**
 * @param planned the nodes of a plan, in order @param bytes that operands may take together; one alone may
 * take more
 * @returns the same, with a node ahead of each group that dequantises for all of it
 */
export function dequantiseTogether(
  planned: readonly PlannedNode[],
  graph: Graph,
  settings: KernelSettings,
  bytes: number,
): PlannedNode[] {
  const products = planned.flatMap(({ node, dispatches }, index): Product[] => {
    const [dequantisation, ...others] = dispatches.filter(isDequantisation);
    return dequantisation && others.length === 0 ? [{ node, dispatches, index, dequantisation }] : [];
  });
  const out: PlannedNode[][] = planned.map((each) => [each]);
  let group: Product[] = [];
  const close = () => {
    if (group.length > 1) {
      const { ahead, members } = together(group, graph, settings);
      group.forEach(({ index }, i) => (out[index] = i === 0 ? [ahead, members[i]] : [members[i]]));
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
  graph: Graph,
  settings: KernelSettings,
): { ahead: PlannedNode; members: PlannedNode[] } {
  const all = group.map(({ dequantisation }) => dequantisation);
  const sizes = all.map(slotBytes);
  const [{ node: first }] = group;
  const y = graph.value('activation', `dequantised for ${first.outputs[0].name}`, [sum(sizes) / 4], {
    dtype: 'u32',
  });
  const node: Node = {
    ...first,
    op: dequantiseOp(all),
    inputs: {},
    outputs: [y],
    attributes: {},
    inPlaceOf: [undefined],
  };
  const offsets = exclusivePrefixSum(sizes);
  const members = group.map((product, i): PlannedNode => {
    const { bytes: sizeBytes } = product.dequantisation.bindings.y;
    const slot: BufferReference = { type: 'value', id: y.id, offsetBytes: offsets[i], sizeBytes };
    return {
      node: { ...product.node, inputs: { ...product.node.inputs, dequantised: y } },
      dispatches: withoutDequantisation(product, slot),
    };
  });
  return { ahead: { node, dispatches: node.op.dispatches(node, settings) }, members };
}

/** The dispatches that are left, which read `slot` where the dequantisation's scratch was. */
function withoutDequantisation({ dispatches, dequantisation }: Product, slot: BufferReference): Dispatch[] {
  const scratch = dequantisation.bindings.y.index;
  const { tuningProblem } = dequantisation;
  return dispatches
    .filter((dispatch) => dispatch !== dequantisation)
    .map((dispatch, i) => ({
      ...withScratchAt(dispatch, scratch, slot),
      ...(i === 0 && tuningProblem && { tuningProblem }),
    }));
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
