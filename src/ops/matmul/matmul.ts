/**
 * The dispatches of C = alpha A B for every layout and weight kind, on a GPU (gpuMatmul.ts) or a CPU adapter
 * (cpuMatmul.ts), and for several such products that share an operand (groupedGemm.ts).
 */
import { isGguf } from '../../formats/tensors.ts';
import { flatGrid, type BufferReference, type Dispatch, type KernelSettings } from '../../gpu/dispatch.ts';
import { cpuMatmul } from './cpuMatmul.ts';
import { gpuMatmul } from './gpuMatmul.ts';
import { ungrouped } from './groupedGemm.ts';
import { fitsGrouped } from './matmulHeuristic.ts';
import type { MatmulProblem } from './matmulProblem.ts';
import { weightBindings, weightKind } from '../weights/weightBindings.ts';
import { weightSlices } from '../weights/weightSlices.ts';

/** @param scratchIndex index of the node's scratch that the kernels may use, and the two after it */
export function matmul(problem: MatmulProblem, settings: KernelSettings, scratchIndex = 0): Dispatch[] {
  if (problem.group && !fitsGrouped(problem, settings))
    return ungrouped(problem).flatMap((single) => matmul(single, settings, scratchIndex));
  return overWeightSlices(problem, settings).flatMap((part) => {
    const ahead = isGguf(weightKind(part.b.value)) ? dequantisedBlocks(part, settings, scratchIndex) : null;
    const [single, index] = ahead ? [ahead.problem, scratchIndex + 1] : [part, scratchIndex];
    const product =
      settings.target === 'gpu' ? gpuMatmul(single, settings, index) : cpuMatmul(single, settings, index);
    return ahead ? [ahead.dispatch, ...product] : product;
  });
}

/** Dequantises GGUF blocks to scratch. @returns the dispatch, and the problem with B there, in float32 */
function dequantisedBlocks(
  problem: MatmulProblem,
  settings: KernelSettings,
  scratchIndex: number,
): { dispatch: Dispatch; problem: MatmulProblem } {
  const { b, n, k } = problem;
  const slice: BufferReference = { type: 'scratch', index: scratchIndex, bytes: n * k * 4 };
  return {
    dispatch: {
      shader: 'dequantize_gguf',
      constants: { COUNT: n * k, WEIGHT_KIND: weightKind(b.value) },
      bindings: { y: slice, ...weightBindings(b.value, b.part) },
      workgroups: flatGrid(n * k, 64, settings),
    },
    problem: { ...problem, b: { ...b, slice, value: { ...b.value, kind: 'f32' } } },
  };
}

/**
 * One problem for each slice of B where B is a weight that is split by rows: its rows are columns of C
 * (forward) or terms of the sum (input gradient).
 */
function overWeightSlices(problem: MatmulProblem, settings: KernelSettings): MatmulProblem[] {
  const { a, b, c, group } = problem;
  if (group || b.value.role !== 'weight') return [problem];
  const slices = weightSlices(b.value, settings.maxBindingBytes);
  if (slices.length === 1) return [problem];
  if (b.offset) throw new Error(`${b.value.name} is split: a product may not begin inside it`);
  return slices.map(({ first, rows }, part) =>
    b.columnStride > b.rowStride
      ? { ...problem, n: rows, b: { ...b, part }, c: { ...c, offset: (c.offset ?? 0) + first } }
      : {
          ...problem,
          k: rows,
          a: { ...a, offset: (a.offset ?? 0) + first * a.columnStride },
          b: { ...b, part },
          accumulate: part > 0 || problem.accumulate,
        },
  );
}
