/** The dropped files together: sets by name, what keeps them from being trained on, and what they share. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { DataFiles } from '../../src/page/data/DataFiles.svelte.ts';
import type { Reading } from '../../src/page/data/DataFile.svelte.ts';
import type { FileReport } from '../../src/worker/dataset/datasetProtocol.ts';
import { later, stubWorkers, type FakeWorkers } from '../helpers/fakeWorkers.ts';
import { fileReport } from '../helpers/pageData.ts';

const READING = { modelId: 'a', columns: {} } as Reading;
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
    expect(data.train?.file.name).toBe('train.jsonl');
    expect(data.usable.map(({ name }) => name)).toEqual(['__proto__', 'b', 'constructor']);
    expect(workers.all.map(({ name }) => name).sort()).toEqual([
      'dataset',
      'evaluation __proto__',
      'evaluation b',
      'evaluation constructor',
    ]);
    expect(data.blockers).toEqual([]);
  });

  it('of one set name are refused, and the same file again takes the place of itself', async () => {
    const data = opened();
    data.add(dropped('math.val.jsonl'));
    await data.load(READING);
    const [first] = data.validation;
    expect(() => data.add(dropped('math.other.val.jsonl'))).toThrow(
      /math\.other\.val\.jsonl and math\.val\.jsonl are both called "math".*Rename one of them/,
    );
    expect(data.validation).toEqual([first]);
    data.add(dropped('math.val.jsonl'));
    expect(data.validation.length).toBe(1);
    expect(data.validation[0]).not.toBe(first);
    await vi.waitFor(() => expect(workers.all[0].terminated).toBe(true));
  });

  it('refuse a set that is called as the training curve is', () => {
    const data = opened();
    expect(() => data.add(dropped('training.val.jsonl'))).toThrow(
      /training\.val\.jsonl.*"training".*Rename the file/,
    );
  });

  it('say why they cannot be trained on, until the person leaves the bad rows out', async () => {
    const bad = fileReport('train.jsonl', 3);
    bad.summary = { ...bad.summary, badRows: 2, problems: 2 };
    bad.problems = [{ kind: 'bad', unit: 'line', line: 7, reason: 'is not JSON', excerpt: 'x' }] as never;
    const data = opened({ dataset: () => bad });
    expect(data.blockers).toEqual(['Drop a training file.']);
    data.add(dropped('train.jsonl'));
    await data.load(READING);
    expect(data.blockers.join()).toMatch(/train\.jsonl has 2 bad rows.*train\.jsonl, line 7: is not JSON/);
    data.skipsBadRows = true;
    expect(data.blockers).toEqual([]);
    // The word was given for that file, not for another one.
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
