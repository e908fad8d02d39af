import { halfToFloat } from '../../src/quant/floatFormats.ts';
import { describe, expect, it } from 'vitest';
import { readSafetensorsHeader, toFloat32, writeSafetensors } from '../../src/formats/safetensors.ts';

const file = (header: unknown, data: number, cut = 0) => {
  const json = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + json.length + data);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, 8);
  return new Blob([bytes.slice(0, bytes.length - cut)]);
};
const tensor = (begin: number, end: number, shape = [2]) => ({
  dtype: 'F32',
  shape,
  data_offsets: [begin, end],
});

describe('safetensors', () => {
  it('reads back what it writes, aligned and in order of names', async () => {
    const bytes = writeSafetensors(
      new Map([
        ['b', { dtype: 'F32', shape: [2, 1], data: new Float32Array([1.5, -2]) }],
        ['a', { dtype: 'U8', shape: [3], data: new Uint8Array([1, 2, 3]) }],
      ]),
    );
    const blob = new Blob([bytes as BlobPart]);
    const entries = new Map((await readSafetensorsHeader(blob, 'x')).map((entry) => [entry.name, entry]));
    const b = entries.get('b')!;
    expect(b.shape).toEqual([2, 1]);
    expect([...toFloat32('F32', bytes.slice(b.begin, b.end))]).toEqual([1.5, -2]);
    const a = entries.get('a')!;
    expect([...bytes.slice(a.begin, a.end)]).toEqual([1, 2, 3]);
  });

  it.each([
    ['a file of 3 bytes', new Blob(['abc']), /3 bytes, too few/],
    ['another format', new Blob(['GGUF\x03\x00\x00\x00aaaaaaaaaaaa']), /not a safetensors file/],
    ['a header cut off', file({ a: tensor(0, 8) }, 0, 10), /cut off inside its header/],
    ['a header that is not JSON', file('{{nonsense}}', 0), /header is not JSON/],
    ['a header that is a list', file([1], 0), /not a JSON object/],
    [
      'data cut off',
      file({ a: tensor(0, 8), b: tensor(8, 16) }, 12),
      /cut off: 4 bytes are missing, from tensor b on/,
    ],
    ['bytes that nothing mentions', file({ a: tensor(0, 8) }, 9), /1 bytes follow the last tensor/],
    ['offsets that overlap', file({ a: tensor(0, 8), b: tensor(4, 12) }, 12), /overlap before tensor b/],
    ['offsets with a gap', file({ a: tensor(0, 8), b: tensor(12, 20) }, 20), /leave a gap before tensor b/],
    [
      'offsets that do not fit the shape',
      file({ a: tensor(0, 8, [3]) }, 8),
      /gives tensor a 8 bytes, but its shape \[3\] in F32 needs 12/,
    ],
    ['offsets backwards', file({ a: tensor(8, 0) }, 8), /no valid offsets/],
    ['a negative shape', file({ a: tensor(0, 8, [-2]) }, 8), /no valid shape/],
    ['an unknown dtype', file({ a: { ...tensor(0, 8), dtype: 'X9' } }, 8), /unknown dtype "X9"/],
  ])('refuses %s and says what to do', async (_, blob, message) => {
    const reading = readSafetensorsHeader(blob, 'model.safetensors');
    await expect(reading).rejects.toThrow(message);
    await expect(reading).rejects.toThrow(/^model\.safetensors: .*Download the file again\.$/);
  });

  it('widens binary16 exactly', () => {
    for (const [bits, value] of [
      [0x3c00, 1],
      [0xc000, -2],
      [0x3555, 0.333251953125],
      [0x0001, 2 ** -24],
      [0x7bff, 65504],
      [0x8000, -0],
      [0x7c00, Infinity],
    ])
      expect(halfToFloat(bits)).toBe(value);
    expect(halfToFloat(0x7e00)).toBeNaN();
  });

  it('widens bfloat16 by its upper half', () => {
    expect([...toFloat32('BF16', new Uint8Array(new Uint16Array([0x3f80, 0xc040]).buffer))]).toEqual([1, -3]);
  });
});
