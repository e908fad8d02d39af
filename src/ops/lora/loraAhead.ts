/**
 * The backward pass: what makes the gradients that reach an adapter, and the adapter's own kernel computes
 * ahead, because a workgroup has whole rows: the gradients of a gated activation, of a norm, or of the
 * rotation of queries and keys.
 */
import { value, type Dispatch, type KernelSettings } from '../../gpu/dispatch.ts';
import { isNodeOf, type Node, type Op } from '../../graph/op.ts';
import type { Value } from '../../graph/value.ts';
import type { Activation } from '../elementwise/activation.ts';
import { gatedDxOp } from '../elementwise/gated.ts';
import { rmsNormDxOp, type RmsNormAttributes } from '../norm/rmsNorm.ts';
import { ropeOp, type RopeAngles } from '../rope/rope.ts';
import { weightBindings, weightKind } from '../weights/weightBindings.ts';
import { loraBackward } from './loraBackwardKernels.ts';
import { rotationBindings, rotationConstants, type Rotation } from './loraRotation.ts';
import { loraDxSizes, type LoraDxAttributes, type LoraDxInputs } from './loraSizes.ts';

interface LoraAheadInputs extends Omit<LoraDxInputs, 'dys'> {
  /** Where a rotation comes before, what reaches each projection; the first are rotated in place. */
  dys?: readonly Value[];
  table?: Value;
  rows?: Value;
  /** Where a gated activation does: [T, out] each. */
  gate?: Value;
  up?: Value;
  dGated?: Value;
  /** Where a norm does: [T, out] each, and its weight [out]. The gradient is added to `sum` in place. */
  x?: Value;
  dNormed?: Value;
  weight?: Value;
  sum?: Value;
}

/** What comes before: `lora_dx.wgsl` says what each computes. */
type Ahead =
  | { name: 'gated_dx'; activation: Activation }
  | ({ name: 'norm_dx' } & RmsNormAttributes)
  | ({ name: 'rope' } & Rotation);

interface LoraAheadAttributes extends LoraDxAttributes {
  ahead: Ahead;
}

type LoraAheadNode = Node<LoraAheadInputs, LoraAheadAttributes>;

/** Only plans contain it. Outputs: what it computes ahead; d(A x); and dx where it is wanted. */
const loraAheadOp: Op<LoraAheadInputs, LoraAheadAttributes> = {
  name: 'loraAhead',
  outputs() {
    throw new Error('loraAhead is fused from loraDx and what comes before it');
  },
  takesOver: ({ gate, up }) => (gate && up && gate !== up ? [gate, up] : null),
  dispatches: (node, settings) => [loraAheadDispatch(node, settings)!],
};

/**
 * @param node of loraDx @param previous the node before it
 * @returns both as one node; null where `previous` is none of these or their kernel does not fit shape or
 * adapter
 */
