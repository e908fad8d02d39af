/**
 * Weights of projections that share an input lie one under the other, a buffer a part, so that one kernel binds them all at once: WebGPU promises
 * eight storage buffers a kernel, and an NF4 weight alone takes three.
 */
import { tensorPartBytes, type TensorKind, type TensorPart } from '../../formats/tensors.ts';
import { weightSlices } from './weightSlices.ts';

/** A weight begins where a binding of its own may begin. */
const ALIGNMENT_BYTES = 256;
/** Members that a grouped kernel has bindings for. */
const MOST_MEMBERS = 3;

export interface GroupPart {
  /** Where each weight begins. */
  startBytes: number[];
  /** Of the whole, up to the end of the last weight, a multiple of 4. */
  bytes: number;
}

export type GroupParts = Partial<Record<TensorPart, GroupPart>>;

/** Weights that lie together. */
export interface WeightGroup {
  names: string[];
  parts: GroupParts;
}

/** @returns null where the weights lie apart: one alone, too many, of different kinds, split, or too large together for one binding */
export function groupParts(
  weights: readonly { name: string; shape: readonly number[]; kind?: TensorKind }[],
  maxBindingBytes: number,
): GroupParts | null {
  if (weights.length < 2 || weights.length > MOST_MEMBERS) return null;
  const kind = weights[0].kind;
  if (
    kind === undefined ||
    weights.some((weight) => weight.kind !== kind || weightSlices(weight, maxBindingBytes).length > 1)
  )
    return null;
  const parts: GroupParts = {};
  for (const { name, shape } of weights) {
    for (const [part, bytes] of Object.entries(tensorPartBytes({ name, shape: [...shape], kind })) as [
      TensorPart,
      number,
    ][]) {
      const laid = (parts[part] ??= { startBytes: [], bytes: 0 });
      const start = Math.ceil(laid.bytes / ALIGNMENT_BYTES) * ALIGNMENT_BYTES;
      laid.startBytes.push(start);
      laid.bytes = start + Math.ceil(bytes / 4) * 4;
    }
  }
  return Object.values(parts).every(({ bytes }) => bytes <= maxBindingBytes) ? parts : null;
}
