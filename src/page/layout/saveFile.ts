/** Hands a file to the person as a download. */
export function save(name: string, contents: string | Uint8Array, type: string): void {
  const url = URL.createObjectURL(new Blob([contents as BlobPart], { type }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** Whether this browser can write into a folder that the person picks. */
export const canSaveFolder = 'showDirectoryPicker' in globalThis;

/** Writes files into a folder that the person picks. @returns false where the person cancelled */
export async function saveFolder(files: ReadonlyMap<string, Uint8Array>): Promise<boolean> {
  const pick = (
    globalThis as unknown as { showDirectoryPicker(options: object): Promise<FileSystemDirectoryHandle> }
  ).showDirectoryPicker;
  let folder: FileSystemDirectoryHandle;
  try {
    folder = await pick({ mode: 'readwrite' });
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') return false;
    throw error;
  }
  for (const [name, bytes] of files) {
    const writable = await (await folder.getFileHandle(name, { create: true })).createWritable();
    await writable.write(bytes as Uint8Array<ArrayBuffer>);
    await writable.close();
  }
  return true;
}
