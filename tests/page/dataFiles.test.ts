/** The dropped files together: sets by name, what keeps them from being trained on, and what they share. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { DataFiles } from '../../src/page/data/DataFiles.svelte.ts';
import type { Reading } from '../../src/page/data/DataFile.svelte.ts';
import { filesForRecipe } from '../../src/page/data/recipe/recipeRoles.ts';
import type { DataRequest, FileReport } from '../../src/worker/dataset/datasetProtocol.ts';
import { later, stubWorkers, type FakeWorkers } from '../helpers/fakeWorkers.ts';
import { fileReport } from '../helpers/pageData.ts';

const SELECTION = { leftOut: [], valSetSize: 0, seed: 1 };
const READING = { modelId: 'a', settings: {}, columns: {}, selection: SELECTION } as unknown as Reading;
const dropped = (...names: string[]) => names.map((name) => new File(['rows'], name));

let workers: FakeWorkers;
afterEach(() => workers.close());

/** @param reports of a worker by its name; two rows of every other one */
function opened(reports: Record<string, () => FileReport | Promise<FileReport>> = {}): DataFiles {
  workers = stubWorkers((own) => ({
    load: async () => reports[own]?.() ?? fileReport(own, 2),
    fingerprints: async () => own,
    overlap: async (other: string) => ({ rows: other === own ? 0 : 1, prompts: 0, examples: [] }),
  }));
  return new DataFiles();
}

