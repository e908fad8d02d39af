/** A model's weights on the CPU, a few rows at a time, dequantised where they are NF4 or GGUF blocks. */
import { DTYPE_BYTES, toFloat32, type SafetensorsDtype } from './safetensors.ts';
import { isGguf, isNf4, tensorPartBytes, type WeightSource } from './tensors.ts';
import { UserError } from '../lib/errors.ts';
import { decodeBlocks, GGUF_BLOCKS } from '../quant/ggufBlocks.ts';
import { dequantize, dequantizeScales } from '../quant/nf4.ts';

/** Elements that are decoded at once: a multiple of an NF4 block. */
const PIECE_ELEMENTS = 2 ** 20;

/** Consecutive whole rows of a weight. */
export interface WeightRows {
  first: number;
  /** [rows, width] float32, row-major. */
  values: Float32Array;
}

/**
 * The rows of a tensor in order; a vector is one row. What is in memory is one piece of about 4 MiB, the last
 * incomplete row, and for NF4 the codes of the whole tensor. The values are read before the next rows are
 * asked for: their memory is used again.
 * @throws UserError where the source has no such tensor
 */
export async function* weightRows(source: WeightSource, name: string): AsyncGenerator<WeightRows> {
  const info = source.tensors.get(name);
  if (!info) throw new UserError(`The model has no tensor ${name}. Import it again.`);
  const width = info.shape.at(-1) ?? 1;
  let first = 0;
  let rest: Float32Array = new Float32Array(0);
  for await (const piece of weightPieces(source, name)) {
    const values = rest.length === 0 ? piece : concatenate(rest, piece);
    const rows = Math.floor(values.length / width);
    if (rows > 0) yield { first, values: values.subarray(0, rows * width) };
    first += rows;
    rest = values.slice(rows * width);
  }
}

async function* weightPieces(source: WeightSource, name: string): AsyncGenerator<Float32Array> {
  const info = source.tensors.get(name)!;
  const { kind } = info;
  if (isGguf(kind)) {
    // A stored chunk may end within a block.
    const format = GGUF_BLOCKS.get(kind)!;
    const pieceBytes = Math.ceil(PIECE_ELEMENTS / format.elements) * format.bytes;
    let rest: Uint8Array = new Uint8Array(0);
    for await (const { bytes } of source.stream(name)) {
      const all = new Uint8Array(rest.length + bytes.length);
      all.set(rest);
      all.set(bytes, rest.length);
      const whole = all.length - (all.length % format.bytes);
      for (let at = 0; at < whole; at += pieceBytes)
        yield decodeBlocks(format, all.subarray(at, Math.min(at + pieceBytes, whole)));
      rest = all.slice(whole);
    }
    return;
  }
  if (!isNf4(kind)) {
    const dtype = kind.toUpperCase() as SafetensorsDtype;
    const pieceBytes = PIECE_ELEMENTS * DTYPE_BYTES[dtype];
    for await (const { bytes } of source.stream(name))
      for (let at = 0; at < bytes.length; at += pieceBytes)
        yield toFloat32(dtype, bytes.subarray(at, at + pieceBytes));
    return;
  }
  const parts = new Map(
    Object.entries(tensorPartBytes(info)).map(([part, bytes]) => [part, new Uint8Array(bytes)]),
  );
  for await (const { part, byteOffset, bytes } of source.stream(name))
    parts.get(part)!.set(bytes, byteOffset);
  const absmax = blockScales(parts);
  const packed = parts.get('packed')!;
  const elements = info.shape.reduce((a, b) => a * b, 1);
  const values = new Float32Array(Math.min(PIECE_ELEMENTS, elements));
  for (let at = 0; at < elements; at += PIECE_ELEMENTS) {
    const count = Math.min(PIECE_ELEMENTS, elements - at);
    const codes = packed.subarray(at / 2, Math.ceil((at + count) / 2));
    const scales = absmax.subarray(at / 64, Math.ceil((at + count) / 64));
    yield dequantize(codes, scales, count, values.subarray(0, count));
  }
}

/** One float32 scale for each block of 64. */
function blockScales(parts: ReadonlyMap<string, Uint8Array>): Float32Array {
  const absmax = parts.get('absmax');
  if (absmax) return new Float32Array(absmax.buffer);
  const nested = new Float32Array(parts.get('nested')!.buffer);
  return dequantizeScales({
    absmax_q: parts.get('absmax_q')!,
    nested_offset: nested[0]!,
    nested_absmax: nested.subarray(1),
  });
}

function concatenate(a: Float32Array, b: Float32Array): Float32Array {
  const both = new Float32Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}
