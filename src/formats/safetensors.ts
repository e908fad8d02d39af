/** The safetensors format (github.com/huggingface/safetensors): checked reading of headers, and writing. */
import { UserError } from '../lib/errors.ts';
import { FLOAT_BYTES, floatsOf, type FloatFormat } from '../quant/floatFormats.ts';

export const DTYPE_BYTES = {
  F64: 8,
  F32: 4,
  F16: 2,
  BF16: 2,
  I64: 8,
  I32: 4,
  I16: 2,
  I8: 1,
  U64: 8,
  U32: 4,
  U16: 2,
  U8: 1,
  BOOL: 1,
  F8_E4M3: 1,
  F8_E5M2: 1,
} as const;
export type SafetensorsDtype = keyof typeof DTYPE_BYTES;

export interface SafetensorsEntry {
  name: string;
  dtype: SafetensorsDtype;
  shape: number[];
  /** First and one past the last byte in the file. */
  begin: number;
  end: number;
}

const HEADER_LIMIT = 100_000_000;
const AGAIN = 'Download the file again.';

/**
 * Reads and checks a file's header, without reading any tensor data.
 * @throws UserError naming the file, the tensor and what is wrong
 */
export async function readSafetensorsHeader(file: Blob, name: string): Promise<SafetensorsEntry[]> {
  const fail = (what: string): never => {
    throw new UserError(`${name}: ${what} ${AGAIN}`);
  };
  if (file.size < 8) fail(`the file has ${file.size} bytes, too few for a safetensors header.`);
  const length = Number(new DataView(await file.slice(0, 8).arrayBuffer()).getBigUint64(0, true));
  if ((await file.slice(0, 23).text()) === 'version https://git-lfs') {
    throw new UserError(
      `${name} is a Git LFS pointer, not the file itself. Run "git lfs pull" in the folder, or download the file from the Hub.`,
    );
  }
  if (length > HEADER_LIMIT || length < 2)
    fail(`this is not a safetensors file (its header would be ${length} bytes long).`);
  if (8 + length > file.size)
    fail(`the file is cut off inside its header: ${8 + length - file.size} bytes are missing.`);
  const data = 8 + length;
  let header: unknown;
  try {
    header = JSON.parse(
      new TextDecoder('utf-8', { fatal: true }).decode(await file.slice(8, data).arrayBuffer()),
    );
  } catch {
    fail('its header is not JSON.');
  }
  if (typeof header !== 'object' || header === null || Array.isArray(header))
    fail('its header is not a JSON object.');
  const entries: SafetensorsEntry[] = [];
  for (const [tensor, value] of Object.entries(header as Record<string, unknown>)) {
    if (tensor === '__metadata__') continue;
    const {
      dtype,
      shape,
      data_offsets: offsets,
    } = (value ?? {}) as { dtype?: unknown; shape?: unknown; data_offsets?: unknown };
    if (typeof dtype !== 'string' || !(dtype in DTYPE_BYTES))
      fail(`tensor ${tensor} has the unknown dtype ${JSON.stringify(dtype)}.`);
    if (!isNaturals(shape)) fail(`tensor ${tensor} has no valid shape (${JSON.stringify(shape)}).`);
    if (!isRange(offsets)) return fail(`tensor ${tensor} has no valid offsets (${JSON.stringify(offsets)}).`);
    const [begin, end] = offsets;
    const expected = (shape as number[]).reduce((a, b) => a * b, 1) * DTYPE_BYTES[dtype as SafetensorsDtype];
    if (end - begin !== expected)
      fail(
        `the header gives tensor ${tensor} ${end - begin} bytes, but its shape [${shape as number[]}] in ${dtype as string} needs ${expected}.`,
      );
    entries.push({
      name: tensor,
      dtype: dtype as SafetensorsDtype,
      shape: shape as number[],
      begin: data + begin,
      end: data + end,
    });
  }
  const ordered = entries.toSorted((a, b) => a.begin - b.begin || a.end - b.end);
  let at = data;
  for (const entry of ordered) {
    if (entry.begin !== at)
      fail(
        `the header's offsets ${entry.begin < at ? 'overlap' : 'leave a gap'} before tensor ${entry.name}.`,
      );
    at = entry.end;
    if (at > file.size)
      fail(
        `the file is cut off: ${ordered.at(-1)!.end - file.size} bytes are missing, from tensor ${entry.name} on.`,
      );
  }
  if (at !== file.size)
    fail(`${file.size - at} bytes follow the last tensor, which the header does not mention.`);
  return entries;
}

