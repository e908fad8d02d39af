/** A data file whose worker dies, answers late, or is not needed any more. */
import { progressText } from '../../src/page/data/readingProgress.ts';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { recordedErrors } from '../../src/lib/errorLog.ts';
import { DataFile, type Reading } from '../../src/page/data/DataFile.svelte.ts';
import type { DataRequest, FileReport } from '../../src/worker/dataset/datasetProtocol.ts';
import { later, stubWorkers, type FakeWorkers } from '../helpers/fakeWorkers.ts';
import { fileReport } from '../helpers/pageData.ts';

const READING = { modelId: 'a', settings: {}, columns: {}, selection: {} } as Reading;
type Progress = (done: number, total: number) => void;
type Load = (request: DataRequest, onProgress: Progress) => Promise<FileReport>;
const never = () => new Promise<never>(() => undefined);

let workers: FakeWorkers;
afterEach(() => workers.close());

/** @param load of the nth worker */
function opened(load: (nth: number) => Load): DataFile {
  workers = stubWorkers((_, nth) => ({ load: load(nth), packed: never, rowTokens: async () => [] }));
  return new DataFile(
    [{ file: new File(['rows'], 'train.jsonl'), name: 'train.jsonl' }],
    'train',
    'training',
  );
}

describe('a data file', () => {
  it('is read, with progress until its report is there', async () => {
    const report = later<FileReport>();
    let send!: Progress;
    const file = opened(() => (_, onProgress) => {
      send = onProgress;
      return report.promise;
    });
    const reading = file.load(READING);
    await vi.waitFor(() => expect(send).toBeDefined());
    send(2, 3);
    await vi.waitFor(() => expect(file.progress).toEqual({ done: 2, total: 3 }));
    expect(file.report).toBeNull();
    report.resolve(fileReport('train.jsonl'));
    await reading;
    expect(file.progress).toBeNull();
    expect(file.report?.summary.rows).toBe(3);
    expect(workers.named('dataset').length).toBe(1);
  });

  it('can be stopped while it is read: its worker ends, and another reads it again', async () => {
    let send!: Progress;
    const file = opened((nth) =>
      nth === 0
        ? (_, onProgress) => {
            send = onProgress;
            return never();
          }
        : async () => fileReport('train.jsonl'),
    );
    const reading = file.load(READING);
    await vi.waitFor(() => expect(send).toBeDefined());
    send(2000, 3000);
    await vi.waitFor(() => expect(file.progress?.done).toBe(2000));
    file.stop();
    await reading;
    await vi.waitFor(() => expect(workers.all.map(({ terminated }) => terminated)).toEqual([true]));
    expect([file.progress, file.report, file.error]).toEqual([null, null, null]);
    expect(file.stopped).toBe(
      'Reading train.jsonl was stopped at row 2,000 of 3,000. Read it again, or remove it.',
    );
    await file.load(READING);
    expect(file.stopped).toBeNull();
    expect(file.report?.summary.rows).toBe(3);
  });

  it('whose worker dies while reading is read by another, and says so', async () => {
    const file = opened((nth) => (nth === 0 ? never : async () => fileReport('train.jsonl')));
    const reading = file.load(READING);
    await vi.waitFor(() => expect(workers.all.length).toBe(1));
    workers.all[0].die('out of memory');
    await reading;
    expect(workers.all.map(({ terminated }) => terminated)).toEqual([true, false]);
    expect(file.report?.summary.rows).toBe(3);
    expect(file.error).toBeNull();
    expect(file.progress).toBeNull();
    expect(file.notice).toBe(
      'The worker that holds this file ended (out of memory). It was started again and reads the file again.',
    );
    expect(recordedErrors().at(-1)).toMatchObject({ thread: 'dataset worker', message: 'out of memory' });
  });

  it('whose second worker dies too is given up, with what to do; dropping it again begins afresh', async () => {
    let isBroken = true;
    const file = opened(() => () => (isBroken ? never() : Promise.resolve(fileReport('train.jsonl'))));
    const reading = file.load(READING);
    await vi.waitFor(() => expect(workers.all.length).toBe(1));
    workers.all[0].die('first');
    await vi.waitFor(() => expect(workers.all.length).toBe(2));
    workers.all[1].die('second');
    await reading;
    expect(file.error).toBe(
      'Reading train.jsonl failed: second. Remove the file and drop it again; split it where it is very large.',
    );
    expect(file.report).toBeNull();
    expect(file.progress).toBeNull();
    expect(workers.all.length).toBe(2);
    isBroken = false;
    await file.load(READING);
    expect(file.report?.summary.rows).toBe(3);
    expect(file.error).toBeNull();
    expect(file.notice).toBeNull();
  });

  it('that lies ready is read again when its worker dies, once', async () => {
    const file = opened(() => async () => fileReport('train.jsonl'));
    const [reread, deaths] = [vi.fn(), [] as [string, boolean | null][]];
    file.onReread = reread;
    file.onDeath = (message, restarted) => {
      if (restarted) void restarted.then((has) => deaths.push([message, has]));
      else deaths.push([message, null]);
    };
    await file.load(READING);
    const asked = file.packed({ row: 0, tokensPerMicroBatch: 64, recipe: null });
    workers.all[0].die('gone');
    await expect(asked).rejects.toThrow('The dataset worker ended before it was done: gone. Try again.');
    await vi.waitFor(() => expect(deaths).toEqual([['gone', true]]));
    expect(reread).toHaveBeenCalledOnce();
    expect(file.report?.summary.rows).toBe(3);
    workers.all[1].die('gone again');
    expect(deaths.at(-1)).toEqual(['gone again', null]);
    expect(file.report).toBeNull();
    expect(file.error).toMatch(/ended again: gone again\. Remove the file and drop it again/);
    expect(await file.reread()).toBe(false);
    expect(workers.all.length).toBe(2);
  });

  it('keeps the report of the newest reading, in whichever order the answers come', async () => {
    const answers = new Map([
      ['old', later<FileReport>()],
      ['new', later<FileReport>()],
    ]);
    const sends = new Map<string, Progress>();
    const file = opened(() => ({ modelId }, onProgress) => {
      sends.set(modelId, onProgress);
      return answers.get(modelId)!.promise;
    });
    const old = file.load({ ...READING, modelId: 'old' });
    await vi.waitFor(() => expect(sends.size).toBe(1));
    const newer = file.load({ ...READING, modelId: 'new' });
    await vi.waitFor(() => expect(sends.size).toBe(2));
    sends.get('new')!(1, 9);
    await vi.waitFor(() => expect(file.progress).toEqual({ done: 1, total: 9 }));
    sends.get('old')!(7, 9);
    answers.get('old')!.resolve(fileReport('train.jsonl', 1));
    await old;
    expect(file.report).toBeNull();
    expect(file.progress).toEqual({ done: 1, total: 9 });
    answers.get('new')!.resolve(fileReport('train.jsonl', 2));
    await newer;
    expect(file.report?.summary.rows).toBe(2);
  });

  it('drops an error of an earlier reading as well, but records it', async () => {
    const answers = [later<FileReport>(), later<FileReport>()];
    let asked = 0;
    const file = opened(() => () => answers[asked++].promise);
    const old = file.load(READING);
    await vi.waitFor(() => expect(asked).toBe(1));
    const newer = file.load(READING);
    await vi.waitFor(() => expect(asked).toBe(2));
    answers[0].reject(new Error('an old fault'));
    await old;
    expect(file.error).toBeNull();
    expect(recordedErrors().at(-1)).toMatchObject({ message: 'an old fault', where: 'reading train.jsonl' });
    answers[1].resolve(fileReport('train.jsonl'));
    await newer;
    expect(file.report?.summary.rows).toBe(3);
  });

  it('that is removed while it is read ends its worker and shows nothing more', async () => {
    const file = opened(() => never);
    const reading = file.load(READING);
    await vi.waitFor(() => expect(workers.all.length).toBe(1));
    file.dispose();
    await reading;
    expect(file.report).toBeNull();
    expect(file.error).toBeNull();
    expect(file.notice).toBeNull();
    await vi.waitFor(() => expect(workers.all[0].terminated).toBe(true));
    expect(workers.all.length).toBe(1);
  });
});

it('says how many rows are found, before it is known how many there are', () => {
  expect(progressText({ done: 0, total: 0 })).toBe('Reading rows');
  expect(progressText({ done: 40_960, total: 0 })).toBe('Counting rows: 40,960');
  expect(progressText({ done: 40_960, total: 50_000 })).toBe('Reading rows: 40,960 of 50,000');
});
