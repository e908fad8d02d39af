/**
 * What an export is made of: files that are written piece by piece, so that no model is ever whole in memory.
 */

export interface ExportFile {
  /** Relative to the export's folder, with `/` between its parts. */
  path: string;
  /** Known before the first piece is made. */
  bytes: number;
  /** The contents in order; may be asked for again. */
  pieces(): AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
  /** What a person must know of the file, in sentences. */
  notes?: readonly string[];
}

/** What a person must know of an export. */
export function notesOf(files: readonly ExportFile[]): string[] {
  return files.flatMap(({ notes = [] }) => notes);
}

/** A file that is small enough to be made at once. */
export function wholeFile(
  path: string,
  contents: Uint8Array | string,
  notes: readonly string[] = [],
): ExportFile {
  const bytes = typeof contents === 'string' ? new TextEncoder().encode(contents) : contents;
  return { path, bytes: bytes.byteLength, pieces: () => [bytes], notes };
}
