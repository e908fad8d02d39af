/**
 * A value whose typed arrays are stored apart from it, in pieces: browsers abort a transaction that writes
 * hundreds of megabytes at once.
 */

/** Bytes of a piece; a value whose arrays have no more is stored as it is. */
export const PIECE_BYTES = 2 ** 24;

const ARRAYS = {
  Float32Array,
  Float64Array,
  Uint8Array,
  Uint16Array,
  Uint32Array,
  Int8Array,
  Int16Array,
  Int32Array,
};

/** Stands for a typed array. Its bytes lie at this offset of all pieces, one after the other. */
interface ArrayPlace {
  storedArray: keyof typeof ARRAYS;
  byteOffset: number;
  byteLength: number;
}

/** @returns the value with an ArrayPlace for each typed array, and the arrays' bytes, not copied */
export function withoutArrays(value: unknown): { value: unknown; arrays: Uint8Array[]; bytes: number } {
  const arrays: Uint8Array[] = [];
  let bytes = 0;
  const placed = mapped(value, (inner) => {
    if (!ArrayBuffer.isView(inner)) return undefined;
    const { name } = inner.constructor;
    if (!(name in ARRAYS)) throw new Error(`no ${name} is stored in pieces`);
    const { buffer, byteOffset, byteLength } = inner;
    arrays.push(new Uint8Array(buffer, byteOffset, byteLength));
    bytes += byteLength;
    return { storedArray: name, byteOffset: bytes - byteLength, byteLength };
  });
  return { value: placed, arrays, bytes };
}

/** The bytes of these arrays, one after the other, as copies of `pieceBytes`; the last may be shorter. */
export function* piecesOf(arrays: readonly Uint8Array[], pieceBytes = PIECE_BYTES): Generator<Uint8Array> {
  let left = arrays.reduce((sum, { byteLength }) => sum + byteLength, 0);
  let [piece, filled] = [new Uint8Array(Math.min(left, pieceBytes)), 0];
  for (const array of arrays)
    for (let at = 0; at < array.byteLength;) {
      const part = array.subarray(at, at + piece.byteLength - filled);
      piece.set(part, filled);
      at += part.byteLength;
      filled += part.byteLength;
      if (filled < piece.byteLength) continue;
      yield piece;
      left -= filled;
      [piece, filled] = [new Uint8Array(Math.min(left, pieceBytes)), 0];
    }
}

/** The value of withoutArrays as it was. @param pieces all, in their order; of any lengths */
export async function withArrays(value: unknown, pieces: AsyncIterable<Uint8Array>): Promise<unknown> {
  const places: { place: ArrayPlace; bytes: Uint8Array }[] = [];
  const whole = mapped(value, (inner) => {
    if (typeof inner !== 'object' || inner === null || !('storedArray' in inner)) return undefined;
    const place = inner as ArrayPlace;
    const bytes = new Uint8Array(place.byteLength);
    places.push({ place, bytes });
    return new ARRAYS[place.storedArray](bytes.buffer);
  });
  let [next, begin] = [0, 0];
  for await (const piece of pieces) {
    const end = begin + piece.byteLength;
    for (; next < places.length; next++) {
      const { place, bytes } = places[next]!;
      const from = Math.max(begin, place.byteOffset);
      const to = Math.min(end, place.byteOffset + place.byteLength);
      if (from < to) bytes.set(piece.subarray(from - begin, to - begin), from - place.byteOffset);
      if (end < place.byteOffset + place.byteLength) break;
    }
    begin = end;
  }
  return whole;
}

/** A copy in which `change` replaced what it does not give undefined for. Maps, lists and plain objects. */
function mapped(value: unknown, change: (inner: unknown) => unknown): unknown {
  const changed = change(value);
  if (changed !== undefined) return changed;
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Map)
    return new Map([...value].map(([key, item]): [unknown, unknown] => [key, mapped(item, change)]));
  if (Array.isArray(value)) return value.map((item) => mapped(item, change));
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, mapped(item, change)]));
}
