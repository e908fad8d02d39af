/**
 * How kernels bind a frozen weight: the buffers that shaders/lib/weight and shaders/lib/matmul read it from.
 */
import { isNf4, type TensorKind, type TensorPart } from '../../formats/tensors.ts';
import { value, type BufferReference, type Dispatch } from '../../gpu/dispatch.ts';
import type { Value } from '../../graph/value.ts';

/**
 * The bindings of the weight reader: an f32 value of the graph, or the parts of a weight (of one slice of
 * it).
 */
export function weightBindings(weight: Value, slice = 0): Dispatch['bindings'] {
  if (weight.role !== 'weight') return { weight_data: value(weight) };
  return partBindings(weight.kind!, (part) => ({ type: 'weight', id: weight.id, part, slice }));
}

/** The bindings of the weight reader for a kind. @param of where a part lies */
export function partBindings(
  kind: TensorKind,
  of: (part: TensorPart) => BufferReference,
): Dispatch['bindings'] {
  if (!isNf4(kind)) return { weight_data: of('data') };
  const scales: Dispatch['bindings'] =
    kind === 'nf4'
      ? { weight_absmax_q: of('absmax_q'), weight_nested: of('nested') }
      : { weight_absmax: of('absmax') };
  return { weight_packed: of('packed'), ...scales, weight_tables: { type: 'quantizationTables' } };
}

export function weightKind(weight: Value): TensorKind {
  return weight.role === 'weight' ? weight.kind! : 'f32';
}
