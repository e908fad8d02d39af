/**
 * RMSNorm (arXiv:1910.07467): y = x / sqrt(mean(x²) + eps) · (unitOffset + w), over groups of `w.length`
 * elements of each row.
 */
import { value, type Dispatch, type KernelSettings } from '../../gpu/dispatch.ts';
import type { Graph } from '../../graph/graph.ts';
import { isNodeOf, type AccumulatingOp, type Accumulator, type Node, type Op } from '../../graph/op.ts';
import { elements, type Value } from '../../graph/value.ts';
import { addOp } from '../elementwise/add.ts';
import { weightBindings, weightKind } from '../weights/weightBindings.ts';
import { rowGrid, rowReduction } from './rowGrid.ts';

export interface RmsNormSettings {
  eps: number;
  /** 1 where the checkpoint stores w - 1 (Gemma), else 0. */
  unitOffset?: 0 | 1;
}

export type RmsNormAttributes = Required<RmsNormSettings>;

interface RmsNormInputs {
  x: Value;
  weight: Value;
}

/** @param x [T, n · width] @param weight [width] @returns as x */
export function rmsNorm(
  graph: Graph,
  x: Value,
  weight: Value,
  { eps, unitOffset = 0 }: RmsNormSettings,
): Value {
  return graph.append(rmsNormOp, { x, weight }, { eps, unitOffset })[0];
}

/** Constants and grid of the kernels that compute the norm of rows of x, or its gradient. */
function normOfRows(
  x: Value,
  weight: Value,
  { eps, unitOffset }: RmsNormAttributes,
  settings: KernelSettings,
) {
  const width = weight.shape[0];
  const { constants, workgroups } = rowReduction(elements(x) / width, settings);
  return {
    constants: {
      ...constants,
      WIDTH: width,
      EPS: { f32: eps },
      UNIT_OFFSET: { f32: unitOffset },
      WEIGHT_KIND: weightKind(weight),
    },
    workgroups,
  };
}

/**
 * The largest number of vec4 of a row that an invocation keeps in registers, and the fewest invocations of a
 * row.
 */
const MAX_REGISTER_VECTORS = 16;
const MIN_INVOCATIONS = 32;

/** The norm of rows of x, or of x + residual.b, whose sum then goes to residual.sum. */
function forward(
  x: Value,
  weight: Value,
  y: Value,
  attributes: RmsNormAttributes,
  settings: KernelSettings,
  residual?: { b: Value; sum: Value },
): Dispatch[] {
  const { constants, workgroups } = normOfRows(x, weight, attributes, settings);
  const { ROWS, WIDTH } = constants;
  const residualBindings: Dispatch['bindings'] = residual
    ? { sum: value(residual.sum), b: value(residual.b) }
    : {};
  const shared = {
    constants: { ...constants, HAS_ADD: residual !== undefined },
    bindings: { y: value(y), a: value(x), ...weightBindings(weight), ...residualBindings },
  };
  const invocations = Math.min(
    settings.rowWorkgroup,
    Math.max(MIN_INVOCATIONS, 2 ** Math.ceil(Math.log2(WIDTH / 4))),
  );
  const vectors = Math.ceil(WIDTH / 4 / invocations);
  if (settings.target === 'cpu' || WIDTH % 4 !== 0 || vectors > MAX_REGISTER_VECTORS)
    return [{ shader: 'rms_norm', ...shared, workgroups }];
  return [
    {
      shader: 'rms_norm_registers',
      ...shared,
      constants: { ...shared.constants, WORKGROUP: invocations, VECTORS: vectors },
      workgroups: rowGrid(ROWS, settings),
    },
  ];
}

export const rmsNormOp: Op<RmsNormInputs, RmsNormAttributes> = {
  name: 'rmsNorm',
  isCheap: true,
  outputs({ x, weight }) {
    if (x.shape[1] % weight.shape[0] !== 0)
      throw new Error(`rmsNorm: rows of ${x.shape[1]} are not made of ${weight.shape[0]}`);
    return [{ shape: x.shape }];
  },
  gradient(backward, { inputs: { x, weight }, attributes }, [dy]) {
    if (dy) backward.emit(x, rmsNormDxOp, { x, weight, dy }, attributes);
  },
  dispatches: ({ inputs: { x, weight }, outputs: [y], attributes }, settings) =>
    forward(x, weight, y, attributes, settings),
  fuse(previous, node) {
    const { x, weight } = node.inputs;
    if (!isNodeOf(previous, addOp) || previous.outputs[0] !== x || x.shape[1] !== weight.shape[0])
      return null;
    const fused: Node<AddRmsNormInputs, RmsNormAttributes> = {
      ...node,
      op: addRmsNormOp,
      inputs: { ...previous.inputs, weight },
      outputs: [x, ...node.outputs],
      inPlaceOf: [undefined, undefined],
    };
    return fused;
  },
  tensorflow(tf, { x, weight }, { attributes: { eps, unitOffset } }) {
    const rows = tf.reshape(x, [-1, weight.shape[0]]);
    const inverse = tf.rsqrt(tf.add(tf.mean(tf.square(rows), 1, true), eps));
    return [tf.reshape(tf.mul(tf.mul(rows, inverse), tf.add(weight, unitOffset)), x.shape)];
  },
};

interface AddRmsNormInputs {
  a: Value;
  b: Value;
  weight: Value;
}

/**
 * The residual stream's sum and its norm in one kernel: sum = a + b, y = rmsNorm(sum). Only plans contain it.
 */
export const addRmsNormOp: Op<AddRmsNormInputs, RmsNormAttributes> = {
  name: 'addRmsNorm',
  outputs() {
    throw new Error('addRmsNorm is fused from add and rmsNorm');
  },
  dispatches: ({ inputs: { a, b, weight }, outputs: [sum, y], attributes }, settings) =>
    forward(a, weight, y, attributes, settings, { b, sum }),
};

export const rmsNormDxOp: AccumulatingOp<RmsNormInputs & { dy: Value } & Accumulator, RmsNormAttributes> = {
  name: 'rmsNormDx',
  accumulates: true,
  outputs: ({ x, sum }) => [{ shape: x.shape, inPlaceOf: sum }],
  dispatches({ inputs: { x, weight, dy, sum }, outputs: [dx], attributes }, settings) {
    const { constants, workgroups } = normOfRows(x, weight, attributes, settings);
    return [
      {
        shader: 'rms_norm_dx',
        constants: { ...constants, ACCUMULATE: sum !== undefined },
        bindings: { dx: value(dx), x: value(x), dy: value(dy), ...weightBindings(weight) },
        workgroups,
      },
    ];
  },
};
