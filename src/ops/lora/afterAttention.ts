/** Attention over the cache with the projection of its output and that one's adapter, for a few rows. */
import type { Dispatch, KernelSettings } from '../../gpu/dispatch.ts';
import type { Node, Op } from '../../graph/op.ts';
import type { Value } from '../../graph/value.ts';
import {
  ropeAttentionDecodeDispatch,
  type RopeAttentionAttributes,
  type RopeCacheInputs,
} from '../attention/ropeAttentionDecode.ts';
import { linearForward } from '../matmul/linear.ts';
import { addPartials, attentionPartials } from './downPartials.ts';

interface AfterAttentionInputs extends RopeCacheInputs {
  /** [r, heads · d] */
  loraA: Value;
  /** [out, r] */
  loraB: Value;
  /** [out, heads · d] */
  weight: Value;
  /** [S] */
  adapterScale?: Value;
}

interface AfterAttentionAttributes extends RopeAttentionAttributes {
  /** What attention computes, [S, heads · d]. */
  o: Value;
  /** Of the adapter; `scale` is that of the scores. */
  loraScale: number;
}

type AfterAttentionNode = Node<AfterAttentionInputs, AfterAttentionAttributes>;

interface Projection {
  /** [S, heads · d], which nothing else reads, and the result, [S, out]. */
  x: Value;
  y: Value;
  a: Value;
  b: Value;
  weight: Value;
  scale: number;
  adapterScale?: Value;
}

/** @returns null where the projection is not attention's, or the kernels do not fit shape or adapter */
export function fuseAfterAttention(
  attention: Node<RopeCacheInputs, RopeAttentionAttributes>,
  { x, y, a, b, weight, scale, adapterScale }: Projection,
  settings: KernelSettings,
): Node | null {
  const [o, ...cache] = attention.outputs;
  if (o !== x) return null;
  const outputs = [y, ...cache];
  const node: AfterAttentionNode = {
    ...attention,
    op: afterAttentionOp,
    inputs: { ...attention.inputs, loraA: a, loraB: b, weight, adapterScale },
    outputs,
    attributes: { ...attention.attributes, o, loraScale: scale },
    inPlaceOf: outputs.map(() => undefined),
  };
  return afterAttentionDispatches(node, settings) && node;
}

function afterAttentionDispatches(
  { inputs, outputs: [y, ...cache], attributes }: AfterAttentionNode,
  settings: KernelSettings,
): Dispatch[] | null {
  const { loraA, loraB, weight, adapterScale, ...ofAttention } = inputs;
  const { o, loraScale } = attributes;
  const attention = ropeAttentionDecodeDispatch(ofAttention, o, cache, attributes);
  const writer = attentionPartials(attention, o, loraA, settings);
  const projection =
    writer &&
    addPartials(
      linearForward(o, weight, y, settings),
      writer.partials,
      o,
      { b: loraB, scale: loraScale, adapterScale },
      settings,
    );
  return projection && [writer.dispatch, projection];
}

/** Only plans contain it. Outputs: y [S, out], and the cache's keys and values. */
const afterAttentionOp: Op<AfterAttentionInputs, AfterAttentionAttributes> = {
  name: 'attentionLinearLora',
  outputs() {
    throw new Error('attentionLinearLora is fused from ropeAttentionDecode and linearLora');
  },
  dispatches: (node, settings) => afterAttentionDispatches(node, settings)!,
};
