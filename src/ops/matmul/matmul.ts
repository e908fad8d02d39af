/** The dispatches of C = alpha A B for every layout and weight kind, and for several such products that share a side. */
import type { Dispatch, KernelSettings } from '../../gpu/dispatch.ts';
import { cpuMatmul } from './cpuMatmul.ts';
import { ungrouped } from './groupedGemm.ts';
import type { MatmulProblem } from './matmulProblem.ts';
import { fitsGrouped } from './matmulHeuristic.ts';
import { gpuMatmul } from './gpuMatmul.ts';
import { weightSlices } from './weightSlices.ts';

/** @param scratchIndex index of the node's scratch that this product may use, and the one after it */
export function matmul(product: MatmulProblem, settings: KernelSettings, scratchIndex = 0): Dispatch[] {
  if (product.group && !fitsGrouped(product, settings))
    return ungrouped(product).flatMap((member) => matmul(member, settings, scratchIndex));
  return overSlices(product, settings).flatMap((part) =>
    settings.target === 'gpu'
      ? gpuMatmul(part, settings, scratchIndex)
      : cpuMatmul(part, settings, scratchIndex),
  );
}

/** One product a slice of B where B is a weight that is split by rows: its rows are columns of C (forward) or terms of the sum (input gradient). */
function overSlices(product: MatmulProblem, settings: KernelSettings): MatmulProblem[] {
  const { a, b, c, group } = product;
  if (group || b.value.role !== 'weight') return [product];
  const slices = weightSlices(b.value, settings.maxBindingBytes);
  if (slices.length === 1) return [product];
  if (b.offset) throw new Error(`${b.value.name} is split: a product may not begin inside it`);
  return slices.map(({ first, rows }, part) =>
    b.columnStride > b.rowStride
      ? { ...product, n: rows, b: { ...b, part }, c: { ...c, offset: (c.offset ?? 0) + first } }
      : {
          ...product,
          k: rows,
          a: { ...a, offset: (a.offset ?? 0) + first * a.columnStride },
          b: { ...b, part },
          accumulate: part > 0 || product.accumulate,
        },
  );
}
