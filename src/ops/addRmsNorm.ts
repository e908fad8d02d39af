/** The residual stream's sum and its RMSNorm in one sweep: sum = a + b, y = rmsNorm(sum). */
import { value } from '../gpu/dispatch.ts';
import { elements, type Graph, type Op, type Value } from './graph.ts';
import { weightBindings } from './product.ts';
import { normalized, rmsNormConstants, rmsNormDxOp, type RmsNormSettings } from './rmsNorm.ts';
import { rowGrid } from './rows.ts';

/** @param a, b [T, width] @param weight [width] @returns the sum and its norm, as a */
export function addRmsNorm(graph: Graph, a: Value, b: Value, weight: Value, { eps, unitOffset = 0 }: RmsNormSettings): [sum: Value, norm: Value] {
  const [sum, norm] = graph.append(addRmsNormOp, [a, b, weight], { eps, unitOffset });
  return [sum, norm];
}

export const addRmsNormOp: Op = {
  name: 'addRmsNorm',
  outputs([a, b, weight]) {
    if (elements(a) !== elements(b)) throw new Error(`addRmsNorm: [${a.shape}] and [${b.shape}]`);
    if (a.shape[1] !== weight.shape[0]) throw new Error(`addRmsNorm: rows of ${a.shape[1]} for a weight of ${weight.shape[0]}`);
    return [{ shape: a.shape }, { shape: a.shape }];
  },
  gradient(backward, { inputs: [a, b, weight], outputs: [sum], attributes }, [, dNorm]) {
    // First what flows through the norm into the sum, where it is added to what the sum has already; then both summands get the whole.
    if (dNorm) backward.emit(sum, rmsNormDxOp, [sum, weight, dNorm], attributes);
    const dSum = backward.of(sum);
    if (!dSum) return;
    backward.pass(a, dSum);
    backward.pass(b, dSum);
  },
  dispatches({ inputs: [a, b, weight], outputs: [sum, norm], attributes }, settings) {
    const constants = rmsNormConstants(a, weight, attributes, settings);
    return [
      {
        shader: 'add_rms_norm',
        constants,
        bindings: { 0: value(norm), 1: value(sum), 2: value(a), 3: value(b), ...weightBindings(weight) },
        workgroups: rowGrid(constants.ROWS, settings),
      },
    ];
  },
  tensorflow(tf, [a, b, weight], { attributes }) {
    const sum = tf.add(a, b);
    return [sum, normalized(tf, sum, weight, attributes)];
  },
};
