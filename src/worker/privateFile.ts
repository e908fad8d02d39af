/** A large file that is made piece by piece, in the origin's private file system. */

/** What every browser has in workers only, so that it is not in the page's types. */
interface SyncAccessHandle {
  truncate(size: number): void;
  write(bytes: Uint8Array, options: { at: number }): number;
  close(): void;
}

type Write = (bytes: Uint8Array) => void;

/**
 * The file replaces what its folder held; it is in memory where the browser keeps no data for the page.
 * @param make writes the contents, piece by piece
 */
export async function writePrivateFile(
  folderName: string,
  name: string,
  make: (write: Write) => Promise<void>,
): Promise<File> {
  const root = await privateFiles();
  if (!root) {
    const pieces: Uint8Array<ArrayBuffer>[] = [];
    await make((bytes) => void pieces.push(bytes.slice()));
    return new File(pieces, name);
  }
  await root.removeEntry(folderName, { recursive: true }).catch((error: unknown) => {
    if (!(error instanceof DOMException && error.name === 'NotFoundError')) throw error;
  });
  const folder = await root.getDirectoryHandle(folderName, { create: true });
  const file = await folder.getFileHandle(name, { create: true });
  const handle = await (
    file as unknown as { createSyncAccessHandle(): Promise<SyncAccessHandle> }
  ).createSyncAccessHandle();
  let at = 0;
  try {
    await make((bytes) => {
      at += handle.write(bytes, { at });
    });
  } finally {
    handle.close();
  }
  return file.getFile();
}

/** null where site data is blocked. */
async function privateFiles(): Promise<FileSystemDirectoryHandle | null> {
  try {
    return await navigator.storage.getDirectory();
  } catch (error) {
    if (error instanceof DOMException && error.name === 'SecurityError') return null;
    throw error;
  }
}
