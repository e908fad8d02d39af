/** The `.finetab` bundle: written and read piece by piece, refused by name where anything of it is wrong. */
import 'fake-indexeddb/auto';
import { unzipSync } from 'fflate';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { HEADER_END, placeParts, readBundleHeader } from '../../src/formats/bundle/bundleLayout.ts';
import { Bundle, blobSource, readAhead } from '../../src/formats/bundle/readBundle.ts';
import { writeBundle } from '../../src/formats/bundle/writeBundle.ts';
import { concatenated } from '../../src/lib/concatenated.ts';
import { importBundle } from '../../src/import/bundle/importBundle.ts';
import { importModel } from '../../src/import/importModel.ts';
import type { Database, ModelManifest } from '../../src/storage/database.ts';
import { findModel, listModels } from '../../src/storage/models.ts';
import { openDatabase } from '../../src/storage/openDatabase.ts';
import { bundleContents } from '../../src/export/bundle/bundleContents.ts';
import { tinyModelFiles } from '../helpers/tinyModel.ts';

const RECIPE = '{"model":"tiny"}\n';
const DATA = '{"query":"a","response":"b"}\n'.repeat(500);
const LESSON = '# A lesson\n\nWith *words*.\n';
let count = 0;
const newDatabase = () => openDatabase(`bundle ${count++}`);
const checkRoom = async () => undefined;

let source: Database;
let model: ModelManifest;
let bytes: Uint8Array<ArrayBuffer>;
let largestPiece = 0;

beforeAll(async () => {
  source = await newDatabase();
  model = await importModel({
    files: tinyModelFiles(),
    name: 'tiny',
    quantization: 'nf4',
    database: source,
    checkRoom,
  });
  bytes = await made();
});

async function made(): Promise<Uint8Array<ArrayBuffer>> {
  const pieces: Uint8Array[] = [];
  const contents = await bundleContents(source, model.id, {
    title: 'A class',
    recipe: RECIPE,
    lesson: LESSON,
    data: [{ name: 'rows.jsonl', blob: new Blob([DATA]) }],
  });
  await writeBundle(contents, (piece) => {
    largestPiece = Math.max(largestPiece, piece.byteLength);
    pieces.push(piece.slice());
  });
  return concatenated(pieces);
}

const open = (from: Uint8Array<ArrayBuffer> = bytes) =>
  Bundle.open(blobSource(new Blob([from]), 'class.finetab'));
const bring = async (database: Database, from?: Uint8Array<ArrayBuffer>) =>
  importBundle(await open(from), { database, checkRoom });

