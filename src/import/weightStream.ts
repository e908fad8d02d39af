/**
 * Turns a checkpoint's tensors into the chunks that are stored: checked, and quantised where the recipe says
 * so.
 */
import { isGguf, tensorPartBytes, type TensorChunk, type TensorInfo } from '../formats/tensors.ts';
import type { SourceTensor } from '../formats/checkpoint.ts';
import { fileName } from '../formats/checkpoint.ts';
import type { Nf4Scales } from '../formats/bitsandbytes.ts';
import { toFloat32, type SafetensorsDtype } from '../formats/safetensors.ts';
import { UserError } from '../lib/errors.ts';
import { toFloat16 } from '../quant/halfFloats.ts';
import { Nf4Quantizer, type QuantizedScales } from '../quant/nf4.ts';
import { hasNonFinite, type BlockDtype } from '../quant/nf4Code.ts';
import type { BlockQuantizer } from './gpuQuantizer.ts';
import { blockPieces, READ_BYTES, readBytes, tensorPieces } from './tensorPieces.ts';

/**
 * Reads one tensor and yields its stored parts in order.
 * @param quantize quantises whole blocks instead of this thread
 * @throws UserError where a weight is NaN or infinite, naming the tensor and index
 */
export async function* storedChunks(
  tensor: SourceTensor,
  info: TensorInfo,
  onRead?: (bytes: number) => void,
  quantize?: BlockQuantizer,
): AsyncGenerator<TensorChunk> {
  if (tensor.nf4) {
    yield* quantizedChunks(tensor, tensor.nf4, info, onRead);
    return;
  }
  if (isGguf(info.kind)) {
    for await (const chunk of blockChunks(tensor, onRead))
      yield* cut(chunk, info.byRows ? ROW_READ_BYTES : Infinity);
    return;
  }
  const quantizer = info.kind === 'nf4' ? new Nf4Quantizer(info.shape.reduce((a, b) => a * b, 1)) : null;
  const most = info.byRows ? ROW_READ_BYTES : Infinity;
  let packedBytes = 0;
  let elementsRead = 0;
  let byteOffset = 0;
  for await (const piece of tensorPieces(tensor)) {
    const { dtype, elements } = elementsOf(piece.dtype, piece.bytes);
    const packed = quantize
      ? await quantizer?.pushBy(quantize, elements, dtype)
      : quantizer?.push(elements, dtype);
    if (quantizer ? quantizer.sawNonFinite : hasNonFinite(dtype, elements))
      checkFinite(toFloat32(piece.dtype, piece.bytes), elementsRead, tensor);
    onRead?.(piece.sourceBytes);
    if (packed) {
      if (packed.byteLength > 0) yield { part: 'packed', byteOffset: packedBytes, bytes: packed };
      packedBytes += packed.byteLength;
    } else {
      const bytes = storedBytesOf(elements, info, elementsRead, tensor);
      yield* cut({ part: 'data', byteOffset, bytes }, most);
      byteOffset += bytes.byteLength;
    }
    elementsRead += elements.length;
  }
  if (!quantizer) return;
  const { packed, scales } = quantizer.finish();
  if (packed.byteLength > 0) yield { part: 'packed', byteOffset: packedBytes, bytes: packed };
  yield { part: 'absmax_q', byteOffset: 0, bytes: scales.absmax_q };
  yield { part: 'nested', byteOffset: 0, bytes: nestedBytes(scales) };
}

/** Bytes of a stored chunk of a table that is read by rows: a batch reads as many chunks as it has ids. */
const ROW_READ_BYTES = 256 * 1024;

/** A chunk as chunks of at most `most` bytes. */
export function* cut({ part, byteOffset, bytes }: TensorChunk, most: number): Generator<TensorChunk> {
  // Copies, since a database stores the whole buffer of a view.
  for (let at = 0; at < bytes.byteLength; at += most)
    yield {
      part,
      byteOffset: byteOffset + at,
      bytes: bytes.byteLength <= most ? bytes : bytes.slice(at, at + most),
    };
}

