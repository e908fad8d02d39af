/** Reads a GGUF's header value by value; no length is believed that the file could not hold. */
import { UserError } from '../../lib/errors.ts';

/** 64-bit integers are numbers; one beyond 2^53 is refused. */
export type GgufValue = number | boolean | string | GgufValue[];

const enum Type {
  Uint8,
  Int8,
  Uint16,
  Int16,
  Uint32,
  Int32,
  Float32,
  Bool,
  String,
  Array,
  Uint64,
  Int64,
  Float64,
}
/** Bytes of an element at least: a string has its length, an array its type and length. */
const LEAST_BYTES = [1, 1, 2, 2, 4, 4, 4, 1, 8, 12, 8, 8, 8];

/** The header goes on past what was read. */
export class NeedsMore extends Error {}

/** Reads numbers and strings in order. */
export class Cursor {
  private readonly view: DataView;
  private at = 0;
  private readonly text = new TextDecoder('utf-8', { fatal: true });

  constructor(
    private readonly bytes: ArrayBuffer,
    readonly fileSize: number,
    readonly name: string,
  ) {
    this.view = new DataView(bytes);
  }

  get position(): number {
    return this.at;
  }

  fail(what: string): never {
    throw new UserError(`${this.name}: ${what} Download the file again.`);
  }

  private take(size: number): number {
    if (this.at + size > this.fileSize)
      this.fail(`the file is cut off inside its header, at byte ${this.at}.`);
    if (this.at + size > this.bytes.byteLength) throw new NeedsMore();
    const at = this.at;
    this.at += size;
    return at;
  }

  uint32(): number {
    return this.view.getUint32(this.take(4), true);
  }

  /** A 64-bit integer that a number holds exactly. */
  whole(what: string, signed = false): number {
    const at = this.take(8);
    const value = signed ? this.view.getBigInt64(at, true) : this.view.getBigUint64(at, true);
    const number = Number(value);
    if (!Number.isSafeInteger(number)) this.fail(`${what} is ${value}, which cannot be.`);
    return number;
  }

  /** A length in elements of at least `bytes` each, which must fit what is left of the file. */
  count(what: string, bytes: number, most = Infinity): number {
    const count = this.whole(what);
    if (count > most || count * bytes > this.fileSize - this.at)
      this.fail(`${what} is ${count}, more than the file can hold.`);
    return count;
  }

  string(what: string, most = Infinity): string {
    const length = this.count(`the length of ${what}`, 1, most);
    const at = this.take(length);
    try {
      return this.text.decode(new Uint8Array(this.bytes, at, length));
    } catch {
      return this.fail(`${what} is not UTF-8.`);
    }
  }

  value(type: number, what: string): GgufValue {
    const { view } = this;
    switch (type) {
      case Type.Uint8:
        return view.getUint8(this.take(1));
      case Type.Int8:
        return view.getInt8(this.take(1));
      case Type.Uint16:
        return view.getUint16(this.take(2), true);
      case Type.Int16:
        return view.getInt16(this.take(2), true);
      case Type.Uint32:
        return this.uint32();
      case Type.Int32:
        return view.getInt32(this.take(4), true);
      case Type.Float32:
        return view.getFloat32(this.take(4), true);
      case Type.Float64:
        return view.getFloat64(this.take(8), true);
      case Type.Bool: {
        const byte = view.getUint8(this.take(1));
        return byte > 1 ? this.fail(`${what} is ${byte}, but it must be 0 or 1.`) : byte === 1;
      }
      case Type.String:
        return this.string(what);
      case Type.Uint64:
        return this.whole(what);
      case Type.Int64:
        return this.whole(what, true);
      case Type.Array: {
        const elementType = this.uint32();
        const bytes = LEAST_BYTES[elementType];
        if (bytes === undefined || elementType === Type.Array)
          return this.fail(`${what} is an array of the unknown type ${elementType}.`);
        const count = this.count(`the length of ${what}`, bytes);
        return Array.from({ length: count }, () => this.value(elementType, what));
      }
      default:
        return this.fail(`${what} has the unknown type ${type}.`);
    }
  }
}
