/**
 * The optimiser step over the whole contiguous adapter: global gradient norm, clipping and AdamW
 * (arXiv:1711.05101).
 */
import {
  flatGrid,
  rowSlice,
  value,
  type BufferReference,
  type Dispatch,
  type KernelSettings,
} from '../../gpu/dispatch.ts';
import type { Graph } from '../../graph/graph.ts';
import type { NoAttributes, Op } from '../../graph/op.ts';
import { elements, type Value } from '../../graph/value.ts';

export interface AdamSettings {
  beta1: number;
  beta2: number;
  eps: number;
}

/** torch.optim.AdamW's defaults. */
export const ADAM: AdamSettings = { beta1: 0.9, beta2: 0.999, eps: 1e-8 };

/** Elements of the stats: loss, squared norm of the gradients, and whether a step failed. */
export const STATS = 3;

export interface AdamWValues {
  /** [N] f32 state each. */
  parameters: Value;
  gradients: Value;
  expAvg: Value;
  expAvgSq: Value;
  /**
   * [STATS] f32 state: loss, squared norm of the gradients before scaling and clipping (written here), and 1
   * from a step on whose loss or norm is not finite (written here).
   */
  stats: Value;
  /**
   * [7] f32 input: learning rate of A, of B, weight decay, max norm or 0, 1 - beta1^t, sqrt(1 - beta2^t), and
   * the factor that the gradients are multiplied with.
   */
  scalars: Value;
}

/** @param bStart index of the first element of the B matrices */
export function adamW(graph: Graph, values: AdamWValues, bStart: number, adam: AdamSettings = ADAM): void {
  const { parameters, gradients, expAvg, expAvgSq, stats, scalars } = values;
  graph.appendInto([stats], squareSumOp, { x: gradients }, {});
  graph.appendInto([parameters, expAvg, expAvgSq], adamWOp, { gradients, scalars, stats }, { bStart, adam });
}

/** Partial sums of the first reduction, for each stretch of the adapter. */
const PARTIALS = 256;

/** Elements that one launch sweeps over: a multiple of 64. */
export function sweepElements(maxBindingBytes: number): number {
  return Math.floor(maxBindingBytes / 256) * 64;
}

/** The adapter in stretches that each fit one binding. */
function stretches(count: number, { maxBindingBytes }: KernelSettings): { first: number; length: number }[] {
  const size = sweepElements(maxBindingBytes);
  return Array.from({ length: Math.ceil(count / size) }, (_, i) => ({
    first: i * size,
    length: Math.min(size, count - i * size),
  }));
}

/** stats[1] = Σ x²; stats[2] = 1 where that or stats[0] is not finite. */
export const squareSumOp: Op<{ x: Value }, NoAttributes> = {
  name: 'squareSum',
  outputs() {
    throw new Error('squareSum writes to state only');
  },
  dispatches({ inputs: { x }, outputs: [stats] }, settings) {
    const parts = stretches(elements(x), settings);
    const partials: BufferReference = { type: 'scratch', index: 0, bytes: parts.length * PARTIALS * 4 };
    const WORKGROUP = settings.rowWorkgroup;
    return [
      ...parts.map(({ first, length }, i): Dispatch => ({
        shader: 'square_sum',
        constants: { COUNT: length, PARTIALS, FIRST: i * PARTIALS, FINAL: false, WORKGROUP },
        bindings: { out: partials, x: rowSlice(x, first, length, 1) },
        workgroups: [PARTIALS, 1, 1],
      })),
      {
        shader: 'square_sum',
        constants: { COUNT: parts.length * PARTIALS, PARTIALS: 1, FIRST: 1, FINAL: true, WORKGROUP },
        bindings: { out: value(stats), x: partials },
        workgroups: [1, 1, 1],
      },
    ];
  },
};

interface AdamWInputs {
  gradients: Value;
  scalars: Value;
  stats: Value;
}

interface AdamWAttributes {
  /** Index of the first element of the B matrices, which have a learning rate of their own (LoRA+). */
  bStart: number;
  adam: AdamSettings;
}

export const adamWOp: Op<AdamWInputs, AdamWAttributes> = {
  name: 'adamW',
  outputs() {
    throw new Error('adamW writes to state only');
  },
  dispatches(
    {
      inputs: { gradients, scalars, stats },
      outputs: [parameters, expAvg, expAvgSq],
      attributes: { bStart, adam },
    },
    settings,
  ) {
    return stretches(elements(parameters), settings).map(({ first, length }) => {
      const part = (whole: Value) => rowSlice(whole, first, length, 1);
      return {
        shader: 'adamw',
        constants: {
          COUNT: length,
          B_START: Math.min(Math.max(bStart - first, 0), length),
          BETA1: { f32: adam.beta1 },
          BETA2: { f32: adam.beta2 },
          BETA1_REST: { f32: 1 - adam.beta1 },
          BETA2_REST: { f32: 1 - adam.beta2 },
          EPS: { f32: adam.eps },
        },
        bindings: {
          p: part(parameters),
          m: part(expAvg),
          v: part(expAvgSq),
          g: part(gradients),
          scalars: value(scalars),
          stats: value(stats),
        },
        workgroups: flatGrid(length, 64, settings),
      };
    });
  },
};
