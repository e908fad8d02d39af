/**
 * Stored models and imports: their progress, their failures, and an import that is cancelled or whose worker
 * dies.
 */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ModelLibrary } from '../../src/page/model/ModelLibrary.svelte.ts';
import { messageOf } from '../../src/lib/errors.ts';
import type { ModelDetails } from '../../src/worker/import/importProtocol.ts';
import { later, stubPage, stubWorkers, type FakeWorkers } from '../helpers/fakeWorkers.ts';
import { MODEL, recipe } from '../helpers/pageData.ts';

type Progress = (done: number, total: number) => void;

let workers: FakeWorkers;
let shown: string[];
let chosen: number;
let stored: ModelDetails[];
let importing: { result: ReturnType<typeof later<ModelDetails>>; name: string; send: Progress }[];

beforeEach(() => {
  [shown, chosen, stored, importing] = [[], 0, [], []];
  stubPage();
  workers = stubWorkers(() => ({
    models: async () => stored,
    storage: async () => ({ usedBytes: 1, quotaBytes: 10, persisted: true }),
    details: async () => MODEL,
    remove: async () => (stored = []),
    importModel: (_files: unknown, name: string, _quantization: string, send: Progress) => {
      const result = later<ModelDetails>();
      importing.push({ result, name, send });
      return result.promise;
    },
  }));
});
afterEach(() => workers.close());

function library(model = ''): ModelLibrary {
  return new ModelLibrary({
    recipe: recipe({ model }),
    guard: (_where, work) => work().catch((error: unknown) => void shown.push(messageOf(error))),
    modelChosen: async () => void chosen++,
  });
}

const FILES = [
  Object.defineProperty(new File(['{}'], 'config.json'), 'webkitRelativePath', {
    value: 'a-model/config.json',
  }),
];

describe('an import', () => {
  it('shows its progress, then chooses the model', async () => {
    const models = library();
    const done = models.importModel(FILES);
    await vi.waitFor(() => expect(importing.length).toBe(1));
    expect(importing[0].name).toBe('a-model');
    importing[0].send(5, 10);
    await vi.waitFor(() => expect(models.importing).toEqual({ name: 'a-model', done: 5, total: 10 }));
    expect(models.model).toBeNull();
    stored = [MODEL];
    importing[0].result.resolve(MODEL);
    await done;
    expect(models.importing).toBeNull();
    expect(models.model?.id).toBe(MODEL.id);
    expect(models.models.map(({ id }) => id)).toEqual([MODEL.id]);
    expect(chosen).toBe(1);
    expect(shown).toEqual([]);
  });

  it('waits for no answer to the question whether the browser may keep it', async () => {
    // Firefox asks the person, who may leave the question open.
    vi.stubGlobal('navigator', { storage: { persist: () => new Promise(() => undefined) } });
    const models = library();
    const done = models.importModel(FILES);
    await vi.waitFor(() => expect(importing.length).toBe(1));
    importing[0].result.resolve(MODEL);
    await done;
    expect(models.model?.id).toBe(MODEL.id);
  });

  it('is named by its folder, whatever the recipe names; loose files by the recipe, once', async () => {
    const models = library('folder:some/where/tiny');
    const names: string[] = [];
    const bring = async (files: File[]) => {
      const done = models.importModel(files);
      await vi.waitFor(() => expect(importing.length).toBe(names.length + 1));
      names.push(importing.at(-1)!.name);
      importing.at(-1)!.result.resolve(MODEL);
      await done;
    };
    const loose = [new File(['{}'], 'config.json'), new File([], 'model.safetensors')];
    await bring(FILES);
    await bring(loose);
    stored = [{ ...MODEL, name: 'tiny' }];
    await models.refresh();
    await bring(loose);
    await bring([new File([], 'some-model.gguf')]);
    expect(names).toEqual(['a-model', 'tiny', 'dropped model', 'some-model']);
  });

  it('that fails shows why, and leaves the chosen model', async () => {
    const models = library();
    await models.choose(MODEL.id);
    const done = models.importModel(FILES);
    await vi.waitFor(() => expect(importing.length).toBe(1));
    importing[0].result.reject(new Error('model_type "mamba" is not supported'));
    await done;
    expect(shown).toEqual(['model_type "mamba" is not supported']);
    expect(models.importing).toBeNull();
    expect(models.model?.id).toBe(MODEL.id);
  });

  it('that is cancelled ends its worker without an error, and the next one runs', async () => {
    const models = library();
    const done = models.importModel(FILES);
    await vi.waitFor(() => expect(importing.length).toBe(1));
    models.cancelImport();
    await done;
    expect(shown).toEqual([]);
    expect(models.importing).toBeNull();
    expect(models.model).toBeNull();
    await vi.waitFor(() => expect(workers.all[0].terminated).toBe(true));
    const again = models.importModel(FILES);
    await vi.waitFor(() => expect(importing.length).toBe(2));
    importing[1].result.resolve(MODEL);
    await again;
    expect(models.model?.id).toBe(MODEL.id);
    expect(workers.all.length).toBe(2);
  });

  it('whose worker dies says so, and the next one runs', async () => {
    const models = library();
    const done = models.importModel(FILES);
    await vi.waitFor(() => expect(importing.length).toBe(1));
    workers.all[0].die('out of memory');
    await done;
    expect(shown).toEqual(['The import worker ended before it was done: out of memory. Try again.']);
    expect(models.importing).toBeNull();
    const again = models.importModel(FILES);
    await vi.waitFor(() => expect(importing.length).toBe(2));
    importing[1].result.resolve(MODEL);
    await again;
    expect(models.model?.id).toBe(MODEL.id);
  });

  it('has no model any more when the chosen one is deleted', async () => {
    stored = [MODEL];
    const models = library();
    await models.select(MODEL.id);
    expect(chosen).toBe(1);
    await models.remove(MODEL.id);
    expect(models.model).toBeNull();
    expect(models.models).toEqual([]);
  });
});
