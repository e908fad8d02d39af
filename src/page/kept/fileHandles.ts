/** What is known of a file beside its bytes: its place on the disk, and whether it is the page's own. */

/** As Chrome and Edge have it; TypeScript's own type lacks the permissions. */
export interface FileHandle {
  getFile(): Promise<File>;
  queryPermission(options: { mode: 'read' }): Promise<PermissionState>;
  requestPermission(options: { mode: 'read' }): Promise<PermissionState>;
}

const handles = new WeakMap<File, FileHandle>();
const own = new WeakSet<File>();

/** The place on the disk of a file that was dropped; undefined where the browser gives none. */
export function handleOf(file: File): FileHandle | undefined {
  return handles.get(file);
}

/** A file of the page itself, such as the demo's: it is nobody's, and kept without being asked for. */
export function markOwn(file: File): File {
  own.add(file);
  return file;
}

export function isOwn(file: File): boolean {
  return own.has(file);
}

/** The handles of what is dropped. They exist during the event only: call it before anything is awaited. */
export function droppedHandles(transfer: DataTransfer): Promise<FileSystemHandle | null>[] {
  return [...transfer.items]
    .filter((item) => item.webkitGetAsEntry() !== null)
    .map((item) => {
      const get = (item as { getAsFileSystemHandle?: () => Promise<FileSystemHandle | null> })
        .getAsFileSystemHandle;
      // A browser may refuse it, as for a file that another program gave: the file is there all the same.
      return get ? get.call(item).catch(() => null) : Promise.resolve(null);
    });
}

/** @param files that a dropped entry held @param root its handle */
export async function rememberHandles(files: readonly File[], root: FileSystemHandle | null): Promise<void> {
  if (!root) return;
  for (const file of files) {
    const folders = file.webkitRelativePath.split('/').slice(1, -1);
    let place = root;
    if (root.kind === 'directory') {
      let folder = root as FileSystemDirectoryHandle;
      for (const name of folders) folder = await folder.getDirectoryHandle(name);
      place = await folder.getFileHandle(file.name);
    }
    handles.set(file, place as unknown as FileHandle);
  }
}

/** A file that was opened by its handle again. */
export function withHandle(file: File, handle: FileHandle): File {
  handles.set(file, handle);
  return file;
}