describe('a bundle', () => {
  let database: Database;
  beforeEach(async () => {
    database = await newDatabase();
  });

  it('brings the model to another browser, chunk by chunk the same', async () => {
    const bundle = await open();
    expect(await bundle.text(bundle.manifest.recipe)).toBe(RECIPE);
    expect(await bundle.text(bundle.manifest.lesson!)).toBe(LESSON);
    expect(await (await bundle.blob(bundle.manifest.data[0].path)).text()).toBe(DATA);
    const brought = await bring(database);
    expect({ ...brought, importedAt: '' }).toEqual({ ...model, importedAt: '' });
    for (const { name, chunks } of model.tensors)
      for (const index of chunks.keys())
        expect(await database.get('chunks', [model.id, name, index])).toEqual(
          await source.get('chunks', [model.id, name, index]),
        );
  });

  it('has the same bytes when it is made again, in pieces of at most 16 MiB', async () => {
    expect(Buffer.compare(await made(), bytes)).toBe(0);
    expect(largestPiece).toBeLessThanOrEqual(2 ** 24);
  });

  it('is a zip that another program opens, with its parts where the layout says', async () => {
    const files = unzipSync(bytes);
    const header = readBundleHeader(bytes.subarray(0, HEADER_END), 'x');
    const { manifest } = await open();
    expect(Object.keys(files)).toEqual([
      'finetab-bundle',
      'manifest.json',
      ...manifest.parts.map(({ path }) => path),
    ]);
    for (const { path, begin, bytes: length } of placeParts(header, manifest.parts))
      expect(Buffer.compare(bytes.subarray(begin, begin + length), files[path]), path).toBe(0);
  });

  it('of more than a zip holds is refused before a byte of it is written', async () => {
    const contents = await bundleContents(source, model.id, {
      title: 'A class',
      recipe: RECIPE,
      lesson: null,
      data: [],
    });
    const tensors = contents.model.tensors.map((tensor) => ({
      ...tensor,
      chunks: tensor.chunks.map((chunk) => ({ ...chunk, byteLength: 2 ** 32 })),
    }));
    const write = () => expect.fail('something was written');
    await expect(writeBundle({ ...contents, model: { ...contents.model, tensors } }, write)).rejects.toThrow(
      /^The bundle would have \d+\.\d GiB, and a bundle holds 4 GiB\./,
    );
  });

  it('is read in few, large ranges', async () => {
    const blob = blobSource(new Blob([bytes]), 'class.finetab');
    let reads = 0;
    const read: typeof blob.read = (begin, end) => (reads++, blob.read(begin, end));
    const bundle = await Bundle.open(readAhead({ ...blob, read }, 2 ** 20));
    await importBundle(bundle, { database, checkRoom });
    expect(reads).toBe(Math.ceil(bytes.byteLength / 2 ** 20));
  });

  it('refuses any part that has one bit more or less, by name, and keeps no model that looks whole', async () => {
    const header = readBundleHeader(bytes.subarray(0, HEADER_END), 'x');
    const { manifest } = await open();
    const parts = placeParts(header, manifest.parts);
    const read = new Set([
      ...Object.values(manifest.model.texts),
      ...manifest.model.tensors.flatMap(({ chunks }) => chunks.map(({ path }) => path)),
    ]);
    const probed = parts.filter(({ path }, i) => read.has(path) && i % 5 === 0);
    expect(probed.length).toBeGreaterThan(5);
    for (const { path, begin, bytes: length } of probed) {
      const changed = bytes.slice();
      changed[begin + (length >> 1)] ^= 1;
      const fresh = await newDatabase();
      await expect(bring(fresh, changed), path).rejects.toThrow(`${path} in class.finetab is damaged`);
      expect((await listModels(fresh)).filter(({ complete }) => complete)).toEqual([]);
    }
    for (const path of [manifest.recipe, manifest.data[0].path]) {
      const changed = bytes.slice();
      changed[parts.find((part) => part.path === path)!.begin] ^= 1;
      const bundle = await open(changed);
      await expect(bundle.blob(path)).rejects.toThrow(`${path} in class.finetab is damaged`);
    }
    const changed = bytes.slice();
    changed[header.begin + 40] ^= 1;
    await expect(open(changed)).rejects.toThrow('manifest.json in class.finetab is damaged');
  });

  it('refuses a file that is cut off, another file, and a newer version', async () => {
    const last = (await open()).manifest.parts.at(-1)!;
    await expect(open(bytes.slice(0, bytes.byteLength >> 1))).rejects.toThrow(/class\.finetab is cut off/);
    const header = readBundleHeader(bytes.subarray(0, HEADER_END), 'x');
    const end = placeParts(header, (await open()).manifest.parts).at(-1)!;
    await expect(open(bytes.slice(0, end.begin + end.bytes - 1))).rejects.toThrow(`its part ${last.path}`);
    await expect(open(new Uint8Array(10))).rejects.toThrow('is no .finetab bundle');
    await expect(open(new TextEncoder().encode('{"x":1}'.repeat(100)))).rejects.toThrow(
      'is no .finetab bundle',
    );
    const newer = bytes.slice();
    newer[new TextDecoder('latin1').decode(bytes.subarray(0, 200)).indexOf('finetab bundle 1 ') + 15] = 0x32;
    await expect(open(newer)).rejects.toThrow('newer version');
  });

  it('goes on where an import was interrupted', async () => {
    const bundle = await open();
    let reads = 0;
    const { tensors } = bundle.manifest.model;
    const failing = Object.create(bundle) as Bundle;
    failing.read = (path) => {
      if (path === tensors[4].chunks[0].path) throw new Error('the network went');
      return bundle.read(path);
    };
    await expect(importBundle(failing, { database, checkRoom })).rejects.toThrow('the network went');
    const half = await findModel(database, model.id);
    expect(half).toMatchObject({ complete: false });
    expect(half!.tensors.length).toBe(4);
    const counting = Object.create(bundle) as Bundle;
    counting.read = (path) => (reads++, bundle.read(path));
    expect((await importBundle(counting, { database, checkRoom })).complete).toBe(true);
    const texts = Object.keys(bundle.manifest.model.texts).length;
    expect(reads - texts).toBe(tensors.slice(4).reduce((sum, { chunks }) => sum + chunks.length, 0));
  });

  it('mends a stored model, and refuses one of the same id with other weights', async () => {
    await bring(database);
    const [{ name }] = model.tensors;
    await database.put('chunks', new Uint8Array(3), [model.id, name, 0]);
    await bring(database);
    expect(await database.get('chunks', [model.id, name, 0])).toEqual(
      await source.get('chunks', [model.id, name, 0]),
    );
    const stored = (await database.get('models', model.id))!;
    stored.tensors[0].chunks[0].sha256 = '0'.repeat(64);
    await database.put('models', stored);
    await expect(bring(database)).rejects.toThrow(`its tensor ${name} is another one`);
  });

  it('refuses a manifest whose model does not belong together', async () => {
    const bundle = await open();
    const changed = async (change: (manifest: typeof bundle.manifest) => void) => {
      const manifest = structuredClone(bundle.manifest);
      change(manifest);
      const other = Object.create(bundle, { manifest: { value: manifest } }) as Bundle;
      return importBundle(other, { database: await newDatabase(), checkRoom });
    };
    await expect(changed(({ model: m }) => m.tensors.pop())).rejects.toThrow('has no tensor');
    await expect(changed(({ model: m }) => (m.tensors[0].shape[0] += 1))).rejects.toThrow(
      'but its config asks',
    );
    await expect(changed(({ model: m }) => m.tensors[1].chunks.pop())).rejects.toThrow('has not the bytes');
    await expect(changed(({ model: m }) => (m.id = 'a'.repeat(32)))).rejects.toThrow('the id of another');
    await expect(changed(({ model: m }) => (m.tensors[0].kind = 'nf4'))).rejects.toThrow('cannot be stored');
  });
});
