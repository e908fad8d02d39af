import { sha256Hex } from './sha256.ts';

/**
 * SHA-256 of a structured-cloneable value: of its numbers, texts, lists, maps, objects (in the order of their
 * keys) and typed arrays. Equal content gives an equal hash.
 */
export async function contentHash(value: unknown): Promise<string> {
  const arrays: Uint8Array[] = [];
  const form = (inner: unknown): unknown => {
    if (ArrayBuffer.isView(inner)) {
      arrays.push(new Uint8Array(inner.buffer, inner.byteOffset, inner.byteLength));
      return { array: arrays.length - 1, of: inner.constructor.name };
    }
    if (inner instanceof Map) return { map: [...inner].map(([key, item]) => [form(key), form(item)]) };
    if (Array.isArray(inner)) return inner.map(form);
    // JSON knows no NaN and no undefined.
    if (typeof inner !== 'object' || inner === null) return typeof inner === 'string' ? inner : String(inner);
    return {
      object: Object.keys(inner)
        .sort()
        .map((key) => [key, form((inner as Record<string, unknown>)[key])]),
    };
  };
  const shape = JSON.stringify(form(value));
  const hashes = await Promise.all(arrays.map(sha256Hex));
  return sha256Hex(new TextEncoder().encode(shape + hashes.join()));
}
