/** The rotation of queries and keys inside the LoRA kernels (shaders/lib/lora/rotation.wgsl). */
import { value, type Dispatch } from '../../gpu/dispatch.ts';
import { numberedConstants } from '../numbered.ts';
import type { RopeAngles } from '../rope/rope.ts';

export interface Rotation {
  headDim: number;
  /** Rotates back. */
  inverse: boolean;
  /** How many projections rotate, the first ones. */
  rotated: number;
}

/** @param outs features of each projection @param vector pairs that are rotated at once */
export function rotationConstants(
  { headDim, inverse, rotated }: Rotation,
  { table }: RopeAngles,
  outs: readonly number[],
  vector: 1 | 4,
): Dispatch['constants'] {
  const [positions, rotatedElements] = table.shape;
  return {
    P: positions,
    SIGN: { f32: inverse ? -1 : 1 },
    HEAD_DIM: headDim,
    PAIRS: rotatedElements / 2 / vector,
    ...numberedConstants({ HEADS: outs.slice(0, rotated).map((out) => out / headDim) }),
  };
}

export function rotationBindings({ table, rows }: RopeAngles): Dispatch['bindings'] {
  return { angles: value(table), rows: value(rows) };
}
