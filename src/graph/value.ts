/** The values of a graph: their shape, their type and where they live. */
import type { TensorKind } from '../formats/tensors.ts';

export type DType = 'f32' | 'u32' | 'i32';

/**
 * Where a value lives. input: written by the host before a replay · constant: written once · weight: frozen,
 * from the checkpoint · parameter: a slice of the contiguous adapter buffer · gradient: the same slice of the
 * gradient buffer, which nodes add to · state: persists between replays (KV cache) · activation: placed in an
 * arena by the memory plan · output: read by the host after a replay.
 */
export type ValueRole =
  'input' | 'constant' | 'weight' | 'parameter' | 'gradient' | 'state' | 'activation' | 'output';

export interface Value {
  id: number;
  name: string;
  role: ValueRole;
  shape: readonly number[];
  dtype: DType;
  /** Of a weight: how it is stored. */
  kind?: TensorKind;
  /** Of a constant: its contents. */
  data?: Float32Array | Uint32Array;
  /** Of a gradient: the parameter it belongs to. */
  parameter?: Value;
}

/** The number of elements of a value. */
export function elements(value: { shape: readonly number[] }): number {
  return value.shape.reduce((a, b) => a * b, 1);
}

/** Bytes of a value on the GPU (not for weights, whose kinds differ); every dtype is 4 bytes wide. */
export function valueBytes(value: { shape: readonly number[] }): number {
  return elements(value) * 4;
}
