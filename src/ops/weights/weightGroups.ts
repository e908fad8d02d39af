/**
 * Weights of projections that share an input are stored contiguously, one buffer for each part (codes,
 * scales), so that one kernel binds them all at once: WebGPU promises eight storage buffers for a kernel, and
 * one NF4 weight takes three.
 */
import { isGguf, tensorPartBytes, type TensorKind, type TensorPart } from '../../formats/tensors.ts';
import { weightSlices } from './weightSlices.ts';

/** Each weight begins where a binding of its own may begin. */
const ALIGNMENT_BYTES = 256;
/** Problems that a grouped GEMM has bindings for. */
const MAX_PROBLEMS = 3;

export interface GroupPart {
  /** Where each weight begins. */
  startBytes: number[];
  /** Bytes up to the end of the last weight, a multiple of 4. */
  bytes: number;
}

export type GroupParts = Partial<Record<TensorPart, GroupPart>>;

/** Weights that are stored contiguously. */
export interface WeightGroup {
  names: string[];
  parts: GroupParts;
}

/**
 * How the parts of contiguous weights lie. @returns null where the weights are stored apart: a single one,
 * too many, of different kinds or in GGUF blocks, split into slices, or too large together for one binding
 */
export function groupParts(
  weights: readonly { name: string; shape: readonly number[]; kind?: TensorKind }[],
  maxBindingBytes: number,
): GroupParts | null {
  if (weights.length < 2 || weights.length > MAX_PROBLEMS) return null;
  const kind = weights[0].kind;
  if (
    kind === undefined ||
    isGguf(kind) ||
    weights.some((weight) => weight.kind !== kind || weightSlices(weight, maxBindingBytes).length > 1)
  )
    return null;
  const parts: GroupParts = {};
  for (const { name, shape } of weights) {
    for (const [part, bytes] of Object.entries(tensorPartBytes({ name, shape: [...shape], kind })) as [
      TensorPart,
      number,
    ][]) {
      const whole = (parts[part] ??= { startBytes: [], bytes: 0 });
      const start = Math.ceil(whole.bytes / ALIGNMENT_BYTES) * ALIGNMENT_BYTES;
      whole.startBytes.push(start);
      whole.bytes = start + Math.ceil(bytes / 4) * 4;
    }
  }
  return Object.values(parts).every(({ bytes }) => bytes <= maxBindingBytes) ? parts : null;
}
