/** Writes a `.finetab` bundle piece by piece. The same contents give the same bytes. */
import { sha256Hex } from '../../lib/sha256.ts';
import { sha256OfBlob } from '../../lib/sha256Stream.ts';
import { UserError } from '../../lib/errors.ts';
import { LARGEST_ZIP, streamZip, type StreamedFile } from '../zip.ts';
import { bundleHeader, HEADER_NAME } from './bundleLayout.ts';
import {
  BUNDLE_FORMAT,
  BUNDLE_VERSION,
  PATHS,
  type BundledModel,
  type BundleManifest,
} from './bundleManifest.ts';

/** A tensor as it is stored, whose chunks have their hashes already. */
interface TensorToBundle extends Omit<BundledModel['tensors'][number], 'chunks'> {
  chunks: (Omit<BundledModel['tensors'][number]['chunks'][number], 'path'> & {
    byteLength: number;
    sha256: string;
  })[];
}

export interface ModelToBundle extends Omit<BundledModel, 'texts' | 'tensors'> {
  texts: Readonly<Record<string, string>>;
  tensors: readonly TensorToBundle[];
}

export interface BundleContents {
  title: string;
  model: ModelToBundle;
  /** Of the model. @throws UserError where it is gone or damaged */
  readChunk(tensor: string, index: number): Promise<Uint8Array>;
  /** recipe.json */
  recipe: string;
  data: readonly { name: string; blob: Blob }[];
  /** Markdown. */
  lesson: string | null;
}

/** Bytes of a data file that are read at once. */
const READ_BYTES = 2 ** 22;

/**
 * The bundle's files in their order, for streamZip.
 * @throws UserError where a part cannot be read, or all of them are more than a zip holds
 */
export async function bundleFiles(contents: BundleContents): Promise<StreamedFile[]> {
  const files: StreamedFile[] = [];
  const parts: BundleManifest['parts'] = [];
  const add = (file: StreamedFile, sha256: string): string => {
    files.push(file);
    parts.push({ path: file.path, bytes: file.bytes, sha256 });
    return file.path;
  };
  const addText = async (path: string, text: string): Promise<string> => {
    const bytes = new TextEncoder().encode(text);
    return add({ path, bytes: bytes.byteLength, pieces: () => [bytes] }, await sha256Hex(bytes));
  };
  const recipe = await addText(PATHS.recipe, contents.recipe);
  const lesson = contents.lesson === null ? null : await addText(PATHS.lesson, contents.lesson);
  const texts: Record<string, string> = {};
  for (const [name, text] of Object.entries(contents.model.texts))
    texts[name] = await addText(`tokenizer/${name}`, text);
  const data: BundleManifest['data'] = [];
  for (const [i, { name, blob }] of contents.data.entries()) {
    const path = `data/${i + 1}/${name}`;
    add({ path, bytes: blob.size, pieces: () => piecesOf(blob) }, await sha256OfBlob(blob));
    data.push({ name, path });
  }
  const tensors = contents.model.tensors.map(({ name, shape, kind, byRows, chunks }) => ({
    name,
    shape: [...shape],
    kind,
    ...(byRows && { byRows }),
    chunks: chunks.map(({ part, byteOffset, byteLength, sha256 }, index) => {
      const path = `weights/${String(parts.length + 1).padStart(6, '0')}`;
      async function* pieces(): AsyncGenerator<Uint8Array> {
        yield await contents.readChunk(name, index);
      }
      return { part, byteOffset, path: add({ path, bytes: byteLength, pieces }, sha256) };
    }),
  }));
  const { id, name, quantization, revision, licence, config, files: sources, unverified } = contents.model;
  const manifest: BundleManifest = {
    format: BUNDLE_FORMAT,
    version: BUNDLE_VERSION,
    title: contents.title,
    model: {
      id,
      name,
      quantization,
      ...(revision !== undefined && { revision }),
      ...(licence !== undefined && { licence }),
      config,
      texts,
      files: [...sources],
      ...(unverified && { unverified: [...unverified] }),
      unusedTensors: [...contents.model.unusedTensors],
      tensors,
    },
    recipe,
    data,
    lesson,
    parts,
  };
  const total = parts.reduce((sum, { bytes }) => sum + bytes, 0);
  if (total > LARGEST_ZIP)
    throw new UserError(
      `The bundle would have ${(total / 2 ** 30).toFixed(1)} GiB, and a bundle holds 4 GiB. Take a smaller model, or fewer data files.`,
    );
  const json = new TextEncoder().encode(JSON.stringify(manifest));
  const header = bundleHeader(json.byteLength, await sha256Hex(json));
  return [
    { path: HEADER_NAME, bytes: header.byteLength, pieces: () => [header] },
    { path: PATHS.manifest, bytes: json.byteLength, pieces: () => [json] },
    ...files,
  ];
}

async function* piecesOf(blob: Blob): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < blob.size; at += READ_BYTES)
    yield new Uint8Array(await blob.slice(at, at + READ_BYTES).arrayBuffer());
}

/** Writes the bundle. @param write is called with one piece after the other, none over 16 MiB */
export async function writeBundle(
  contents: BundleContents,
  write: (bytes: Uint8Array) => void | Promise<void>,
): Promise<void> {
  await streamZip(await bundleFiles(contents), write);
}
