/**
 * Training and prefill: what follows an adapter and its kernel computes too, because a workgroup has whole
 * rows: the gated activation of gate and up, the residual stream's sum with its norm, or the rotation of
 * queries and keys.
 */
import { value, type Dispatch, type KernelSettings } from '../../gpu/dispatch.ts';
import { isNodeOf, type Node, type Op } from '../../graph/op.ts';
import type { Value } from '../../graph/value.ts';
import type { Activation } from '../elementwise/activation.ts';
import { gatedOp } from '../elementwise/gated.ts';
import { addRmsNormOp, type RmsNormAttributes } from '../norm/rmsNorm.ts';
import { ropeOp, type RopeAngles } from '../rope/rope.ts';
import { weightBindings, weightKind } from '../weights/weightBindings.ts';
import { loraForward } from './loraForwardKernels.ts';
import { rotationBindings, rotationConstants, type Rotation } from './loraRotation.ts';
import { loraSizes, type LoraInputs } from './loraSizes.ts';

interface LoraThenInputs extends LoraInputs {
  /** Where a sum and its norm follow: what is added [T, out], and the norm's weight [out]. */
  residual?: Value;
  weight?: Value;
  /** Where a rotation follows. */
  table?: Value;
  rows?: Value;
}

/** What follows: `lora_forward.wgsl` says what each computes. */
type Then =
  | { name: 'gated'; activation: Activation }
  | ({ name: 'add_norm' } & RmsNormAttributes)
  | ({ name: 'rope' } & Rotation);

interface LoraThenAttributes {
  scale: number;
  then: Then;
}

type LoraThenNode = Node<LoraThenInputs, LoraThenAttributes>;

/**
 * Only plans contain it. Outputs: A x; each projection, which becomes the sum or is rotated; and the gated
 * activation or the norm.
 */
const loraThenOp: Op<LoraThenInputs, LoraThenAttributes> = {
  name: 'loraThen',
  outputs() {
    throw new Error('loraThen is fused from lora and what follows it');
  },
  dispatches: (node, settings) => [loraThenDispatch(node, settings)!],
};

/**
 * @param node of lora @param next the node after it
 * @returns both as one node; null where `next` is none of these or their kernel does not fit shape or adapter
 */
export function fuseThen(
  node: Node<LoraInputs, { scale: number }>,
  next: Node,
  settings: KernelSettings,
  readsOf: (value: Value) => number,
): Node | null {
  const [down, ...ys] = node.outputs;
  const fused = (then: Then, inputs: Partial<LoraThenInputs>, projections: Value[], y?: Value) => {
    const both: LoraThenNode = {
      ...node,
      op: loraThenOp,
      inputs: { ...node.inputs, ...inputs },
      outputs: [down, ...projections, ...(y ? [y] : [])],
      inPlaceOf: [undefined, ...node.inputs.ys, ...(y ? [undefined] : [])],
      attributes: { scale: node.attributes.scale, then },
    };
    return loraThenDispatch(both, settings) && both;
  };
  if (isNodeOf(next, gatedOp)) {
    const { gate, up } = next.inputs;
    if (ys.length !== 2 || gate !== ys[0] || up !== ys[1]) return null;
    return fused({ name: 'gated', activation: next.attributes.activation }, {}, ys, next.outputs[0]);
  }
  if (isNodeOf(next, addRmsNormOp)) {
    const { a, b, weight } = next.inputs;
    const [y] = ys;
    if (ys.length !== 1 || a === b || (a !== y && b !== y) || readsOf(y) !== 1) return null;
    const [sum, normed] = next.outputs;
    return fused(
      { name: 'add_norm', ...next.attributes },
      { residual: a === y ? b : a, weight },
      [sum],
      normed,
    );
  }
  if (isNodeOf(next, ropeOp)) {
    const { xs, ...angles } = next.inputs;
    const { headDim, inverse, interleaved } = next.attributes;
    if (interleaved || xs.some((x, g) => x !== ys[g] || readsOf(x) !== 1)) return null;
    const projections = ys.map((y, g) => next.outputs[g] ?? y);
    return fused({ name: 'rope', headDim, inverse, rotated: xs.length }, angles, projections);
  }
  return null;
}

function loraThenDispatch(
  { inputs, outputs, attributes: { scale, then } }: LoraThenNode,
  settings: KernelSettings,
): Dispatch | null {
  const { x, a, b, adapterScale } = inputs;
  const [down, ...rest] = outputs;
  const ys = rest.slice(0, inputs.ys.length);
  const sizes = loraSizes(x, b, ys);
  const kernels = loraForward(sizes, { x, a, down, adapterScale, up: { ys, b, scale } }, settings);
  if (kernels?.length !== 1 || kernels[0].shader !== 'lora_forward') return null;
  const [kernel] = kernels;
  const { constants, bindings } = additions(then, inputs, sizes.outs, rest.at(-1)!, kernel);
  const all = { ...kernel.bindings, ...bindings };
  if (Object.keys(all).length > settings.maxStorageBuffers) return null;
  return { ...kernel, constants: { ...kernel.constants, ...constants, THEN: then.name }, bindings: all };
}

/** What the kernel needs beside that of lora. @param y its last output */
function additions(
  then: Then,
  { residual, weight, table, rows }: LoraThenInputs,
  outs: readonly number[],
  y: Value,
  { constants: { TOKENS } }: Dispatch,
): Pick<Dispatch, 'constants' | 'bindings'> {
  switch (then.name) {
    case 'gated':
      return {
        constants: {
          ACTIVATION: then.activation,
          VECTOR_WIDTH: 1,
          // An invocation has the same columns of gate and of up.
          BLOCKS: Math.ceil(outs[0] / 128),
          BLOCKS0: 0,
          BLOCKS1: 0,
        },
        bindings: { gated: value(y) },
      };
    case 'add_norm':
      return {
        constants: {
          EPS: { f32: then.eps },
          UNIT_OFFSET: { f32: then.unitOffset },
          WEIGHT_KIND: weightKind(weight!),
          TOKEN_QUADS: Math.ceil(Number(TOKENS) / 4),
        },
        bindings: { normed: value(y), residual: value(residual!), ...weightBindings(weight!) },
      };
    case 'rope': {
      const angles: RopeAngles = { table: table!, rows: rows! };
      return {
        constants: { ...rotationConstants(then, angles, outs, 1), ROTATED: then.rotated },
        bindings: rotationBindings(angles),
      };
    }
  }
}
