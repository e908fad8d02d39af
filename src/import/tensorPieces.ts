/**
 * A tensor's elements as floats, piece by piece, whatever its file holds: plain dtypes as they are, GGUF
 * blocks decoded and their rows put back, FP8 numbers times their factors. No tensor is ever whole in memory.
 */
import {
  fileName,
  type Fp8Scales,
  type GgufStorage,
  type HeadOrder,
  type SourceTensor,
} from '../formats/sourceCheckpoint.ts';
import { headUnits, orderColumns, unpermuteRows } from '../formats/gguf/rowOrder.ts';
import { toFloat32, type SafetensorsDtype } from '../formats/safetensors.ts';
import { UserError } from '../lib/errors.ts';
import { concatenated } from '../lib/concatenated.ts';
import { inOrder } from '../lib/inOrder.ts';
import { decodeBlocks, GGUF_FORMATS } from '../quant/ggufBlocks.ts';

/** Source bytes read at once: a multiple of every dtype's width and of a block's bytes. */
export const READ_BYTES = 4 * 1024 * 1024;
/** Reads under way or waiting for their turn, a tensor. */
const READS_AHEAD = 2;

export interface TensorPiece {
  dtype: SafetensorsDtype;
  bytes: Uint8Array;
  /** Bytes of the source that it took. */
  sourceBytes: number;
}

/** Every piece in order. @throws UserError where the file cannot be read any more */
export async function* tensorPieces(tensor: SourceTensor): AsyncGenerator<TensorPiece> {
  const decode = await decoderOf(tensor);
  let at = 0;
  for await (const piece of sourcePieces(tensor, decode?.readBytes ?? READ_BYTES)) {
    const decoded = decode ? decode.piece(piece, at) : { dtype: tensor.dtype, bytes: piece };
    yield { ...decoded, sourceBytes: piece.byteLength };
    at += piece.byteLength;
  }
}

/** A piece of a GGUF's tensor as its blocks, and as the weights that they hold. */
interface BlockPiece {
  /** Whole rows; but for the last piece a multiple of 4 bytes. */
  blocks: Uint8Array;
  values: Float32Array;
  sourceBytes: number;
}

/** Every piece of a GGUF's tensor in order, its rows put back, its blocks as they are. */
export async function* blockPieces(tensor: SourceTensor): AsyncGenerator<BlockPiece> {
  const { ggmlType, headRows, headOrder } = tensor.gguf!;
  const format = GGUF_FORMATS.get(ggmlType)!;
  const rowBytes = (tensor.shape[1] / format.elements) * format.bytes;
  // Blocks are an even number of bytes, and so two rows a multiple of 4. A head has an even number of rows.
  for await (const piece of sourcePieces(tensor, wholeUnits(rowBytes * Math.max(2, headRows)))) {
    let blocks = headRows > 0 ? unpermuteRows(piece, rowBytes, headRows) : piece;
    // Heads of whole blocks, or the tensor's blocks would not be kept.
    if (headOrder?.axis === 'columns')
      blocks = orderColumns(blocks, rowBytes, format.bytes, inUnitsOf(headOrder, format.elements));
    yield { blocks, values: decodeBlocks(format, blocks), sourceBytes: piece.byteLength };
  }
}

/** A tensor's bytes in the order of the Hub's rows, about so many at once. */
function sourcePieces(tensor: SourceTensor, bytes: number): AsyncGenerator<Uint8Array> {
  const reads = rangesOf(tensor, bytes);
  return inOrder(reads.length, READS_AHEAD, async (i) => {
    const parts = await Promise.all(reads[i].map(([begin, end]) => readBytes(tensor, begin, end)));
    return parts.length === 1 ? parts[0] : concatenated(parts);
  });
}

