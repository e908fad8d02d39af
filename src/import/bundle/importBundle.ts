/**
 * The model of a `.finetab` bundle, stored as it lies there. Every part is checked before it is written, a
 * tensor is either whole or absent, and the model counts as whole only at the end.
 */
import type { Bundle } from '../../formats/bundle/readBundle.ts';
import type { BundledTensor } from '../../formats/bundle/bundleManifest.ts';
import type { TensorChunk } from '../../formats/tensors.ts';
import { UserError } from '../../lib/errors.ts';
import type { Database, ModelManifest, StoredTensor } from '../../storage/database.ts';
import { addTensor, beginModel, completeModel, forgetRecord, putTensor } from '../../storage/models.ts';
import { isDamaged } from '../../storage/storedWeights.ts';
import type { ImportOptions } from '../importModel.ts';
import { checkBundle } from './checkBundle.ts';

type Options = Pick<ImportOptions, 'database' | 'checkRoom' | 'onProgress' | 'locked'>;

/** @throws UserError where a part is damaged, or the parts are no model that can be trained */
export async function importBundle(
  bundle: Bundle,
  { database, checkRoom, onProgress, locked = (_id, work) => work() }: Options,
): Promise<ModelManifest> {
  const { manifest } = bundle;
  const texts: Record<string, string> = {};
  for (const [name, path] of Object.entries(manifest.model.texts)) texts[name] = await bundle.text(path);
  await checkBundle(manifest, texts);
  const { id, name, quantization, revision, licence, config, files, unverified, unusedTensors } =
    manifest.model;
  const fresh: ModelManifest = {
    id,
    name,
    quantization,
    ...(revision !== undefined && { revision }),
    ...(licence !== undefined && { licence }),
    complete: false,
    importedAt: new Date().toISOString(),
    config,
    texts,
    files,
    tensors: [],
    ...(unverified && { unverified }),
    unusedTensors,
    storedBytes: 0,
  };
  return locked(id, async () => storeTensors(bundle, database, fresh, { checkRoom, onProgress }));
}

async function storeTensors(
  bundle: Bundle,
  database: Database,
  fresh: ModelManifest,
  { checkRoom, onProgress }: Pick<Options, 'checkRoom' | 'onProgress'>,
): Promise<ModelManifest> {
  const { tensors } = bundle.manifest.model;
  const stored = await beginModel(database, fresh);
  const there = new Map(stored.tensors.map((tensor) => [tensor.name, tensor]));
  for (const tensor of tensors) {
    const known = there.get(tensor.name);
    if (known && !isSame(bundle, tensor, known))
      throw new UserError(
        `${fresh.name} is stored in this browser already, and its tensor ${tensor.name} is another one. Delete the stored model, then open the bundle again.`,
      );
  }
  if (stored.complete) {
    for (const tensor of tensors) {
      if (!(await isDamaged(database, stored.id, there.get(tensor.name)!))) continue;
      await put(bundle, database, stored.id, tensor);
      await forgetRecord(database, stored.id, tensor.name);
    }
    return stored;
  }
  const missing = tensors.filter(({ name }) => !there.has(name));
  const bytesOf = (some: readonly BundledTensor[]) =>
    some.reduce((sum, { chunks }) => sum + chunks.reduce((s, { path }) => s + bundle.part(path).bytes, 0), 0);
  await checkRoom(bytesOf(missing));
  const total = bytesOf(tensors);
  let done = total - bytesOf(missing);
  for (const tensor of missing) {
    addTensor(stored, await put(bundle, database, stored.id, tensor));
    onProgress?.((done += bytesOf([tensor])), total);
  }
  await completeModel(
    database,
    stored,
    tensors.map(({ name }) => name),
  );
  return stored;
}

function put(bundle: Bundle, database: Database, id: string, tensor: BundledTensor): Promise<StoredTensor> {
  const { chunks, ...info } = tensor;
  async function* read(): AsyncGenerator<TensorChunk> {
    for (const { part, byteOffset, path } of chunks)
      yield { part, byteOffset, bytes: await bundle.read(path) };
  }
  return putTensor(database, id, info, read());
}

/** Whether a stored tensor has the hashes of the bundle's. */
function isSame(bundle: Bundle, { chunks }: BundledTensor, known: StoredTensor): boolean {
  return (
    chunks.length === known.chunks.length &&
    chunks.every(({ path }, i) => bundle.part(path).sha256 === known.chunks[i]?.sha256)
  );
}
