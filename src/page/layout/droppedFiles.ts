import { report } from '../../lib/errorLog.ts';
import { droppedHandles, rememberHandles } from '../kept/fileHandles.ts';

/** Every file of a drop, those inside folders too, each with its path as `webkitRelativePath`. */
export async function droppedFiles(transfer: DataTransfer): Promise<File[]> {
  const entries = [...transfer.items]
    .map((item) => item.webkitGetAsEntry())
    .filter((entry) => entry !== null);
  const handles = droppedHandles(transfer);
  const files = await Promise.all(entries.map(filesUnder));
  try {
    for (const [i, dropped] of files.entries()) await rememberHandles(dropped, await handles[i]);
  } catch (error) {
    // The files themselves are here; only after a reload they are asked for again.
    report(error, 'remembering where dropped files lie', 'warning');
  }
  return files.flat();
}

async function filesUnder(entry: FileSystemEntry): Promise<File[]> {
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) =>
      (entry as FileSystemFileEntry).file(resolve, reject),
    );
    const path = entry.fullPath.replace(/^\//, '');
    if (path.includes('/')) Object.defineProperty(file, 'webkitRelativePath', { value: path });
    return [file];
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const children: FileSystemEntry[] = [];
  // A reader hands out a folder in pieces until it gives an empty one.
  for (;;) {
    const piece = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject),
    );
    if (piece.length === 0) break;
    for (const child of piece) children.push(child);
  }
  return (await Promise.all(children.map(filesUnder))).flat();
}
