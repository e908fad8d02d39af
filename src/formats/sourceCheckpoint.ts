/**
 * A checkpoint whose header was read: its config, its texts, and where each tensor lies. What every file
 * format is opened to.
 */
import type { Nf4Scales } from './bitsandbytes.ts';
import type { SafetensorsEntry } from './safetensors.ts';

export interface NamedFile {
  /** Path as dropped; only its last part matters. */
  path: string;
  blob: Blob;
  /** SHA-256 of the whole file, hex, where its source gives it. */
  sha256?: string;
  /** Of a file that is downloaded while it is read. */
  download?: FileDownload;
}

/** A download that hashes the file in its order, and can go on after a reload. */
export interface FileDownload {
  /** Bytes from the file's beginning that are hashed; what was read beyond them is not. */
  readonly hashedBytes: number;
  /** Reads what is missing. @throws UserError where the file is not the one that its source lists */
  verify(): Promise<void>;
  /** From now on nothing but what is read is requested, and nothing is hashed: the reader knows its hash. */
  readAlone(): void;
  /** Where it stands, as JSON. */
  state(): string;
  /** Goes on from a state of the same file. */
  restore(state: string): void;
}

/** Where a tensor lies. Plain data, so that a worker can be given it. */
export interface SourceTensor extends SafetensorsEntry {
  file: NamedFile;
  /** Of a weight that is in NF4 already: the bytes are its codes, two a byte, `shape` is the weight's own. */
  nf4?: Nf4Scales<SourceTensor>;
  /** Of a GGUF's tensor. `dtype` is what its blocks are decoded to. */
  gguf?: GgufStorage;
  /** Of an FP8 weight with scales: the decoded weight is F32. */
  fp8?: Fp8Scales<SourceTensor>;
}

/** How a GGUF holds a tensor. */
export interface GgufStorage {
  /** Of its blocks (quant/ggufBlocks.ts). */
  ggmlType: number;
  /** Rows of a head whose order the converter changed from halves to neighbours; 0: as they were. */
  headRows: number;
  /** Whether one was added to every element. */
  plusOne: boolean;
  /** Whether an element x was stored as −exp(x). */
  negatedExp?: boolean;
  /** Value heads that the converter laid in another order. */
  headOrder?: HeadOrder;
}

/**
 * Value heads of `size` rows or columns each from `first` on, which the Hub has by the key head that they
 * share, and a GGUF by their place among the `perKey` heads of a key head.
 */
export interface HeadOrder {
  axis: 'rows' | 'columns';
  first: number;
  keyHeads: number;
  perKey: number;
  size: number;
}

/** One float32 factor a tile of `rows` by `columns` weights, [⌈out/rows⌉, ⌈in/columns⌉]; or one for all. */
export interface Fp8Scales<T> {
  scales: T;
  rows: number;
  columns: number;
}

/** What of a GGUF has no place in a checkpoint of the Hub's form. Plain data. */
export interface GgufSource {
  /** The file, or the first of its parts: the metadata are in it. */
  file: NamedFile;
  /** Tensors that are settings, such as factors of rotary frequencies, under GGUF's own names. */
  settings: readonly { name: string; shape: readonly number[]; data: Float32Array }[];
}

export interface SourceCheckpoint {
  config: Record<string, unknown>;
  tensors: Map<string, SourceTensor>;
  /** Whether some of the tensors are quantised already, in NF4. */
  prequantized: boolean;
  /** Whether it was read from a GGUF. */
  gguf: boolean;
  /** Of a checkpoint that was read from a GGUF. */
  ggufSource?: GgufSource;
  /** Texts of the tokenizer's and template's files that are there, by file name. */
  texts: Record<string, string>;
  /** As its card or its metadata name it; null where they do not. */
  licence: string | null;
  /** The files of the weights, in reading order. */
  weightFiles: NamedFile[];
}

/** The last part of a path. */
export function fileName(path: string): string {
  return path.split('/').at(-1)!;
}

/** Bytes of a card that are read: its settings are at its beginning. */
const READ = 65536;
/** Characters of a licence that are kept. */
const MOST = 80;

/**
 * The licence that the YAML at the beginning of a README.md of the Hub names: `license_name`, else `license`,
 * of a list the first.
 * @returns null where it names none
 */
export async function licenceOfCard(card: Blob): Promise<string | null> {
  const settings = /^\uFEFF?---\r?\n([^]*?)\n---/.exec(await card.slice(0, READ).text())?.[1] ?? '';
  const lines = settings.split(/\r?\n/);
  const value = (key: string) => {
    const at = lines.findIndex((line) => line.startsWith(`${key}:`));
    if (at < 0) return null;
    const here = lines[at]!.slice(key.length + 1).trim();
    const written = here || (/^\s*-(.*)$/.exec(lines[at + 1] ?? '')?.[1] ?? '');
    return shownLicence(written.replace(/\s#.*$/, '').replace(/^[\s["']+|[\s\]"']+$/g, ''));
  };
  return value('license_name') ?? value('license');
}

/** @returns a licence's name, not too long to be shown; null for anything that is no text */
export function shownLicence(value: unknown): string | null {
  return typeof value === 'string' && value.trim() !== '' ? value.trim().slice(0, MOST) : null;
}
