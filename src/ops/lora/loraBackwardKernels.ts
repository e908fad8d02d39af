/**
 * The backward kernels of LoRA on a GPU, one dispatch each. Each function returns null where a shape does not
 * fit its kernel; loraBackward.ts then takes matrix products.
 */
import { value, type Dispatch, type KernelSettings } from '../../gpu/dispatch.ts';
import type { Value } from '../../graph/value.ts';
import { exclusivePrefixSum, numberedBindings, numberedConstants, sum } from '../numbered.ts';
import type { LoraSizes } from './loraSizes.ts';
import {
  ENOUGH_WORKGROUPS,
  fitsRowKernels,
  laneConstants,
  lanesFor,
  rowTileConstants,
  rowTileFor,
  shapeConstants,
  VECTOR_BYTES,
} from './loraTiling.ts';

interface BackwardValues {
  /** [T, out] of each projection. */
  dys: readonly Value[];
  /** [Σ out, r] */
  b: Value;
  /** [T, G · r], written. */
  dDown: Value;
  /** [G · r, in] */
  a: Value;
  /** [T, in], written. */
  dx?: Value;
  scale: number;
}

/** dDown_g = scale dy_g B_g, and dx = dDown A where it is wanted. */
export function loraBackward(
  sizes: LoraSizes,
  { dys, b, dDown, a, dx, scale }: BackwardValues,
  settings: KernelSettings,
): Dispatch | null {
  const { tokens, rank, outs } = sizes;
  const tile = fitsRowKernels(sizes, settings)
    ? rowTileFor(tokens, rank / 4, 1, rank * outs.length, settings)
    : null;
  if (!tile) return null;
  const dxBindings: Dispatch['bindings'] = dx ? { a: value(a), dx: value(dx) } : {};
  return {
    shader: 'lora_dx',
    constants: {
      ...shapeConstants(sizes),
      ...rowTileConstants(tile),
      PROJECTIONS: outs.length,
      HAS_DX: dx !== undefined,
      ALPHA: { f32: scale },
      AHEAD: 'none',
      PARTS: 0,
      WRITTEN: 0,
    },
    bindings: { ...numberedBindings('dy', dys), d_down: value(dDown), b: value(b), ...dxBindings },
    workgroups: [Math.ceil(tokens / tile.tokens), 1, 1],
  };
}

interface ParameterGradientValues {
  /** [T, in] */
  x: Value;
  /** [T, G · r] each. */
  down: Value;
  dDown: Value;
  /** [T, out] of each projection. */
  dys: readonly Value[];
  /** Added to: [G · r, in] and [Σ out, r]. */
  da: Value;
  db: Value;
  scale: number;
}

/** Quads of columns of a strip of `lora_gradients.wgsl` at most. */
const WIDEST_STRIP = 8;
/** Tiles of a lane in so wide a strip: more leave few lanes. */
const MOST_TILES = 16;

/** dB_g += scale dy_gᵀ down_g and dA += dDownᵀ x. */
export function loraParameterGradients(
  sizes: LoraSizes,
  { x, down, dDown, dys, da, db, scale }: ParameterGradientValues,
  settings: KernelSettings,
): Dispatch | null {
  if (!fitsRowKernels(sizes, settings)) return null;
  const { width, rank, outs } = sizes;
  const quads = rank / 4;
  const perQuads = quads % 2 === 0 ? 2 : 1;
  // A strip of eight quads is a memory line; narrower ones where there are too few.
  const stripsOf = (strip: number) => outs.map((out) => Math.ceil(out / 4 / strip));
  const workgroupsOf = (strip: number) => sum(stripsOf(strip)) + Math.ceil(width / 4 / strip) * outs.length;
  let widest = WIDEST_STRIP * (quads / perQuads) <= MOST_TILES ? WIDEST_STRIP : WIDEST_STRIP / 2;
  while (widest > 2 && workgroupsOf(widest) < ENOUGH_WORKGROUPS) widest /= 2;
  for (let strip = widest; strip >= 1; strip /= 2) {
    const lanes = lanesFor(strip * (quads / perQuads), 4);
    const workgroups = workgroupsOf(strip);
    if (
      !lanes ||
      workgroups > settings.maxWorkgroups ||
      lanes.lanes * lanes.tiles * 4 * VECTOR_BYTES > settings.workgroupBytes
    )
      continue;
    return {
      shader: 'lora_gradients',
      constants: {
        ...shapeConstants(sizes),
        [`OUT${outs.length}`]: width,
        ...laneConstants(lanes),
        ...numberedConstants({ STRIPS: exclusivePrefixSum(stripsOf(strip)) }),
        STRIPS_X: sum(stripsOf(strip)),
        STRIP: strip,
        QUADS_PER_THREAD: perQuads,
        TOKENS_AT_ONCE: strip === WIDEST_STRIP ? 2 : 4,
        PROJECTIONS: outs.length,
        SOURCES: outs.length + 1,
        ALPHA: { f32: scale },
      },
      bindings: {
        ...numberedBindings('source', [...dys, x]),
        down: value(down),
        d_down: value(dDown),
        db: value(db),
        da: value(da),
      },
      workgroups: [workgroups, 1, 1],
    };
  }
  return null;
}