/** What each read takes: one range, or those of several heads that lie apart. */
function rangesOf(
  { begin, end, shape, gguf }: SourceTensor,
  bytes: number,
): [begin: number, end: number][][] {
  const order = gguf?.headOrder;
  if (order?.axis !== 'rows')
    return Array.from({ length: Math.ceil((end - begin) / bytes) }, (_, i) => [
      [begin + i * bytes, Math.min(begin + (i + 1) * bytes, end)],
    ]);
  const rowBytes = (end - begin) / shape[0];
  const reads: [number, number][][] = [];
  let filled = Infinity;
  for (const [row, rows] of headUnits(order)) {
    if (filled + rows * rowBytes > bytes) {
      reads.push([]);
      filled = 0;
    }
    reads.at(-1)!.push([begin + row * rowBytes, begin + (row + rows) * rowBytes]);
    filled += rows * rowBytes;
  }
  return reads;
}

/** Of columns that are whole blocks of `elements` columns. */
function inUnitsOf(order: HeadOrder, elements: number): HeadOrder {
  return { ...order, first: order.first / elements, size: order.size / elements };
}

/** @throws UserError where the file cannot be read any more */
export async function readBytes({ file }: SourceTensor, begin: number, end: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(await file.blob.slice(begin, end).arrayBuffer());
  if (bytes.byteLength !== end - begin)
    throw new UserError(
      `${fileName(file.path)} changed or became unreadable while it was read. Drop it again.`,
    );
  return bytes;
}

interface Decoder {
  /** Source bytes of a piece: whole rows, or whole heads. */
  readBytes: number;
  /** @param at where the piece begins, in bytes from the tensor's beginning */
  piece(bytes: Uint8Array, at: number): Omit<TensorPiece, 'sourceBytes'>;
}

async function decoderOf(tensor: SourceTensor): Promise<Decoder | null> {
  if (tensor.gguf) return ggufDecoder(tensor, tensor.gguf);
  if (tensor.fp8) return fp8Decoder(tensor, tensor.fp8);
  if (tensor.dtype.startsWith('F8_'))
    return { readBytes: READ_BYTES, piece: (bytes) => floats(toFloat32(tensor.dtype, bytes)) };
  return null;
}

function floats(values: Float32Array): Omit<TensorPiece, 'sourceBytes'> {
  return { dtype: 'F32', bytes: new Uint8Array(values.buffer, values.byteOffset, values.byteLength) };
}

/** Bytes of as many groups of `unit` bytes as a read takes, one at least. */
function wholeUnits(unit: number): number {
  return Math.max(1, Math.floor(READ_BYTES / unit)) * unit;
}

function ggufDecoder({ shape, dtype }: SourceTensor, storage: GgufStorage): Decoder {
  const { ggmlType, headRows, plusOne, negatedExp, headOrder } = storage;
  const format = GGUF_FORMATS.get(ggmlType)!;
  // A vector is one row, unless its elements belong to the rows of heads.
  const width = shape.length > 1 ? shape.slice(1).reduce((a, b) => a * b, 1) : headRows > 0 ? 1 : shape[0];
  const rowBytes = (width / format.elements) * format.bytes;
  return {
    readBytes: wholeUnits(rowBytes * Math.max(1, headRows)),
    piece(bytes) {
      const ordered = headRows > 0 ? unpermuteRows(bytes, rowBytes, headRows) : bytes;
      const columns = headOrder?.axis === 'columns' ? headOrder : null;
      if (dtype !== 'F32' && !columns) return { dtype, bytes: ordered };
      let values = decodeBlocks(format, ordered);
      if (plusOne) values = values.map((value) => value - 1);
      if (negatedExp) values = values.map((value) => Math.log(-value));
      return floats(columns ? orderColumns(values, width, 1, columns) : values);
    },
  };
}

async function fp8Decoder(tensor: SourceTensor, fp8: Fp8Scales<SourceTensor>): Promise<Decoder> {
  const { scales, rows, columns } = fp8;
  const width = tensor.shape[1];
  const factors = toFloat32(scales.dtype, await readBytes(scales, scales.begin, scales.end));
  const perRow = Math.ceil(width / columns);
  return {
    readBytes: wholeUnits(width),
    piece(bytes, at) {
      const values = toFloat32(tensor.dtype, bytes);
      for (let i = 0; i < values.length; i++) {
        const row = Math.floor((at + i) / width);
        const column = (at + i) % width;
        values[i] *= factors[Math.floor(row / rows) * perRow + Math.floor(column / columns)];
      }
      return floats(values);
    },
  };
}
