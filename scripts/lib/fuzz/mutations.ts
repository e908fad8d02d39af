/**
 * Small changes of real files, as data: fast-check generates them and shrinks them to the fewest that matter.
 */
import * as fc from 'fast-check';

/** One change of bytes. `at` is a place between 0 and 1. */
export type ByteChange =
  | { kind: 'set'; at: number; bytes: number[] }
  | { kind: 'cut'; at: number; length: number }
  | { kind: 'insert'; at: number; bytes: number[] }
  | { kind: 'repeat'; at: number; length: number; times: number }
  | { kind: 'end'; at: number };

/** Uniform, which fc.double is not: it favours what is close to 0. */
const place = fc.integer({ min: 0, max: 999_999 }).map((millionths) => millionths / 1e6);
const byte = fc.integer({ min: 0, max: 255 });
/** Numbers at which parsers break, as 1, 4 or 8 bytes, little-endian. */
const extremes = fc.constantFrom(
  ...['00', 'ff', '7f', '80', '01000000', 'ffffffff', 'ffffff7f', '00000080', '00000100'],
  ...['ffffffffffffffff', 'ffffffffffffff7f', '0000000000000040', '0000000000002000', '0000000001000000'],
);
const bytes = fc.oneof(
  fc.array(byte, { minLength: 1, maxLength: 8 }),
  extremes.map((hex) => [...Buffer.from(hex, 'hex')]),
);
export const byteChanges = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ kind: fc.constant('set' as const), at: place, bytes }) },
    fc.record({ kind: fc.constant('cut' as const), at: place, length: fc.integer({ min: 1, max: 64 }) }),
    fc.record({ kind: fc.constant('insert' as const), at: place, bytes }),
    fc.record({
      kind: fc.constant('repeat' as const),
      at: place,
      length: fc.integer({ min: 1, max: 256 }),
      times: fc.integer({ min: 1, max: 20 }),
    }),
    fc.record({ kind: fc.constant('end' as const), at: place }),
  ),
  { minLength: 1, maxLength: 3 },
);

/** @param head changes fall into the first so many bytes most of the time */
export function changeBytes(
  base: Uint8Array,
  changes: readonly ByteChange[],
  head = base.length,
): Uint8Array<ArrayBuffer> {
  let out = Buffer.from(base);
  for (const change of changes) {
    const at = Math.floor(change.at * Math.min(head, out.length));
    switch (change.kind) {
      case 'set':
        change.bytes.forEach((value, i) => at + i < out.length && (out[at + i] = value));
        break;
      case 'cut':
        out = Buffer.concat([out.subarray(0, at), out.subarray(at + change.length)]);
        break;
      case 'insert':
        out = Buffer.concat([out.subarray(0, at), Buffer.from(change.bytes), out.subarray(at)]);
        break;
      case 'repeat': {
        const part = out.subarray(at, at + change.length);
        const parts = Array.from({ length: change.times }, () => part);
        out = Buffer.concat([out.subarray(0, at), ...parts, out.subarray(at)]);
        break;
      }
      case 'end':
        out = out.subarray(0, at);
    }
  }
  return new Uint8Array(out);
}

/** One change of a JSON value: the node at `at`, in the order of a walk, gets another value or goes. */
export interface JsonChange {
  at: number;
  value: unknown;
  remove: boolean;
}

const nasty = fc.constantFrom<unknown>(
  ...[null, true, false, 0, -1, -5, 0.5, 1e12, 1e15, 1e308, -1e308, 2 ** 31, 2 ** 53, 1e-320],
  ...['', 'x', '__proto__', 'constructor', '\u0000', '\ud800', 'a'.repeat(5000), '<img src=x>', '{{', '('],
  ...[[], {}, [null], [[]], { __proto__: null }, { type: 'Sequence' }, [1, -1], 'toString'],
);
export const jsonChanges = fc.array(fc.record({ at: place, value: nasty, remove: fc.boolean() }), {
  minLength: 1,
  maxLength: 3,
});

/** @param depth nodes below are left alone, so that a vocabulary does not draw all changes */
export function changeJson(base: unknown, changes: readonly JsonChange[], depth = 6): unknown {
  const value = structuredClone(base);
  for (const change of changes) {
    const slots: [Record<string, unknown>, string][] = [];
    collect(value, depth, slots);
    const slot = slots[Math.floor(change.at * slots.length)];
    if (!slot) continue;
    const [parent, key] = slot;
    if (change.remove) {
      if (Array.isArray(parent)) parent.splice(Number(key), 1);
      else delete parent[key];
    } else {
      // A copy of its own: a list that is put into itself cannot be written as JSON.
      parent[key] = structuredClone(change.value);
    }
  }
  return value;
}

function collect(value: unknown, depth: number, slots: [Record<string, unknown>, string][]): void {
  if (typeof value !== 'object' || value === null || depth === 0) return;
  const keys = Object.keys(value);
  // Of a long list a few stand for all.
  const step = Math.max(1, Math.floor(keys.length / 40));
  for (let i = 0; i < keys.length; i += step) {
    const key = keys[i];
    slots.push([value as Record<string, unknown>, key]);
    collect((value as Record<string, unknown>)[key], depth - 1, slots);
  }
}
