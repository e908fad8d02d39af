/** Hands a file to the person as a download. */
export function save(name: string, contents: string | Uint8Array, type: string): void {
  saveBlob(name, new Blob([contents as BlobPart], { type }));
}

/** The same of a blob, which may lie on disk: it is not read into memory. */
export function saveBlob(name: string, blob: Blob): void {
  const url = URL.createObjectURL(blob);
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** Whether this browser can write into a folder that the person picks. */
export const canSaveFolder = 'showDirectoryPicker' in globalThis;

/** @returns the folder that the person picks; null where the person cancelled */
export async function pickFolder(): Promise<FileSystemDirectoryHandle | null> {
  const pick = (
    globalThis as unknown as { showDirectoryPicker(options: object): Promise<FileSystemDirectoryHandle> }
  ).showDirectoryPicker;
  try {
    return await pick({ mode: 'readwrite' });
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') return null;
    throw error;
  }
}

/** Writes files into a folder that the person picks. @returns false where the person cancelled */
export async function saveFolder(files: ReadonlyMap<string, Uint8Array>): Promise<boolean> {
  const folder = await pickFolder();
  if (!folder) return false;
  for (const [name, bytes] of files) {
    const writable = await (await folder.getFileHandle(name, { create: true })).createWritable();
    await writable.write(bytes as Uint8Array<ArrayBuffer>);
    await writable.close();
  }
  return true;
}
