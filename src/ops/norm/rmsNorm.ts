/** RMSNorm (arXiv:1910.07467): y = x / sqrt(mean(x²) + eps) · (unitOffset + w), over the last `w.length` elements of each row. */
import { value, type BufferReference, type Dispatch, type KernelSettings } from '../../gpu/dispatch.ts';
import { addOp } from '../elementwise/add.ts';
import { elements, type Attributes, type Graph, type Op, type Value } from '../../graph/graph.ts';
import { weightBindings, weightKind } from '../matmul/matmulProblem.ts';
import { rowGrid, rowsShared } from './rowGrid.ts';

export interface RmsNormSettings {
  eps: number;
  /** 1 where the checkpoint stores w - 1 (Gemma), else 0. */
  unitOffset?: 0 | 1;
}

/** @param x [T, n · width] @param weight [width] @returns as x */
export function rmsNorm(
  graph: Graph,
  x: Value,
  weight: Value,
  { eps, unitOffset = 0 }: RmsNormSettings,
): Value {
  return graph.append(rmsNormOp, [x, weight], { eps, unitOffset })[0];
}

/** Of the kernels that make the norm, or its gradient, of rows of x. */
function overRows(x: Value, weight: Value, attributes: Attributes, settings: KernelSettings) {
  const width = weight.shape[0];
  const { constants, workgroups } = rowsShared(elements(x) / width, settings);
  return {
    constants: {
      ...constants,
      WIDTH: width,
      EPS: { f32: attributes.eps as number },
      UNIT_OFFSET: { f32: attributes.unitOffset as number },
      WEIGHT_KIND: weightKind(weight),
    },
    workgroups,
  };
}

/** Most vec4 of a row that an invocation keeps, and fewest invocations. */
const MOST_FOURS = 16;
const FEWEST_INVOCATIONS = 32;

/** The norm of rows of x, or of a + b. @param summed where the sum goes, where there is one */
function forward(
  x: Value,
  weight: Value,
  y: Value,
  attributes: Attributes,
  settings: KernelSettings,
  summed?: { b: Value; sum: Value },
): Dispatch[] {
  const { constants, workgroups } = overRows(x, weight, attributes, settings);
  const { ROWS, WIDTH } = constants;
  const ofSum: Record<number, BufferReference> = summed ? { 1: value(summed.sum), 3: value(summed.b) } : {};
  const shared = {
    constants: { ...constants, HAS_ADD: summed !== undefined },
    bindings: { 0: value(y), 2: value(x), ...weightBindings(weight), ...ofSum },
  };
  const invocations = Math.min(
    settings.rowWorkgroup,
    Math.max(FEWEST_INVOCATIONS, 2 ** Math.ceil(Math.log2(WIDTH / 4))),
  );
  const fours = Math.ceil(WIDTH / 4 / invocations);
  if (settings.target === 'cpu' || WIDTH % 4 !== 0 || fours > MOST_FOURS)
    return [{ shader: 'rms_norm', ...shared, workgroups }];
  return [
    {
      shader: 'rms_norm_registers',
      ...shared,
      constants: { ...shared.constants, WORKGROUP: invocations, VECTORS: fours },
      workgroups: rowGrid(ROWS, settings),
    },
  ];
}

export const rmsNormOp: Op = {
  name: 'rmsNorm',
  outputs([x, weight]) {
    if (x.shape[1] % weight.shape[0] !== 0)
      throw new Error(`rmsNorm: rows of ${x.shape[1]} are not made of ${weight.shape[0]}`);
    return [{ shape: x.shape }];
  },
  gradient(backward, { inputs: [x, weight], attributes }, [dy]) {
    if (dy) backward.emit(x, rmsNormDxOp, [x, weight, dy], attributes);
  },
  dispatches: ({ inputs: [x, weight], outputs: [y], attributes }, settings) =>
    forward(x, weight, y, attributes, settings),
  joined(before, node) {
    const [x, weight] = node.inputs;
    if (before.op !== addOp || before.outputs[0] !== x || x.shape[1] !== weight.shape[0]) return null;
    return {
      ...node,
      op: addRmsNormOp,
      inputs: [...before.inputs, weight],
      outputs: [x, ...node.outputs],
      inPlaceOf: [undefined, undefined],
    };
  },
  tensorflow(tf, [x, weight], { attributes: { eps, unitOffset } }) {
    const rows = tf.reshape(x, [-1, weight.shape[0]]);
    const inverse = tf.rsqrt(tf.add(tf.mean(tf.square(rows), 1, true), eps as number));
    return [tf.reshape(tf.mul(tf.mul(rows, inverse), tf.add(weight, unitOffset as number)), x.shape)];
  },
};

/** The residual stream's sum and its norm in one sweep: sum = a + b, y = rmsNorm(sum). Plans have it, graphs do not. Inputs: a, b, weight. */
const addRmsNormOp: Op = {
  name: 'addRmsNorm',
  outputs() {
    throw new Error('addRmsNorm is made of add and rmsNorm');
  },
  dispatches: ({ inputs: [a, b, weight], outputs: [sum, norm], attributes }, settings) =>
    forward(a, weight, norm, attributes, settings, { b, sum }),
};

const rmsNormDxOp: Op = {
  name: 'rmsNormDx',
  outputs: ([x, , , sum]) => [{ shape: x.shape, inPlaceOf: sum ? 3 : undefined }],
  dispatches({ inputs: [x, weight, dy], outputs: [dx], attributes }, settings) {
    const { constants, workgroups } = overRows(x, weight, attributes, settings);
    return [
      {
        shader: 'rms_norm_dx',
        constants: { ...constants, ACCUMULATE: attributes.accumulate === true },
        bindings: { 0: value(dx), 1: value(x), 2: value(dy), ...weightBindings(weight) },
        workgroups,
      },
    ];
  },
};
