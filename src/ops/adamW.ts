/** The optimiser step over the whole contiguous adapter: global gradient norm, clipping and AdamW (arXiv:1711.05101). */
import { flatGrid, value } from '../gpu/dispatch.ts';
import { elements, type Graph, type Op, type Value } from './graph.ts';

/** torch.optim.AdamW's defaults, the only ones supported. */
export const ADAM = { beta1: 0.9, beta2: 0.999, eps: 1e-8 };

export interface AdamWValues {
  /** [N] f32 state each. */
  parameters: Value;
  gradients: Value;
  expAvg: Value;
  expAvgSq: Value;
  /** [2] f32 state: loss, squared gradient norm (written here). */
  stats: Value;
  /** [6] f32 input: learning rate of A, of B, weight decay, max norm or 0, 1 - beta1^t, sqrt(1 - beta2^t). */
  scalars: Value;
}

/** @param bStart index of the first element of the B matrices */
export function adamW(graph: Graph, values: AdamWValues, bStart: number): void {
  graph.append(squareSumOp, [values.gradients], {}, [values.stats]);
  graph.append(adamWOp, [values.gradients, values.scalars, values.stats], { bStart }, [values.parameters, values.expAvg, values.expAvgSq]);
}

/** Slices of the first reduction. */
const PARTIALS = 256;

/** stats[1] = Σ x². */
export const squareSumOp: Op = {
  name: 'squareSum',
  outputs() {
    throw new Error('squareSum writes to state only');
  },
  dispatches({ inputs: [x], outputs: [stats] }, settings) {
    const partials = { type: 'scratch' as const, index: 0, bytes: PARTIALS * 4 };
    const WORKGROUP = settings.rowWorkgroup;
    return [
      { shader: 'square_sum', constants: { COUNT: elements(x), PARTIALS, FINAL: false, WORKGROUP }, bindings: { 0: partials, 1: value(x) }, workgroups: [PARTIALS, 1, 1] },
      { shader: 'square_sum', constants: { COUNT: PARTIALS, PARTIALS: 1, FINAL: true, WORKGROUP }, bindings: { 0: value(stats), 1: partials }, workgroups: [1, 1, 1] },
    ];
  },
};

export const adamWOp: Op = {
  name: 'adamW',
  outputs() {
    throw new Error('adamW writes to state only');
  },
  dispatches({ inputs: [gradients, scalars, stats], outputs: [parameters, expAvg, expAvgSq], attributes }, settings) {
    return [
      {
        shader: 'adamw',
        constants: {
          COUNT: elements(parameters),
          B_START: attributes.bStart as number,
          BETA1: { f32: ADAM.beta1 },
          BETA2: { f32: ADAM.beta2 },
          BETA1_REST: { f32: 1 - ADAM.beta1 },
          BETA2_REST: { f32: 1 - ADAM.beta2 },
          EPS: { f32: ADAM.eps },
        },
        bindings: { 0: value(parameters), 1: value(expAvg), 2: value(expAvgSq), 3: value(gradients), 4: value(scalars), 5: value(stats) },
        workgroups: flatGrid(elements(parameters), 64, settings),
      },
    ];
  },
};