describe('the data files', () => {
  it('are one training file and validation sets in the order of their names, whatever they are called', async () => {
    const data = opened();
    data.add(dropped('train.jsonl', 'b.val.jsonl', '__proto__.val.jsonl', 'constructor.val.jsonl'));
    await data.load(READING);
    expect(data.train?.title).toBe('train.jsonl');
    expect(data.usable.map(({ name }) => name)).toEqual(['__proto__', 'b', 'constructor']);
    expect(workers.all.map(({ name }) => name).sort()).toEqual([
      'dataset',
      'evaluation __proto__',
      'evaluation b',
      'evaluation constructor',
    ]);
    expect(data.blockers).toEqual([]);
  });

  it('of one set name get names of their own; the same file again takes its own place, and that is said', async () => {
    const data = opened();
    data.add(dropped('math.val.jsonl'));
    await data.load(READING);
    const [first] = data.validation;
    data.add(dropped('math.other.val.jsonl', 'training.val.jsonl', 'held_out.val.jsonl'));
    expect(data.validation.map(({ name }) => name)).toEqual(['held_out_2', 'math', 'math_2', 'training_2']);
    expect(data.changes).toEqual([]);
    data.add(dropped('math.val.jsonl'));
    expect(data.validation.map(({ name }) => name)).toEqual(['held_out_2', 'math', 'math_2', 'training_2']);
    expect(data.validation).not.toContain(first);
    expect(data.changes).toEqual(['math.val.jsonl was here already: it was read again.']);
    await vi.waitFor(() => expect(workers.all[0].terminated).toBe(true));
  });

  it('that are two to train on are joined, which is said; a role can be changed, and files of one name both stay', async () => {
    const data = opened();
    data.add(dropped('a.jsonl'));
    expect(data.changes).toEqual([]);
    data.add(dropped('b.jsonl'));
    expect(data.train?.parts.map(({ name }) => name)).toEqual(['a.jsonl', 'b.jsonl']);
    expect(data.changes.join()).toMatch(/^a\.jsonl and b\.jsonl are joined/);
    data.setRole(data.train!, data.train!.parts[1], 'validation');
    expect(data.train?.title).toBe('a.jsonl');
    expect(data.validation.map(({ name, title }) => [name, title])).toEqual([['b', 'b.jsonl']]);
    data.setRole(data.validation[0], data.validation[0].parts[0], 'train');
    expect(data.train?.title).toBe('a.jsonl + b.jsonl');
    expect(data.validation).toEqual([]);
    data.remove(data.train!, data.train!.parts[0]);
    expect(data.train?.title).toBe('b.jsonl');
    data.add(dropped('c.jsonl', 'c.jsonl'));
    expect(data.train?.title).toBe('b.jsonl + c.jsonl + c.jsonl_2');
  });

  it('that are mended keep their place, role and set', () => {
    const data = opened();
    data.add(dropped('a.jsonl', 'b.jsonl', 'm.val.jsonl'));
    const mended = new File(['mended'], 'b.jsonl');
    data.replace(data.train!, data.train!.parts[1], mended);
    expect(data.train?.parts.map(({ name, isMended }) => [name, isMended])).toEqual([
      ['a.jsonl', undefined],
      ['b.jsonl', true],
    ]);
    expect(data.train?.parts[1].file).toBe(mended);
    data.replace(data.validation[0], data.validation[0].parts[0], mended);
    expect(data.validation.map(({ name, parts }) => [name, parts[0].file])).toEqual([['m', mended]]);
  });

  it('have the roles that the recipe gives them, files of one name in its order', () => {
    const data = opened();
    const recipe = { train_file: 'x/data.jsonl', validation_files: ['y/data.jsonl', 'train.jsonl'] };
    data.add(dropped('data.jsonl', 'data.jsonl', 'train.jsonl', 'more.val.jsonl'), recipe);
    expect(data.train?.title).toBe('data.jsonl');
    expect(data.validation.map(({ name }) => name)).toEqual(['data', 'more', 'train']);
    expect(filesForRecipe(data.train, data.validation, recipe)).toEqual({
      train_file: 'x/data.jsonl',
      validation_files: ['y/data.jsonl', 'more.val.jsonl', 'train.jsonl'],
    });
  });

  it('can hold a part of the training rows out as a set, which goes with them', async () => {
    const requests: DataRequest[] = [];
    workers = stubWorkers((own) => ({
      load: async (request: DataRequest) => (requests.push(request), fileReport(own, 2)),
      fingerprints: async () => own,
      overlap: async () => ({ rows: 0, prompts: 0, examples: [] }),
    }));
    const data = new DataFiles();
    data.add(dropped('train.jsonl'));
    const reading = { ...READING, selection: { ...SELECTION, valSetSize: 0.05 } };
    await data.load(reading);
    expect(data.usable.map(({ name, title }) => [name, title])).toEqual([
      ['held_out', 'rows held out of train.jsonl'],
    ]);
    expect(requests.map(({ selection }) => selection)).toEqual(
      expect.arrayContaining([
        { ...reading.selection, side: 'train' },
        { ...reading.selection, side: 'heldOut' },
      ]),
    );
    expect(filesForRecipe(data.train, data.validation, { train_file: '', validation_files: [] })).toEqual({
      train_file: 'train.jsonl',
      validation_files: [],
    });
    await data.load(READING);
    expect(data.validation).toEqual([]);
  });

  it('say why they cannot be trained on, until the person leaves the bad rows out', async () => {
    const bad = fileReport('train.jsonl', 3);
    bad.summary = { ...bad.summary, badRows: 2, problems: 2 };
    bad.problems = [
      { kind: 'bad', file: 'train.jsonl', unit: 'line', line: 7, reason: 'is not JSON', excerpt: 'x' },
    ] as never;
    const data = opened({ dataset: () => bad });
    expect(data.blockers).toEqual(['Drop a training file.']);
    data.add(dropped('train.jsonl'));
    await data.load(READING);
    expect(data.blockers.join()).toMatch(/train\.jsonl has 2 bad rows.*train\.jsonl, line 7: is not JSON/);
    data.skipsBadRows = true;
    expect(data.blockers).toEqual([]);
    // The word was given for those rows, not for others.
    data.add(dropped('other.jsonl'));
    expect(data.skipsBadRows).toBe(false);
  });

  it('are not ready while one of them is being read', async () => {
    const report = later<FileReport>();
    const data = opened({ 'evaluation b': () => report.promise });
    data.add(dropped('train.jsonl', 'b.val.jsonl'));
    const loading = data.load(READING);
    await vi.waitFor(() => expect(data.train?.report).not.toBeNull());
    expect(data.blockers).toEqual(['b.val.jsonl is being read.']);
    report.resolve(fileReport('b.val.jsonl'));
    await loading;
    expect(data.blockers).toEqual([]);
  });

  it('a validation file that fails, fails alone', async () => {
    const data = opened({ 'evaluation b': () => Promise.reject(new Error('no rows in it')) });
    data.add(dropped('train.jsonl', 'b.val.jsonl', 'c.val.jsonl'));
    await data.load(READING);
    expect(data.validation[0].error).toBe('no rows in it');
    expect(data.usable.map(({ name }) => name)).toEqual(['c']);
    expect(data.blockers).toEqual([]);
  });

  it('are compared with the training file on both sides, and again after a worker died', async () => {
    const data = opened();
    data.add(dropped('train.jsonl', 'b.val.jsonl'));
    await data.load(READING);
    expect(data.train?.overlaps).toMatchObject([{ file: 'b.val.jsonl', overlap: { rows: 1 } }]);
    expect(data.validation[0].overlaps).toMatchObject([{ file: 'train.jsonl', overlap: { rows: 1 } }]);
    workers.named('evaluation b')[0].die('gone');
    await vi.waitFor(() => expect(workers.named('evaluation b').length).toBe(2));
    await vi.waitFor(() => expect(data.validation[0].overlaps.length).toBe(1));
    data.remove(data.validation[0]);
    await data.compare();
    expect(data.train?.overlaps).toEqual([]);
  });
});
