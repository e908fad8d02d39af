/** The gradients of LoRA: of what flows back through it, and of its two parameters. */
import type { Dispatch, KernelSettings } from '../../gpu/dispatch.ts';
import type { AccumulatingOp, Accumulator, Op } from '../../graph/op.ts';
import type { Value } from '../../graph/value.ts';
import { linearInputGradient } from '../matmul/linear.ts';
import { matmul } from '../matmul/matmul.ts';
import { exclusivePrefixSum } from '../numbered.ts';
import { fuseAhead } from './loraAhead.ts';
import { loraBackward, loraParameterGradients } from './loraBackwardKernels.ts';
import { loraDxSizes, loraSizes, type LoraDxAttributes, type LoraDxInputs } from './loraSizes.ts';

/**
 * Outputs: d(A x) [T, G · r], of which projection g's columns are scale dy_g B_g, and dx = d(A x) A [T, in]
 * where it is wanted.
 */
export const loraDxOp: Op<LoraDxInputs, LoraDxAttributes> = {
  name: 'loraDx',
  outputs: ({ a, dys: [dy] }, { wantsDx }) => [
    { shape: [dy.shape[0], a.shape[0]] },
    ...(wantsDx ? [{ shape: [dy.shape[0], a.shape[1]] }] : []),
  ],
  dispatches({ inputs: { a, b, dys }, outputs: [dDown, dx], attributes: { scale } }, settings) {
    const sizes = loraDxSizes({ a, b, dys });
    const kernel = loraBackward(sizes, { dys, b, dDown, a, dx, scale }, settings);
    if (kernel) return [kernel];
    const { rank, outs } = sizes;
    const first = exclusivePrefixSum(outs);
    const toDown = dys.flatMap((dy, g) =>
      matmul(
        {
          m: sizes.tokens,
          n: rank,
          k: outs[g],
          a: { value: dy, rowStride: outs[g], columnStride: 1 },
          b: { value: b, offset: first[g] * rank, rowStride: rank, columnStride: 1 },
          c: { value: dDown, offset: g * rank, rowStride: dDown.shape[1] },
          alpha: scale,
        },
        settings,
      ),
    );
    return dx ? [...toDown, ...linearInputGradient(dDown, a, dx, false, settings)] : toDown;
  },
  fuse: fuseAhead,
};

interface LoraParametersInputs {
  /** [T, in] */
  x: Value;
  /** A x and its gradient, [T, G · r] each. */
  down: Value;
  dDown: Value;
  /** [T, out] of each projection. */
  dys: readonly Value[];
}

/** Adds to the gradients of both parameters: dA += dDownᵀ x and dB_g += scale dy_gᵀ (A x)_g. */
export const loraParametersOp: Op<LoraParametersInputs, { scale: number }> = {
  name: 'loraParameters',
  outputs() {
    throw new Error('loraParameters writes to gradients only');
  },
  dispatches({ inputs: { x, down, dDown, dys }, outputs: [da, db], attributes: { scale } }, settings) {
    const sizes = loraSizes(x, db, dys);
    const kernel = loraParameterGradients(sizes, { x, down, dDown, dys, da, db, scale }, settings);
    if (kernel) return [kernel];
    const { rank, outs } = sizes;
    const first = exclusivePrefixSum(outs);
    const toB = dys.flatMap((dy, g) =>
      addTransposedMatmul(
        dy,
        { value: down, offset: g * rank },
        { value: db, offset: first[g] * rank, shape: [outs[g], rank] },
        scale,
        settings,
      ),
    );
    return [...addTransposedMatmul(dDown, { value: x }, { value: da, shape: da.shape }, 1, settings), ...toB];
  },
};

/** dA += dDownᵀ x. */
export const loraDownDaOp: AccumulatingOp<{ dDown: Value; x: Value } & Accumulator> = {
  name: 'loraDownDa',
  accumulates: true,
  outputs() {
    throw new Error('loraDownDa writes to gradients only');
  },
  dispatches: ({ inputs: { dDown, x }, outputs: [da] }, settings) =>
    addTransposedMatmul(dDown, { value: x }, { value: da, shape: da.shape }, 1, settings),
};

interface Part {
  value: Value;
  /** In elements. */
  offset?: number;
}

/** out[m, n] += scale Σ_t left[t, m] right[t, n]. */
function addTransposedMatmul(
  left: Value,
  right: Part,
  out: Part & { shape: readonly number[] },
  scale: number,
  settings: KernelSettings,
): Dispatch[] {
  const [m, n] = out.shape;
  return matmul(
    {
      m,
      n,
      k: left.shape[0],
      a: { value: left, rowStride: 1, columnStride: left.shape[1] },
      b: { ...right, rowStride: right.value.shape[1], columnStride: 1 },
      c: { value: out.value, offset: out.offset, rowStride: n },
      alpha: scale,
      accumulate: true,
    },
    settings,
  );
}
