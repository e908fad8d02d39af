/** How weights are described and handed over, whatever file or database they come from. */

/** Storage of one tensor. 'nf4' is a linear weight quantised in blocks of 64 with double-quantised scales. */
export type TensorKind = 'f32' | 'f16' | 'bf16' | 'nf4';

export interface TensorInfo {
  name: string;
  /** Row-major, as the checkpoint has it: a linear weight is [out, in]. */
  shape: number[];
  kind: TensorKind;
}

/**
 * A piece of a tensor. Parts: 'data' (little-endian elements of f32/f16/bf16); for nf4 'packed' (two codes a byte, even element in the
 * high nibble), 'absmax_q' (one byte a block of 64), 'nested' (float32: [nested_offset, nested_absmax...], one absmax per 256 blocks).
 */
export interface TensorChunk {
  part: 'data' | 'packed' | 'absmax_q' | 'nested';
  byteOffset: number;
  bytes: Uint8Array;
}

/** A model's weights, readable tensor by tensor and chunk by chunk so that no big tensor is ever whole in memory. */
export interface WeightSource {
  /** config.json as parsed. */
  config: Record<string, unknown>;
  tensors: ReadonlyMap<string, TensorInfo>;
  /** Every chunk of every part, in order; byteOffset and length are multiples of 4 except at the end of a part. */
  stream(name: string): AsyncIterable<TensorChunk>;
}

/** An f32 tensor in memory: adapters and references. */
export interface Float32Tensor {
  shape: number[];
  data: Float32Array;
}

/** Bytes of each part of a tensor of this kind, unpadded. */
export function tensorPartBytes(info: TensorInfo): Partial<Record<TensorChunk['part'], number>> {
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
  }
}