export function fuseAhead(
  previous: Node,
  node: Node<LoraDxInputs, LoraDxAttributes>,
  settings: KernelSettings,
  readsOf: (value: Value) => number,
): Node | null {
  const { a, b, dys } = node.inputs;
  const fused = (
    ahead: Ahead,
    inputs: Omit<LoraAheadInputs, 'a' | 'b'>,
    outputs: Value[],
    from: (Value | undefined)[],
  ) => {
    const both: LoraAheadNode = {
      ...node,
      op: loraAheadOp,
      inputs: { a, b, ...inputs },
      outputs: [...outputs, ...node.outputs],
      inPlaceOf: [...from, ...node.outputs.map(() => undefined)],
      attributes: { ...node.attributes, ahead },
    };
    return loraAheadDispatch(both, settings) && both;
  };
  if (isNodeOf(previous, gatedDxOp)) {
    const { outputs, attributes } = previous;
    if (dys.length !== 2 || outputs.some((dy, g) => dy !== dys[g])) return null;
    const { gate, up, dy: dGated } = previous.inputs;
    return fused({ name: 'gated_dx', ...attributes }, { gate, up, dGated }, outputs, previous.inPlaceOf);
  }
  if (isNodeOf(previous, rmsNormDxOp)) {
    const { outputs, inPlaceOf, attributes } = previous;
    const { x, weight, dy: dNormed, sum } = previous.inputs;
    if (dys.length !== 1 || outputs[0] !== dys[0] || weight.shape[0] !== x.shape[1]) return null;
    return fused({ name: 'norm_dx', ...attributes }, { x, weight, dNormed, sum }, outputs, inPlaceOf);
  }
  if (isNodeOf(previous, ropeOp)) {
    const { xs, ...angles } = previous.inputs;
    const { headDim, inverse, interleaved } = previous.attributes;
    const isVector = headDim % 4 === 0 && angles.table.shape[1] % 8 === 0;
    const { outputs } = previous;
    const count = outputs.length;
    if (
      interleaved ||
      !isVector ||
      outputs.some((dy, g) => dy !== dys[g]) ||
      xs.some((x) => readsOf(x) !== 1)
    )
      return null;
    // The kernel has one binding for what it only reads, that of the third.
    if (dys.length > count && !(count === 2 && dys.length === 3)) return null;
    const inputs = { ...angles, dys: [...xs, ...dys.slice(count)] };
    return fused({ name: 'rope', headDim, inverse, rotated: count }, inputs, outputs, [...xs]);
  }
  return null;
}

function loraAheadDispatch(node: LoraAheadNode, settings: KernelSettings): Dispatch | null {
  const { inputs, outputs, attributes } = node;
  const { a, b } = inputs;
  const { scale, wantsDx, ahead } = attributes;
  const written = outputs.slice(0, wantsDx ? -2 : -1);
  const dys = [...written, ...(inputs.dys?.slice(written.length) ?? [])];
  const [dDown, dx] = outputs.slice(written.length);
  const sizes = loraDxSizes({ a, b, dys });
  const kernel = loraBackward(sizes, { dys, b, dDown, a, dx, scale }, settings);
  if (!kernel) return null;
  const tokens = Number(kernel.constants.TOKENS);
  const { constants, bindings } = additions(ahead, node, sizes.outs);
  const all = { ...kernel.bindings, ...bindings };
  if (Object.keys(all).length > settings.maxStorageBuffers) return null;
  return {
    ...kernel,
    constants: {
      ...kernel.constants,
      ...constants,
      AHEAD: ahead.name,
      TOKEN_QUADS: Math.ceil(tokens / 4),
      ROWS_AT_ONCE: Math.min(tokens, 4),
      WRITTEN: written.length,
      LAST_IS_READ: dys.length > written.length,
    },
    bindings: all,
  };
}

/** What the kernel needs beside that of loraDx. */
function additions(
  ahead: Ahead,
  { inputs, inPlaceOf }: LoraAheadNode,
  outs: readonly number[],
): Pick<Dispatch, 'constants' | 'bindings'> {
  switch (ahead.name) {
    case 'gated_dx': {
      const { gate, up, dGated } = inputs;
      const isInPlace = inPlaceOf[0] !== undefined;
      const operands: Dispatch['bindings'] = isInPlace ? {} : { gate: value(gate!), up: value(up!) };
      return {
        constants: { ACTIVATION: ahead.activation, VECTOR_WIDTH: 4, IN_PLACE: isInPlace },
        bindings: { d_gated: value(dGated!), ...operands },
      };
    }
    case 'norm_dx': {
      const { x, dNormed, weight, sum } = inputs;
      return {
        constants: {
          EPS: { f32: ahead.eps },
          UNIT_OFFSET: { f32: ahead.unitOffset },
          WEIGHT_KIND: weightKind(weight!),
          ACCUMULATE: sum !== undefined,
        },
        bindings: { norm_x: value(x!), d_normed: value(dNormed!), ...weightBindings(weight!) },
      };
    }
    case 'rope': {
      const angles: RopeAngles = { table: inputs.table!, rows: inputs.rows! };
      return { constants: rotationConstants(ahead, angles, outs, 4), bindings: rotationBindings(angles) };
    }
  }
}
