/** Writing GGUF, version 3, little-endian (github.com/ggml-org/ggml/blob/master/docs/gguf.md). */

/** A value of the metadata. Integers are written in the width that their type names. */
export type GgufValue =
  | { type: 'uint32' | 'int32' | 'float32'; value: number }
  | { type: 'bool'; value: boolean }
  | { type: 'string'; value: string }
  /** Copied from another file: its type and value as they are. */
  | { type: 'copied'; bytes: Uint8Array }
  | { type: 'array'; of: 'int32' | 'uint32' | 'float32'; value: readonly number[] }
  | { type: 'array'; of: 'bool'; value: readonly boolean[] }
  | { type: 'array'; of: 'string'; value: readonly string[] };

export type GgufMetadata = ReadonlyMap<string, GgufValue>;

/** Ids of ggml's element types (enum ggml_type), with the elements and bytes of one block. */
export const GGML_TYPES = {
  F32: { id: 0, blockElements: 1, blockBytes: 4 },
  F16: { id: 1, blockElements: 1, blockBytes: 2 },
  Q4_0: { id: 2, blockElements: 32, blockBytes: 18 },
  Q5_0: { id: 6, blockElements: 32, blockBytes: 22 },
  Q8_0: { id: 8, blockElements: 32, blockBytes: 34 },
  Q4_K: { id: 12, blockElements: 256, blockBytes: 144 },
  Q6_K: { id: 14, blockElements: 256, blockBytes: 210 },
  BF16: { id: 30, blockElements: 1, blockBytes: 2 },
} as const;
export type GgmlWriteType = keyof typeof GGML_TYPES;

/** A tensor that will follow the header. */
export interface GgufTensorInfo {
  name: string;
  /** Row-major with the longest stride first, as PyTorch prints it: a linear weight is [out, in]. */
  shape: readonly number[];
  type: GgmlWriteType;
}

/** Tensor data, and each tensor in it, begins at a multiple of this. */
export const GGUF_ALIGNMENT = 32;

const VALUE_TYPE_IDS = { uint32: 4, int32: 5, float32: 6, bool: 7, string: 8, array: 9 } as const;

/**
 * Bytes that a tensor takes in the file, without padding.
 * @throws Error where a row is no whole number of blocks
 */
export function ggufTensorBytes({ name, shape, type }: GgufTensorInfo): number {
  const { blockElements, blockBytes } = GGML_TYPES[type];
  const row = shape.at(-1) ?? 1;
  if (row % blockElements !== 0)
    throw new Error(`${name}: rows of ${row} elements are no whole blocks of ${blockElements} (${type})`);
  return (shape.reduce((a, b) => a * b, 1) / blockElements) * blockBytes;
}

/** The zeros that follow `bytes` bytes up to the next aligned place. */
export function ggufPadding(bytes: number): number {
  return (GGUF_ALIGNMENT - (bytes % GGUF_ALIGNMENT)) % GGUF_ALIGNMENT;
}

/**
 * Everything that comes before the tensors' data, padded: magic, metadata and the index. The data follows in
 * the order of `tensors`, each padded with `ggufPadding`.
 */
export function ggufHeader(metadata: GgufMetadata, tensors: readonly GgufTensorInfo[]): Uint8Array {
  const out = new ByteWriter();
  out.bytes(new TextEncoder().encode('GGUF'));
  out.uint32(3);
  out.uint64(tensors.length);
  out.uint64(metadata.size);
  for (const [key, value] of metadata) {
    out.string(key);
    if (value.type !== 'copied') out.uint32(VALUE_TYPE_IDS[value.type]);
    writeValue(out, value);
  }
  let offset = 0;
  for (const tensor of tensors) {
    out.string(tensor.name);
    out.uint32(tensor.shape.length);
    for (const size of tensor.shape.toReversed()) out.uint64(size);
    out.uint32(GGML_TYPES[tensor.type].id);
    out.uint64(offset);
    const bytes = ggufTensorBytes(tensor);
    offset += bytes + ggufPadding(bytes);
  }
  out.bytes(new Uint8Array(ggufPadding(out.length)));
  return out.finish();
}

/** A whole file in memory: for adapters, which are small. `data`: each tensor's bytes, in order. */
export function writeGguf(
  metadata: GgufMetadata,
  tensors: readonly (GgufTensorInfo & { data: Uint8Array })[],
): Uint8Array {
  const out = new ByteWriter();
  out.bytes(ggufHeader(metadata, tensors));
  for (const tensor of tensors) {
    const expected = ggufTensorBytes(tensor);
    if (tensor.data.byteLength !== expected)
      throw new Error(`${tensor.name}: ${tensor.data.byteLength} bytes for ${expected}`);
    out.bytes(tensor.data);
    out.bytes(new Uint8Array(ggufPadding(expected)));
  }
  return out.finish();
}

function writeValue(out: ByteWriter, value: GgufValue): void {
  switch (value.type) {
    case 'uint32':
      out.uint32(value.value);
      break;
    case 'int32':
      out.int32(value.value);
      break;
    case 'float32':
      out.float32(value.value);
      break;
    case 'bool':
      out.bytes(Uint8Array.of(Number(value.value)));
      break;
    case 'string':
      out.string(value.value);
      break;
    case 'copied':
      out.bytes(value.bytes);
      break;
    case 'array':
      out.uint32(VALUE_TYPE_IDS[value.of]);
      out.uint64(value.value.length);
      for (const entry of value.value) writeValue(out, { type: value.of, value: entry } as GgufValue);
      break;
  }
}

/** A growing little-endian buffer. */
class ByteWriter {
  private buffer = new Uint8Array(1024);
  private view = new DataView(this.buffer.buffer);
  length = 0;

  bytes(bytes: Uint8Array): void {
    this.reserve(bytes.byteLength);
    this.buffer.set(bytes, this.length);
    this.length += bytes.byteLength;
  }

  uint32(value: number): void {
    if (!Number.isInteger(value) || value < 0 || value > 0xffffffff)
      throw new Error(`${value} does not fit 32 bits without sign`);
    this.reserve(4);
    this.view.setUint32(this.length, value, true);
    this.length += 4;
  }

  int32(value: number): void {
    if ((value | 0) !== value) throw new Error(`${value} does not fit 32 bits`);
    this.reserve(4);
    this.view.setInt32(this.length, value, true);
    this.length += 4;
  }

  uint64(value: number): void {
    if (!Number.isSafeInteger(value) || value < 0) throw new Error(`${value} is no size`);
    this.reserve(8);
    this.view.setBigUint64(this.length, BigInt(value), true);
    this.length += 8;
  }

  float32(value: number): void {
    this.reserve(4);
    this.view.setFloat32(this.length, value, true);
    this.length += 4;
  }

  /** UTF-8 with its length in bytes ahead. */
  string(text: string): void {
    const bytes = new TextEncoder().encode(text);
    this.uint64(bytes.byteLength);
    this.bytes(bytes);
  }

  finish(): Uint8Array {
    return this.buffer.slice(0, this.length);
  }

  private reserve(more: number): void {
    const needed = this.length + more;
    if (needed <= this.buffer.byteLength) return;
    const grown = new Uint8Array(Math.max(needed, this.buffer.byteLength * 2));
    grown.set(this.buffer.subarray(0, this.length));
    this.buffer = grown;
    this.view = new DataView(grown.buffer);
  }
}
