/**
 * The GGUF format (github.com/ggml-org/ggml, docs/gguf.md), versions 2 and 3, little-endian: the header with
 * its metadata and the index of tensors, checked. Of the tensors' data nothing is read.
 */
import { UserError } from '../../lib/errors.ts';
import { Cursor, NeedsMore, type GgufValue } from './ggufCursor.ts';
import { GGUF_FORMATS, UNREAD_GGUF_TYPES, type GgufBlockFormat } from '../../quant/ggufBlocks.ts';

export type { GgufValue };

export interface GgufTensor {
  name: string;
  /** Row-major, as torch has it: GGUF's own order reversed. */
  shape: number[];
  /** ggml_type, and the format that it stands for. */
  ggmlType: number;
  format: GgufBlockFormat;
  /** First and one past the last byte in the file. */
  begin: number;
  end: number;
}

export interface GgufFile {
  metadata: Map<string, GgufValue>;
  /** Where each value lies in the file, its type ahead of it: first byte and one past the last. */
  valueRanges: Map<string, [begin: number, end: number]>;
  tensors: GgufTensor[];
}

const MAGIC = 0x46554747;
const FIRST_READ = 4 * 1024 * 1024;
/** A vocabulary of 262,144 words with its merges takes about 12 MB; a header beyond this is not believed. */
const HEADER_LIMIT = 512 * 1024 * 1024;
const MOST_TENSORS = 65536;
const MOST_KEYS = 65536;
const LONGEST_KEY = 65535;
const MOST_DIMENSIONS = 4;
const DEFAULT_ALIGNMENT = 32;

/** Whether a file begins as a GGUF does, whatever its name (Ollama's blobs have no ending). */
export async function isGguf(file: Blob): Promise<boolean> {
  const bytes = await file.slice(0, 4).arrayBuffer();
  return bytes.byteLength === 4 && new DataView(bytes).getUint32(0, true) === MAGIC;
}

/** @param name for messages @throws UserError naming the file and what is wrong with it */
export async function readGguf(file: Blob, name: string): Promise<GgufFile> {
  for (let size = FIRST_READ; ; size *= 2) {
    const bytes = await file.slice(0, Math.min(size, file.size)).arrayBuffer();
    try {
      return parse(new Cursor(bytes, file.size, name));
    } catch (error) {
      if (!(error instanceof NeedsMore)) throw error;
      if (size >= file.size)
        throw new UserError(`${name}: the file is cut off inside its header. Download the file again.`);
      if (size >= HEADER_LIMIT)
        throw new UserError(
          `${name}: its header is longer than ${HEADER_LIMIT} bytes. Download the file again.`,
        );
    }
  }
}

function parse(cursor: Cursor): GgufFile {
  if (cursor.uint32() !== MAGIC) cursor.fail('this is not a GGUF file (it does not begin with "GGUF").');
  const version = cursor.uint32();
  if (version >>> 0 >= 0x01000000)
    throw new UserError(
      `${cursor.name} is a big-endian GGUF, which Finetab does not read. Convert it again.`,
    );
  if (version !== 2 && version !== 3)
    throw new UserError(
      `${cursor.name} is GGUF version ${version}; Finetab reads 2 and 3. Convert the model again.`,
    );
  const tensorCount = cursor.count('its number of tensors', 24, MOST_TENSORS);
  const keyCount = cursor.count('its number of metadata keys', 13, MOST_KEYS);
  const metadata = new Map<string, GgufValue>();
  const valueRanges: GgufFile['valueRanges'] = new Map();
  for (let i = 0; i < keyCount; i++) {
    const key = cursor.string(`the name of metadata key ${i}`, LONGEST_KEY);
    if (metadata.has(key)) cursor.fail(`the metadata key ${key} is there twice.`);
    const begin = cursor.position;
    metadata.set(key, cursor.value(cursor.uint32(), key));
    valueRanges.set(key, [begin, cursor.position]);
  }
  const alignment = metadata.get('general.alignment') ?? DEFAULT_ALIGNMENT;
  if (typeof alignment !== 'number' || alignment < 8 || alignment % 8 !== 0)
    return cursor.fail(`general.alignment is ${JSON.stringify(alignment)}, but must be a multiple of 8.`);
  const entries = Array.from({ length: tensorCount }, (_, i) => readEntry(cursor, i));
  return { metadata, valueRanges, tensors: place(cursor, entries, alignment) };
}

/** An entry of the index: `offset` counts from where the data begins. */
type Entry = Omit<GgufTensor, 'begin' | 'end'> & { offset: number; bytes: number };

function readEntry(cursor: Cursor, i: number): Entry {
  const name = cursor.string(`the name of tensor ${i}`, LONGEST_KEY);
  const dimensions = cursor.uint32();
  if (dimensions < 1 || dimensions > MOST_DIMENSIONS)
    cursor.fail(`tensor ${name} has ${dimensions} dimensions, which cannot be.`);
  const shape = Array.from({ length: dimensions }, () => cursor.whole(`a size of tensor ${name}`)).reverse();
  const type = cursor.uint32();
  const format = GGUF_FORMATS.get(type);
  if (!format) {
    const known = UNREAD_GGUF_TYPES.get(type);
    const read = [...GGUF_FORMATS.values()].map((each) => each.name).join(', ');
    throw new UserError(
      `${cursor.name}: tensor ${name} is quantised as ${known ?? `the unknown type ${type}`}, which Finetab does not read. Choose a file of the model in another quantisation (${read} are read).`,
    );
  }
  const count = shape.reduce((a, b) => a * b, 1);
  if (count < 1 || !Number.isSafeInteger(count))
    cursor.fail(`tensor ${name} has the shape [${shape}], which cannot be.`);
  if (shape.at(-1)! % format.elements !== 0)
    cursor.fail(`tensor ${name} has rows of ${shape.at(-1)}, which are no whole ${format.name} blocks.`);
  const bytes = (count / format.elements) * format.bytes;
  return { name, shape, ggmlType: type, format, offset: cursor.whole(`the offset of tensor ${name}`), bytes };
}

/** Where each tensor lies; they must be aligned, apart and within the file. */
function place(cursor: Cursor, entries: readonly Entry[], alignment: number): GgufTensor[] {
  const data = Math.ceil(cursor.position / alignment) * alignment;
  const names = new Set<string>();
  let end = data;
  let before = '';
  const ordered = entries.toSorted((a, b) => a.offset - b.offset);
  for (const { name, offset, bytes } of ordered) {
    if (names.has(name)) cursor.fail(`tensor ${name} is there twice.`);
    names.add(name);
    if (offset % alignment !== 0)
      cursor.fail(`tensor ${name} lies at ${offset}, which is no multiple of ${alignment}.`);
    if (data + offset < end) cursor.fail(`tensors ${before} and ${name} overlap.`);
    end = data + offset + bytes;
    if (end > cursor.fileSize) {
      const last = ordered.at(-1)!;
      const missing = data + last.offset + last.bytes - cursor.fileSize;
      cursor.fail(`the file is cut off: ${missing} bytes are missing, from tensor ${name} on.`);
    }
    before = name;
  }
  return entries.map(({ name, shape, ggmlType, format, offset, bytes }) => ({
    name,
    shape,
    ggmlType,
    format,
    begin: data + offset,
    end: data + offset + bytes,
  }));
}
