/**
 * The forward kernels of LoRA on a GPU: one dispatch for many rows, two for a few. Each function returns null
 * where a shape does not fit its kernel; lora.ts then takes matrix products.
 */
import { value, type Dispatch, type KernelSettings } from '../../gpu/dispatch.ts';
import type { Value } from '../../graph/value.ts';
import { exclusivePrefixSum, numberedBindings, numberedConstants, sum } from '../numbered.ts';
import { rowGroups } from '../matmul/skinnyMatmul.ts';
import type { LoraSizes } from './loraSizes.ts';
import {
  fitsFewRowKernels,
  fitsRowKernels,
  laneConstants,
  lanesFor,
  rowTileConstants,
  rowTileFor,
  shapeConstants,
  VECTOR_BYTES,
} from './loraTiling.ts';

interface ForwardValues {
  /** [T, in] */
  x: Value;
  /** [G · r, in] */
  a: Value;
  /** [T, G · r], written. */
  down: Value;
  /** [T] */
  adapterScale?: Value;
  /** The second product; without it only `down` is computed. */
  up?: { ys: readonly Value[]; b: Value; scale: number };
}

/** down = x Aᵀ, multiplied with each token's adapter scale, and y_g += scale down_g B_gᵀ in place. */
export function loraForward(
  sizes: LoraSizes,
  values: ForwardValues,
  settings: KernelSettings,
): Dispatch[] | null {
  const kernel = fitsRowKernels(sizes, settings) && rowKernel(sizes, values, settings);
  if (kernel) return [kernel];
  return fitsFewRowKernels(sizes, settings) ? fewRowKernels(sizes, values, settings) : null;
}

function scaleBinding(adapterScale: Value | undefined): Dispatch['bindings'] {
  return adapterScale ? { adapter_scale: value(adapterScale) } : {};
}

/** Quads of a row of B that are read at once. */
function unrolledQuads(rank: number): number {
  return [4, 3, 2, 1].find((unrolled) => (rank / 4) % unrolled === 0)!;
}

function rowKernel(
  sizes: LoraSizes,
  { x, a, down, adapterScale, up }: ForwardValues,
  settings: KernelSettings,
): Dispatch | null {
  const { tokens, rank, outs } = sizes;
  const ranks = rank * outs.length;
  const quads = ranks / 4;
  const tile = rowTileFor(tokens, quads, quads % 2 === 0 ? 2 : 1, ranks, settings);
  if (!tile) return null;
  const blocks = outs.map((out) => Math.ceil(out / 128));
  const upBindings: Dispatch['bindings'] = up ? { ...numberedBindings('y', up.ys), b: value(up.b) } : {};
  return {
    shader: 'lora_forward',
    constants: {
      ...shapeConstants(sizes),
      ...rowTileConstants(tile),
      ...numberedConstants({ BLOCKS: exclusivePrefixSum(blocks) }),
      BLOCKS: sum(blocks),
      PROJECTIONS: up ? outs.length : 0,
      HAS_UP: up !== undefined,
      HAS_ADAPTER_SCALE: adapterScale !== undefined,
      UNROLLED: unrolledQuads(rank),
      ALPHA: { f32: up?.scale ?? 1 },
      THEN: 'none',
      PARTS: 0,
    },
    bindings: { down: value(down), x: value(x), a: value(a), ...upBindings, ...scaleBinding(adapterScale) },
    workgroups: [Math.ceil(tokens / tile.tokens), 1, 1],
  };
}

function fewRowKernels(
  sizes: LoraSizes,
  { x, a, down, adapterScale, up }: ForwardValues,
  { workgroupBytes, maxWorkgroups }: KernelSettings,
): Dispatch[] | null {
  const { tokens, width, rank, outs } = sizes;
  const groups = rowGroups(tokens);
  const vectors = Math.ceil(groups.constants.ROWS / 4);
  const ranks = rank * outs.length;
  const lanes = lanesFor(1, vectors);
  const blocks = outs.map((out) => Math.ceil(out / 64));
  if (
    !lanes ||
    lanes.lanes * vectors * VECTOR_BYTES > workgroupBytes ||
    ranks > maxWorkgroups ||
    sum(blocks) > maxWorkgroups
  )
    return null;
  const constants = { ...shapeConstants(sizes), ...groups.constants };
  const first: Dispatch = {
    shader: 'lora_down_skinny',
    constants: {
      ...constants,
      ...laneConstants(lanes),
      FOURS: Math.min(vectors > 1 ? 2 : 4, Math.ceil(width / 4 / lanes.lanes)),
      HAS_ADAPTER_SCALE: adapterScale !== undefined,
    },
    bindings: { down: value(down), x: value(x), a: value(a), ...scaleBinding(adapterScale) },
    workgroups: [ranks, groups.count, 1],
  };
  if (!up) return [first];
  const second: Dispatch = {
    shader: 'lora_up_skinny',
    constants: {
      ...constants,
      ...numberedConstants({ BLOCKS: exclusivePrefixSum(blocks) }),
      PROJECTIONS: outs.length,
      UNROLLED: unrolledQuads(rank),
      ALPHA: { f32: up.scale },
    },
    bindings: { ...numberedBindings('y', up.ys), down: value(down), b: value(up.b) },
    workgroups: [sum(blocks), groups.count, 1],
  };
  return [first, second];
}
