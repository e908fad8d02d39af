/**
 * Rows of a large table, read from where the table is stored: what a batch needs of an embedding that is
 * never whole in memory. Pieces that were read lately are kept.
 */
import { decodeBlocks, GGUF_BLOCKS } from '../quant/ggufBlocks.ts';
import { toFloat32, type SafetensorsDtype } from './safetensors.ts';
import { isGguf, isNf4, tensorPartBytes, type TensorInfo } from './tensors.ts';

/** A stretch of a table's bytes, in the order of the table. */
export interface TablePiece {
  byteOffset: number;
  byteLength: number;
  read(): Promise<Uint8Array>;
}

/** Bytes of pieces that are kept. */
const CACHE_BYTES = 64 * 1024 * 1024;
/** Pieces that are read at once. */
const READS = 8;

export class TableRows {
  private readonly width: number;
  private readonly rowBytes: number;
  /** By index, the one used last at the end. */
  private readonly cache = new Map<number, Promise<Uint8Array>>();
  private cached = 0;

  /** @param pieces of part 'data', from the first byte to the last */
  constructor(
    private readonly info: TensorInfo,
    private readonly pieces: readonly TablePiece[],
  ) {
    if (isNf4(info.kind)) throw new Error(`${info.name}: rows of NF4 are not read one by one`);
    const [rows = 1, width = 1] = info.shape;
    this.width = width;
    this.rowBytes = tensorPartBytes(info).data! / rows;
  }

  /** @returns [rows.length, width] float32, row-major */
  async read(rows: ArrayLike<number>): Promise<Float32Array> {
    const values = new Float32Array(rows.length * this.width);
    const places = new Map<number, number[]>();
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i]!;
      if (!places.has(row)) places.set(row, []);
      places.get(row)!.push(i);
    }
    const wanted = [...places.keys()].toSorted((a, b) => a - b);
    for (let first = 0; first < wanted.length; first += READS)
      await Promise.all(
        wanted.slice(first, first + READS).map(async (row) => {
          const decoded = this.decode(await this.bytesOf(row));
          for (const place of places.get(row)!) values.set(decoded, place * this.width);
        }),
      );
    return values;
  }

  private decode(bytes: Uint8Array): Float32Array {
    const { kind } = this.info;
    return isGguf(kind)
      ? decodeBlocks(GGUF_BLOCKS.get(kind)!, bytes)
      : toFloat32(kind.toUpperCase() as SafetensorsDtype, bytes);
  }

  /** A copy of one row's bytes, which may lie in several pieces. */
  private async bytesOf(row: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(this.rowBytes);
    const begin = row * this.rowBytes;
    const end = begin + this.rowBytes;
    let index = this.pieces.findLastIndex(({ byteOffset }) => byteOffset <= begin);
    for (let at = begin; at < end; index++) {
      const piece = this.pieces[index];
      if (!piece) throw new Error(`${this.info.name} has no row ${row}`);
      const data = await this.pieceAt(index, piece);
      const part = data.subarray(at - piece.byteOffset, Math.min(end - piece.byteOffset, piece.byteLength));
      bytes.set(part, at - begin);
      at += part.byteLength;
    }
    return bytes;
  }

  private pieceAt(index: number, piece: TablePiece): Promise<Uint8Array> {
    const known = this.cache.get(index);
    this.cache.delete(index);
    const data = known ?? piece.read();
    this.cache.set(index, data);
    if (!known) this.cached += piece.byteLength;
    for (const [oldest] of this.cache) {
      if (this.cached <= CACHE_BYTES || oldest === index) break;
      this.cache.delete(oldest);
      this.cached -= this.pieces[oldest]!.byteLength;
    }
    return data;
  }
}
