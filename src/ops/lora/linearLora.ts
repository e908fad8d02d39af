/**
 * Linear layers of one input fused with their adapters, for a few rows as in generation: a first kernel
 * computes A x, a second one W x, to which it adds the adapter's part.
 */
import type { Dispatch, KernelSettings } from '../../gpu/dispatch.ts';
import type { Node, Op } from '../../graph/op.ts';
import type { Value } from '../../graph/value.ts';
import { linearGroupForward } from '../matmul/linear.ts';
import { addLoraToRows, loraForward } from './loraForwardKernels.ts';
import { loraSizes } from './loraSizes.ts';
import { MAX_ROWS } from './loraTiling.ts';

interface LinearLoraInputs {
  /** [T, in] */
  x: Value;
  /** [G · r, in] */
  a: Value;
  /** [Σ out, r] */
  b: Value;
  /** [out, in] of each projection. */
  weights: readonly Value[];
  /** [T] */
  adapterScale?: Value;
}

interface LinearLoraAttributes {
  scale: number;
}

/**
 * @param node of lora, whose outputs the fused node has @param inputs its operands and the weights of the
 * linear layers before it @returns null where other kernels compute it
 */
export function fuseLinearLora(
  node: Node<object, LinearLoraAttributes>,
  inputs: LinearLoraInputs,
  settings: KernelSettings,
): Node | null {
  const inPlaceOf = node.outputs.map(() => undefined);
  const fused: Node<LinearLoraInputs, LinearLoraAttributes> = {
    ...node,
    op: linearLoraOp,
    inputs,
    inPlaceOf,
  };
  return linearLoraDispatches(fused, settings) && fused;
}

function linearLoraDispatches(
  { inputs, outputs: [down, ...ys], attributes: { scale } }: Node<LinearLoraInputs, LinearLoraAttributes>,
  settings: KernelSettings,
): Dispatch[] | null {
  const { x, a, b, weights, adapterScale } = inputs;
  if (x.shape[0] > MAX_ROWS) return null;
  const sizes = loraSizes(x, b, ys);
  const second = addLoraToRows(
    linearGroupForward(x, weights, ys, settings),
    sizes,
    { down, b, scale },
    settings,
  );
  const first = second && loraForward(sizes, { x, a, down, adapterScale }, settings);
  return first && [...first, second];
}

/** Only plans contain it. Outputs as lora's: A x, then one y for each projection. */
const linearLoraOp: Op<LinearLoraInputs, LinearLoraAttributes> = {
  name: 'linearLora',
  outputs() {
    throw new Error('linearLora is fused from linear and lora');
  },
  contiguousWeights: ({ weights }) => weights,
  dispatches: (node, settings) => linearLoraDispatches(node, settings)!,
};
