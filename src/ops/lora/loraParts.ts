/**
 * Training: where a product's sum over k is split, the adapter's kernel that reads the product next adds the
 * parts up itself, in the order of split_k_reduce_vec4.wgsl, so that no kernel has to do it in between.
 */
import { value, type BufferReference, type Dispatch, type KernelSettings } from '../../gpu/dispatch.ts';
import { mapInputs, type Node } from '../../graph/op.ts';
import type { Value } from '../../graph/value.ts';

/** A product whose partial sums are not added up yet. */
interface SplitProduct {
  /** What it would have made. */
  outputs: readonly Value[];
  /** What its only output would have been added to, in place. */
  sum?: Value;
  /** The partial sums [parts, T, out] of each output, one output's after the other's. */
  partial: Value;
  parts: number;
}

interface Reader {
  node: Node;
  dispatches: readonly Dispatch[];
}

/**
 * @param reader the node after the product; nothing else reads what that makes
 * @returns the reader, which adds the parts up; null where its kernel does not, or may not bind them too
 */
export function addsParts(
  { node, dispatches }: Reader,
  product: SplitProduct,
  settings: KernelSettings,
): Reader | null {
  const [kernel, ...others] = dispatches;
  if (others.length > 0 || Object.keys(kernel.bindings).length >= settings.maxStorageBuffers) return null;
  const bindings = bindingsOf(kernel, node, product);
  if (!bindings) return null;
  const { outputs, partial, sum } = product;
  return {
    node: {
      ...node,
      inputs: {
        ...mapInputs(node.inputs, (input) => (outputs.includes(input) ? (sum ?? partial) : input)),
        partial,
      },
      inPlaceOf: node.inPlaceOf.map((from) => (from && outputs.includes(from) ? undefined : from)),
    },
    dispatches: [
      {
        ...kernel,
        constants: { ...kernel.constants, PARTS: product.parts },
        bindings: { ...kernel.bindings, ...bindings, partial: value(partial) },
      },
    ],
  };
}

/** The bindings that now lead elsewhere than to the product's outputs; null where the kernel has none. */
function bindingsOf(
  { shader, constants, bindings }: Dispatch,
  node: Node,
  { outputs, sum }: SplitProduct,
): Dispatch['bindings'] | null {
  if (shader === 'lora_forward' && constants.PROJECTIONS === outputs.length && !sum) {
    // Each projection is written for the first time.
    const own = outputs.map((output) => node.outputs[node.inPlaceOf.indexOf(output)]);
    if (own.includes(undefined!)) return null;
    return Object.fromEntries(own.map((y, g) => [`y${g}`, value(y)]));
  }
  const isRead = (reference: BufferReference | undefined) =>
    reference?.type === 'value' && reference.id === outputs[0].id;
  if (shader === 'lora_dx' && isRead(bindings.d_normed) && sum) return { d_normed: value(sum) };
  return null;
}
