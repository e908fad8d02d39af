/** An import whose files are downloaded while they are read. */
import type { SourceCheckpoint } from '../formats/checkpoint.ts';
import type { TensorInfo } from '../formats/tensors.ts';
import type { Database, ModelManifest, StoredTensor } from '../storage/database.ts';
import { addTensor, findDownload } from '../storage/models.ts';

/**
 * Takes up where unfinished downloads stopped. A tensor that was stored from bytes that no stored hash covers
 * is removed from the manifest, to be imported again.
 */
export async function goOnWithDownloads(
  database: Database,
  manifest: ModelManifest,
  { weightFiles, tensors }: SourceCheckpoint,
): Promise<void> {
  for (const { download, path } of weightFiles) {
    const state = download && (await findDownload(database, manifest.id, path));
    if (state) download.restore(state);
  }
  const isHashed = ({ name }: StoredTensor) => {
    const { file, end } = tensors.get(name)!;
    return !file.download || end <= file.download.hashedBytes;
  };
  const known = manifest.tensors;
  manifest.tensors = [];
  manifest.storedBytes = 0;
  for (const tensor of known) if (isHashed(tensor)) addTensor(manifest, tensor);
}

/** Tensors in the order in which their files hold them: a disk or a download is read from front to back. */
export function inFileOrder(
  infos: readonly TensorInfo[],
  { tensors, weightFiles }: SourceCheckpoint,
): TensorInfo[] {
  const place = new Map(weightFiles.map(({ path }, i) => [path, i]));
  const of = ({ name }: TensorInfo) => tensors.get(name)!;
  return infos.toSorted(
    (a, b) => place.get(of(a).file.path)! - place.get(of(b).file.path)! || of(a).begin - of(b).begin,
  );
}

/** Tensors that are in file order, a list a file. */
export function byFile(infos: readonly TensorInfo[], { tensors }: SourceCheckpoint): TensorInfo[][] {
  const files = new Map<string, TensorInfo[]>();
  for (const info of infos) {
    const { path } = tensors.get(info.name)!.file;
    files.set(path, [...(files.get(path) ?? []), info]);
  }
  return [...files.values()];
}
