/**
 * What `npm run bench -- import` calls in the browser: the page's import worker, the store, and the upload to
 * the GPU.
 */
import { openGpu } from '../../src/gpu/gpuContext.ts';
import { openDatabase } from '../../src/storage/openDatabase.ts';
import { openModel } from '../../src/storage/storedWeights.ts';
import { uploadWeights } from '../../src/engine/webgpu/uploadWeights.ts';
import { proxy, startImport } from '../../src/worker/client.ts';

const importer = startImport((message) => console.error(message));

const steps = {
  /** Starts the worker, so that loading its modules is not measured. */
  ready: () => importer.api.models(),
  async importModel() {
    const files = [...document.querySelector('input')!.files!].map((file) => ({
      path: file.name,
      blob: file,
    }));
    const { id, storedBytes } = await importer.api.importModel(
      files,
      'bench',
      'nf4',
      proxy(() => undefined),
    );
    return { id, storedBytes };
  },
  /** Reads every chunk of a stored model, which checks its checksum. */
  async read(id: string) {
    const { weights } = await openModel(await openDatabase(), id);
    for (const name of weights.tensors.keys())
      for await (const { bytes } of weights.stream(name))
        if (bytes.byteLength === 0) throw new Error('an empty chunk');
  },
  /** @returns whether there is a GPU */
  async upload(id: string) {
    const context = await openGpu();
    if (!context) return false;
    const { weights } = await openModel(await openDatabase(), id);
    await uploadWeights(context, weights, weights.tensors.keys(), []);
    context.dispose();
    return true;
  },
};

export type ImportSteps = typeof steps;

Object.assign(globalThis, { steps });
