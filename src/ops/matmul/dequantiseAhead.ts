/**
 * Dequantises an NF4 operand ahead of its product. For many rows this costs less than dequantising it in
 * every tile, and the operand can be transposed in the same pass, so that it runs along n as the tiled
 * kernels prefer.
 */
import { flatGrid, type BufferReference, type Dispatch, type KernelSettings } from '../../gpu/dispatch.ts';
import { BLOCK } from '../../quant/nf4.ts';
import { dequantiseConstants, weightOperandBindings, type DequantisedLayout } from './groupedGemm.ts';
import { hasNf4, type MatmulProblem } from './matmulProblem.ts';
import { weightKind } from '../weights/weightBindings.ts';

/** The operand B as a product reads it, and the dispatches that prepare it. */
export interface RightOperand {
  dispatches: Dispatch[];
  /** Constants that replace those of matmulConstants. */
  layout: Dispatch['constants'];
  bindings: Dispatch['bindings'];
  /** How it lies where it was dequantised ahead; null: as it is stored. */
  dequantised: DequantisedLayout | null;
}

/** B as it is stored. */
export function storedOperand(problem: MatmulProblem, settings: KernelSettings): RightOperand {
  const { b } = problem;
  return {
    dispatches: [],
    layout: { WEIGHT_KIND: weightKind(b.value), B_ALONG_K: b.rowStride === 1 },
    bindings: weightOperandBindings(problem, settings),
    dequantised: null,
  };
}

/** Whether NF4 that runs along k is transposed as it is dequantised. */
export function isTransposed(problem: MatmulProblem): boolean {
  return hasNf4(problem) && problem.b.rowStride === 1 && problem.k % BLOCK === 0;
}

/**
 * B dequantised to scratch where it is NF4; any other kind stays as it is stored. A group's weights become
 * one array.
 * @param scratchIndex index of the node's scratch that it goes to
 */
export function dequantisedOperand(
  problem: MatmulProblem,
  settings: KernelSettings,
  scratchIndex: number,
  type: 'f32' | 'f16',
): RightOperand {
  const { n, k, b } = problem;
  const stored = storedOperand(problem, settings);
  if (!hasNf4(problem)) return stored;
  const bytes = n * k * (type === 'f16' ? 2 : 4);
  const scratch: BufferReference = { type: 'scratch', index: scratchIndex, bytes };
  const transposed = isTransposed(problem);
  const dequantised: DequantisedLayout = transposed ? 'columns' : 'rows';
  const dispatch: Dispatch = {
    shader: transposed ? 'dequantize_nf4_transposed' : 'dequantize_nf4_words',
    constants: {
      ...(transposed ? { N: n, K: k } : { COUNT: n * k }),
      WEIGHT_KIND: weightKind(b.value),
      TILE_F16: type === 'f16',
      ...dequantiseConstants(problem, settings, dequantised),
    },
    bindings: { y: scratch, ...stored.bindings },
    workgroups: transposed ? [Math.ceil(n / 64), k / BLOCK, 1] : flatGrid((n * k) / 8, 64, settings),
  };
  const alongN: Dispatch['constants'] = transposed ? { B_ALONG_K: false, B_ROW: n, B_COLUMN: 1 } : {};
  return {
    dispatches: [dispatch],
    layout: { ...stored.layout, WEIGHT_KIND: 'f32', ...alongN },
    bindings: { weight_data: scratch },
    dequantised,
  };
}
