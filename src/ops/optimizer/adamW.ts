/** The optimiser step over the whole contiguous adapter: global gradient norm, clipping and AdamW (arXiv:1711.05101). */
import { flatGrid, rowSlice, value, type Dispatch, type KernelSettings } from '../../gpu/dispatch.ts';
import { elements, type Graph, type Op, type Value } from '../../graph/graph.ts';

/** torch.optim.AdamW's defaults, the only ones supported. */
export const ADAM = { beta1: 0.9, beta2: 0.999, eps: 1e-8 };

/** Loss, squared norm of the gradients, and whether a step failed. */
export const STATS = 3;

export interface AdamWValues {
  /** [N] f32 state each. */
  parameters: Value;
  gradients: Value;
  expAvg: Value;
  expAvgSq: Value;
  /** [STATS] f32 state: loss, squared norm of the gradients as they are (written here), and 1 from a step on whose loss or norm is not finite (written here). */
  stats: Value;
  /** [7] f32 input: learning rate of A, of B, weight decay, max norm or 0, 1 - beta1^t, sqrt(1 - beta2^t), what the gradients are to be multiplied with. */
  scalars: Value;
}

/** @param bStart index of the first element of the B matrices */
export function adamW(graph: Graph, values: AdamWValues, bStart: number): void {
  graph.append(squareSumOp, [values.gradients], {}, [values.stats]);
  graph.append(adamWOp, [values.gradients, values.scalars, values.stats], { bStart }, [
    values.parameters,
    values.expAvg,
    values.expAvgSq,
  ]);
}

/** Slices of the first reduction, a stretch. */
const PARTIALS = 256;

/** Elements that one launch sweeps over: a multiple of 64. */
export function sweepElements(maxBindingBytes: number): number {
  return Math.floor(maxBindingBytes / 256) * 64;
}

/** The adapter in stretches that one binding holds. */
function stretches(count: number, { maxBindingBytes }: KernelSettings): { first: number; length: number }[] {
  const size = sweepElements(maxBindingBytes);
  return Array.from({ length: Math.ceil(count / size) }, (_, i) => ({
    first: i * size,
    length: Math.min(size, count - i * size),
  }));
}

/** stats[1] = Σ x²; stats[2] = 1 where that or stats[0] is not finite. */
export const squareSumOp: Op = {
  name: 'squareSum',
  outputs() {
    throw new Error('squareSum writes to state only');
  },
  dispatches({ inputs: [x], outputs: [stats] }, settings) {
    const parts = stretches(elements(x), settings);
    const partials = { type: 'scratch' as const, index: 0, bytes: parts.length * PARTIALS * 4 };
    const WORKGROUP = settings.rowWorkgroup;
    return [
      ...parts.map(({ first, length }, i): Dispatch => ({
        shader: 'square_sum',
        constants: { COUNT: length, PARTIALS, FIRST: i * PARTIALS, FINAL: false, WORKGROUP },
        bindings: { 0: partials, 1: rowSlice(x, first, length, 1) },
        workgroups: [PARTIALS, 1, 1],
      })),
      {
        shader: 'square_sum',
        constants: { COUNT: parts.length * PARTIALS, PARTIALS: 1, FIRST: 1, FINAL: true, WORKGROUP },
        bindings: { 0: value(stats), 1: partials },
        workgroups: [1, 1, 1],
      },
    ];
  },
};

export const adamWOp: Op = {
  name: 'adamW',
  outputs() {
    throw new Error('adamW writes to state only');
  },
  dispatches(
    { inputs: [gradients, scalars, stats], outputs: [parameters, expAvg, expAvgSq], attributes },
    settings,
  ) {
    const bStart = attributes.bStart as number;
    return stretches(elements(parameters), settings).map(({ first, length }) => {
      const part = (whole: Value) => rowSlice(whole, first, length, 1);
      return {
        shader: 'adamw',
        constants: {
          COUNT: length,
          B_START: Math.min(Math.max(bStart - first, 0), length),
          BETA1: { f32: ADAM.beta1 },
          BETA2: { f32: ADAM.beta2 },
          BETA1_REST: { f32: 1 - ADAM.beta1 },
          BETA2_REST: { f32: 1 - ADAM.beta2 },
          EPS: { f32: ADAM.eps },
        },
        bindings: {
          0: part(parameters),
          1: part(expAvg),
          2: part(expAvgSq),
          3: part(gradients),
          4: value(scalars),
          5: value(stats),
        },
        workgroups: flatGrid(length, 64, settings),
      };
    });
  },
};