/** GGUF blocks as they are, rows in the Hub's order. */
async function* blockChunks(
  tensor: SourceTensor,
  onRead?: (bytes: number) => void,
): AsyncGenerator<TensorChunk> {
  let byteOffset = 0;
  let first = 0;
  for await (const { blocks, values, sourceBytes } of blockPieces(tensor)) {
    checkFinite(values, first, tensor);
    onRead?.(sourceBytes);
    yield { part: 'data', byteOffset, bytes: blocks };
    byteOffset += blocks.byteLength;
    first += values.length;
  }
}

/** Elements as they are stored: as they were read, or rounded to float16 where that was decided. */
function storedBytesOf(
  elements: Float32Array | Uint16Array,
  info: TensorInfo,
  first: number,
  tensor: SourceTensor,
): Uint8Array {
  let stored: Float32Array | Uint16Array = elements;
  if (info.kind === 'f16' && elements instanceof Float32Array) {
    stored = toFloat16(elements);
    if (hasNonFinite('F16', stored)) checkFinite(toFloat32('F16', bytesOf(stored)), first, tensor);
  }
  return bytesOf(stored);
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array | Uint16Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/**
 * A weight that is in NF4 already: its codes are kept, each scale is repeated for every block of 64 that it
 * covers.
 */
async function* quantizedChunks(
  tensor: SourceTensor,
  { blocksPerScale, absmax, nested }: Nf4Scales<SourceTensor>,
  info: TensorInfo,
  onRead?: (bytes: number) => void,
): AsyncGenerator<TensorChunk> {
  for (let at = tensor.begin; at < tensor.end; at += READ_BYTES) {
    const bytes = await readBytes(tensor, at, Math.min(at + READ_BYTES, tensor.end));
    onRead?.(bytes.byteLength);
    yield { part: 'packed', byteOffset: at - tensor.begin, bytes };
  }
  const parts = tensorPartBytes(info);
  const floats = async (scales: SourceTensor) => {
    const values = toFloat32('F32', await readBytes(scales, scales.begin, scales.end));
    checkFinite(values, 0, scales);
    return values;
  };
  if (!nested) {
    yield {
      part: 'absmax',
      byteOffset: 0,
      bytes: new Uint8Array(repeat(await floats(absmax), blocksPerScale, parts.absmax! / 4).buffer),
    };
    return;
  }
  yield {
    part: 'absmax_q',
    byteOffset: 0,
    bytes: repeat(await readBytes(absmax, absmax.begin, absmax.end), blocksPerScale, parts.absmax_q!),
  };
  const nested_absmax = repeat(await floats(nested.absmax), blocksPerScale, parts.nested! / 4 - 1);
  yield {
    part: 'nested',
    byteOffset: 0,
    bytes: nestedBytes({ nested_offset: nested.offset, nested_absmax }),
  };
}

/** Each value `times` over, `length` in all. */
function repeat<T extends Uint8Array | Float32Array>(values: T, times: number, length: number): T {
  const result = new (values.constructor as new (length: number) => T)(length);
  for (let i = 0; i < length; i++) result[i] = values[Math.floor(i / times)];
  return result;
}

/** A view of the bytes for quantisation and checks; 16-bit values are not converted to float32. */
function elementsOf(
  dtype: SafetensorsDtype,
  bytes: Uint8Array,
): { dtype: BlockDtype; elements: Float32Array | Uint16Array } {
  if (dtype !== 'F16' && dtype !== 'BF16') return { dtype: 'F32', elements: toFloat32(dtype, bytes) };
  return { dtype, elements: new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 2) };
}

/** The 'nested' part: float32 [offset, nested_absmax...]. */
export function nestedBytes({ nested_offset, nested_absmax }: Omit<QuantizedScales, 'absmax_q'>): Uint8Array {
  return new Uint8Array(new Float32Array([nested_offset, ...nested_absmax]).buffer);
}

function checkFinite(values: Float32Array, first: number, tensor: SourceTensor): void {
  for (let i = 0; i < values.length; i++) {
    if (values[i] - values[i] !== 0) {
      throw new UserError(
        `${fileName(tensor.file.path)}: tensor ${tensor.name} holds ${values[i]} at element ${first + i}. The checkpoint is damaged or was saved from a diverged run: use another copy.`,
      );
    }
  }
}
