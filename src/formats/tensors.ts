/** How weights are described and passed on, independent of the file or database that they come from. */

import { GGUF_BLOCKS, type GgufBlockType } from '../quant/ggufBlocks.ts';

/**
 * Storage of one tensor. 'nf4' is a linear weight quantised in blocks of 64 with double-quantised scales,
 * 'nf4_f32' the same with float32 scales; GGUF's block types are the file's own blocks.
 */
export type TensorKind = 'f32' | 'f16' | 'bf16' | 'nf4' | 'nf4_f32' | GgufBlockType;
/** A kind's pieces, stored and bound apart. */
export type TensorPart = 'data' | 'packed' | 'absmax_q' | 'nested' | 'absmax';

export function isNf4(kind: TensorKind | undefined): boolean {
  return kind === 'nf4' || kind === 'nf4_f32';
}

export function isGguf(kind: TensorKind | undefined): kind is GgufBlockType {
  return kind !== undefined && GGUF_BLOCKS.has(kind);
}

export interface TensorInfo {
  name: string;
  /** Row-major, as the checkpoint has it: a linear weight is [out, in]. */
  shape: number[];
  kind: TensorKind;
  /** Stored in small chunks, because a batch reads single rows (model/config.ts). */
  byRows?: true;
}

/**
 * A piece of a tensor. Parts: 'data' (little-endian elements of f32/f16/bf16, or GGUF blocks); for NF4
 * 'packed' (two codes a byte, even element in the high nibble), and for nf4 'absmax_q' (one byte a block of
 * 64) and 'nested' (float32: [nested_offset, nested_absmax...], one absmax per 256 blocks), for nf4_f32
 * 'absmax' (float32, one a block of 64).
 */
export interface TensorChunk {
  part: TensorPart;
  byteOffset: number;
  bytes: Uint8Array;
}

/**
 * A model's weights, readable tensor by tensor and chunk by chunk so that no big tensor is ever whole in
 * memory.
 */
export interface WeightSource {
  /** config.json as parsed. */
  config: Record<string, unknown>;
  tensors: ReadonlyMap<string, TensorInfo>;
  /**
   * All chunks of all parts, in order. byteOffset and length are multiples of 4, except at the end of a part.
   */
  stream(name: string): AsyncIterable<TensorChunk>;
  /** Rows of a table as [rows.length, width] float32; absent where a source is only streamed. */
  readRows?(name: string, rows: ArrayLike<number>): Promise<Float32Array>;
}

/** An f32 tensor in memory: adapters and references. */
export interface Float32Tensor {
  shape: number[];
  data: Float32Array;
}

/** Bytes of each part of a tensor of this kind, unpadded. */
export function tensorPartBytes(info: TensorInfo): Partial<Record<TensorPart, number>> {
  const elements = info.shape.reduce((a, b) => a * b, 1);
  switch (info.kind) {
    case 'f32':
      return { data: elements * 4 };
    case 'f16':
    case 'bf16':
      return { data: elements * 2 };
    case 'nf4': {
      const blocks = Math.ceil(elements / 64);
      return { packed: Math.ceil(elements / 2), absmax_q: blocks, nested: 4 * (1 + Math.ceil(blocks / 256)) };
    }
    case 'nf4_f32':
      return { packed: Math.ceil(elements / 2), absmax: 4 * Math.ceil(elements / 64) };
    default: {
      const format = GGUF_BLOCKS.get(info.kind)!;
      return { data: (elements / format.elements) * format.bytes };
    }
  }
}