/** Where something begins and ends. */
function isRange(value: unknown): value is [number, number] {
  return isNaturals(value) && value.length === 2 && value[0]! <= value[1]!;
}

function isNaturals(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((entry) => Number.isSafeInteger(entry) && entry >= 0);
}

/**
 * Elements of a floating-point dtype as float32, exact except for F64, which is rounded.
 * @throws UserError for integers
 */
export function toFloat32(dtype: SafetensorsDtype, bytes: Uint8Array): Float32Array {
  if (!(dtype in FLOAT_BYTES))
    throw new UserError(
      `${dtype} holds no floating-point weights; Finetab reads ${Object.keys(FLOAT_BYTES).join(', ')}.`,
    );
  return floatsOf(dtype as FloatFormat, bytes);
}

export interface TensorToWrite {
  dtype: 'F32' | 'I32' | 'U8';
  shape: number[];
  data: Float32Array | Int32Array | Uint8Array;
}

/** A tensor that will follow a header. */
export interface SafetensorsSpec {
  dtype: SafetensorsDtype;
  shape: readonly number[];
}

/** Bytes of a tensor's data. */
export function safetensorsBytes({ dtype, shape }: SafetensorsSpec): number {
  return shape.reduce((a, b) => a * b, 1) * DTYPE_BYTES[dtype];
}

/**
 * Names in the order of Python's library: wider dtypes first, then by name. Equal content gives equal bytes.
 */
export function safetensorsOrder(tensors: ReadonlyMap<string, SafetensorsSpec>): string[] {
  return [...tensors]
    .sort(
      ([a, { dtype: x }], [b, { dtype: y }]) =>
        DTYPE_BYTES[y] - DTYPE_BYTES[x] || (a < b ? -1 : a > b ? 1 : 0),
    )
    .map(([name]) => name);
}

/** What comes before the tensors' data, which follows in the order of `safetensorsOrder`, without gaps. */
export function safetensorsHeader(
  tensors: ReadonlyMap<string, SafetensorsSpec>,
  metadata: Record<string, string> = { format: 'pt' },
): Uint8Array {
  const header: Record<string, unknown> = { __metadata__: metadata };
  let at = 0;
  for (const name of safetensorsOrder(tensors)) {
    const spec = tensors.get(name)!;
    const end = at + safetensorsBytes(spec);
    header[name] = { dtype: spec.dtype, shape: spec.shape, data_offsets: [at, end] };
    at = end;
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  const length = Math.ceil(json.byteLength / 8) * 8;
  const bytes = new Uint8Array(8 + length).fill(0x20, 8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length), true);
  bytes.set(json, 8);
  return bytes;
}

/** A whole file in memory. */
export function writeSafetensors(
  tensors: ReadonlyMap<string, TensorToWrite>,
  metadata: Record<string, string> = { format: 'pt' },
): Uint8Array {
  const header = safetensorsHeader(tensors, metadata);
  const order = safetensorsOrder(tensors).map((name) => [name, tensors.get(name)!] as const);
  const bytes = order.reduce((sum, [, tensor]) => sum + safetensorsBytes(tensor), header.byteLength);
  const file = new Uint8Array(bytes);
  file.set(header);
  let offset = header.byteLength;
  for (const [name, { shape, data }] of order) {
    if (data.length !== shape.reduce((a, b) => a * b, 1))
      throw new Error(`${name}: ${data.length} elements for the shape [${shape}]`);
    file.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), offset);
    offset += data.byteLength;
  }
  return file;
}
