/**
 * For a few rows, as in generation: what the two kernels of linear layers with adapters compute beside them.
 * Each function returns null where a shape or the adapter does not fit; linearLora.ts then leaves the parts
 * to kernels of their own.
 */
import { value, type Dispatch, type KernelSettings } from '../../gpu/dispatch.ts';
import type { Value } from '../../graph/value.ts';
import type { Activation } from '../elementwise/activation.ts';
import { SKINNY_LANES } from '../matmul/matmulVariants.ts';
import { rowGroups, skinnyWorkgroupBytes } from '../matmul/skinnyMatmul.ts';
import type { RmsNormAttributes } from '../norm/rmsNorm.ts';
import { weightBindings, weightKind } from '../weights/weightBindings.ts';
import type { LoraSizes } from './loraSizes.ts';
import { fitsFewRowKernels, laneConstants, lanesFor, VECTOR_BYTES } from './loraTiling.ts';

/**
 * Fuses the second product of LoRA into matmul_skinny.wgsl. @param products W x alone
 * @returns null where `products` are not one dispatch of that kernel, or the rank or the bindings are too
 * many
 */
export function addLoraToRows(
  products: readonly Dispatch[],
  { rank, outs }: LoraSizes,
  { down, b, scale }: { down: Value; b: Value; scale: number },
  { maxStorageBuffers }: KernelSettings,
): Dispatch | null {
  const product = onlySkinny(products, rank);
  if (!product) return null;
  const bindings = { ...product.bindings, lora_down: value(down), lora_b: value(b) };
  if (Object.keys(bindings).length > maxStorageBuffers) return null;
  return {
    ...product,
    constants: {
      ...product.constants,
      ADDS_LORA: true,
      RANK_QUADS: rank / 4,
      DOWN_QUADS: (rank / 4) * outs.length,
      LORA_SCALE: { f32: scale },
    },
    bindings,
  };
}

/** @returns the product, where it is one dispatch to which LoRA of this rank can be added; else null */
export function onlySkinny([product, ...others]: readonly Dispatch[], rank: number): Dispatch | null {
  const fits = product.shader === 'matmul_skinny' && rank % 4 === 0 && rank <= 4 * SKINNY_LANES;
  return fits && others.length === 0 ? product : null;
}

interface NormedValues {
  /** [T, in], ahead of the norm, and what is added to it. */
  x: Value;
  residual?: Value;
  /** [in] */
  norm: Value;
  /** Written: their sum and the norm's result, [T, in] each. */
  sum?: Value;
  y: Value;
  /** [G · r, in] */
  a: Value;
  /** [T, G · r], written. */
  down: Value;
  /** [T] */
  adapterScale?: Value;
}

/** The norm of a few rows and A times its result in one kernel. @returns null where the shape does not fit */
export function normedDown(
  sizes: LoraSizes,
  { x, residual, norm, sum: total, y, a, down, adapterScale }: NormedValues,
  { eps, unitOffset }: RmsNormAttributes,
  settings: KernelSettings,
): Dispatch[] | null {
  const { tokens, width, rank, outs } = sizes;
  const groups = rowGroups(tokens);
  const rowVectors = Math.ceil(groups.constants.ROWS / 4);
  const lanes = lanesFor(1, 2 * rowVectors);
  const bindings: Dispatch['bindings'] = {
    y: value(y),
    x: value(x),
    ...(residual && total && { residual: value(residual), sum: value(total) }),
    ...weightBindings(norm),
    a: value(a),
    down: value(down),
    ...(adapterScale && { adapter_scale: value(adapterScale) }),
  };
  if (
    !fitsFewRowKernels(sizes, settings) ||
    !lanes ||
    (lanes.lanes * 2 + 1) * rowVectors * VECTOR_BYTES > settings.workgroupBytes ||
    rank * outs.length > settings.maxWorkgroups ||
    Object.keys(bindings).length > settings.maxStorageBuffers
  )
    return null;
  return [
    {
      shader: 'lora_down_normed',
      constants: {
        T: tokens,
        ...groups.constants,
        WIDTH: width,
        RANKS: rank * outs.length,
        EPS: { f32: eps },
        UNIT_OFFSET: { f32: unitOffset },
        HAS_ADD: residual !== undefined,
        HAS_ADAPTER_SCALE: adapterScale !== undefined,
        WEIGHT_KIND: weightKind(norm),
        ROW_VECTORS: rowVectors,
        FOURS: Math.min(rowVectors > 1 ? 2 : 4, Math.ceil(width / 4 / lanes.lanes)),
        ...laneConstants(lanes),
      },
      bindings,
      workgroups: [rank * outs.length, groups.count, 1],
    },
  ];
}

/**
 * Has matmul_skinny.wgsl write activation(gate) · up of its two problems alone.
 * @param product of gate and up @param y [T, out] @returns null where the two are of different sizes or the
 * workgroup memory is too small
 */
export function gateRows(
  product: Dispatch,
  [out, other]: readonly number[],
  y: Value,
  activation: Activation,
  { workgroupBytes }: KernelSettings,
): Dispatch | null {
  const { c0, c1, ...bindings } = product.bindings;
  const { PER_N, TILE_N } = product.constants as Record<string, number>;
  // A column each of gate and up at least.
  const columns = Math.max(2, PER_N);
  const tile = (TILE_N / PER_N) * columns;
  const constants: Dispatch['constants'] = {
    ...product.constants,
    GATED: true,
    C_GROUPED: false,
    PER_N: columns,
    TILE_N: tile,
    VECTOR_WIDTH: 1,
    ACTIVATION: activation,
  };
  if (out !== other || !c0 || !c1 || skinnyWorkgroupBytes(constants) > workgroupBytes) return null;
  return {
    ...product,
    // Other configs of the product alone would write gate and up, of which there are no values.
    tuningProblem: undefined,
    constants,
    bindings: { c: value(y), ...bindings },
    workgroups: [Math.ceil(out / (tile / 2)), product.workgroups[1], 1],
  };
}
