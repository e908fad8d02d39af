/**
 * The forward pass of LoRA by matrix products, where the LoRA kernels do not fit the adapter or the shape.
 */
import {
  flatGrid,
  value,
  type BufferReference,
  type Dispatch,
  type KernelSettings,
} from '../../gpu/dispatch.ts';
import type { Value } from '../../graph/value.ts';
import { linearForward } from '../matmul/linear.ts';
import { matmul } from '../matmul/matmul.ts';
import { exclusivePrefixSum } from '../numbered.ts';
import type { LoraSizes } from './loraSizes.ts';

/** down = x Aᵀ, multiplied with each token's adapter scale where there is one. */
export function downMatmul(
  x: Value,
  a: Value,
  down: Value,
  adapterScale: Value | undefined,
  settings: KernelSettings,
): Dispatch[] {
  if (!adapterScale) return linearForward(x, a, down, settings);
  const [tokens, ranks] = down.shape;
  const unscaled: BufferReference = { type: 'scratch', index: 2, bytes: tokens * ranks * 4 };
  return [
    ...linearForward(x, a, down, settings, unscaled),
    {
      shader: 'scale_rows',
      constants: { ROWS: tokens, WIDTH: ranks, ACCUMULATE: false },
      bindings: { y: value(down), x: unscaled, s: value(adapterScale) },
      workgroups: flatGrid(tokens * ranks, 64, settings),
    },
  ];
}

/** Most ranks of which an invocation of lora_up.wgsl keeps four rows of B in registers. */
const MAX_REGISTER_RANKS = 32;
/** Workgroups that keep an adapter busy. */
const UP_WORKGROUPS = 4096;

/** y_g += scale down_g B_gᵀ, in place. */
export function upMatmul(
  { tokens, rank, outs }: LoraSizes,
  down: Value,
  y: Value,
  b: Value,
  g: number,
  scale: number,
  settings: KernelSettings,
): Dispatch[] {
  const out = outs[g];
  const first = exclusivePrefixSum(outs)[g];
  if (settings.target === 'gpu' && rank % 4 === 0 && rank <= MAX_REGISTER_RANKS && out % 4 === 0) {
    // The rank is small and y is long, so bandwidth limits this kernel: y is read and written once, B stays
    // in registers, and neighbouring invocations read the same A x.
    const columns = Math.ceil(out / 256);
    const rows = Math.max(4, Math.ceil((tokens * columns) / UP_WORKGROUPS));
    return [
      {
        shader: 'lora_up',
        constants: {
          T: tokens,
          WIDTH: out,
          FIRST: first,
          ROW: rank * outs.length,
          OFFSET: g * rank,
          RANK: rank,
          RANK_QUADS: rank / 4,
          TOKENS: rows,
          ALPHA: { f32: scale },
        },
        bindings: { y: value(y), down: value(down), b: value(b) },
        workgroups: [columns, Math.ceil(tokens / rows), 1],
      },
    ];
  }
  return matmul(
    {
      m: tokens,
      n: out,
      k: rank,
      a: { value: down, offset: g * rank, rowStride: rank * outs.length, columnStride: 1 },
      b: { value: b, offset: first * rank, rowStride: 1, columnStride: rank },
      c: { value: y, rowStride: out },
      alpha: scale,
      accumulate: true,
    },
    settings,
  );
}
