/**
 * The log of errors: what it keeps, how it reads, and how a worker's entries reach the thread that started
 * it.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { entriesToText, entryOf, ErrorLog, mergeEntries, type ErrorEntry } from '../../src/lib/errorLog.ts';

const entry = (id: string, at = id): ErrorEntry => ({
  id,
  at,
  thread: 'page',
  where: 'testing',
  severity: 'error',
  name: 'Error',
  message: id,
  stack: null,
});

describe('the log of errors', () => {
  it('keeps the latest entries in their order, each once', () => {
    const log = new ErrorLog(3);
    for (const id of ['1', '2']) log.add(entry(id));
    expect(log.entries().map(({ id }) => id)).toEqual(['1', '2']);
    log.add(entry('2'));
    for (const id of ['3', '4', '5']) log.add(entry(id));
    expect(log.entries().map(({ id }) => id)).toEqual(['3', '4', '5']);
  });

  it('merges two logs by time, with what both have once', () => {
    const merged = mergeEntries([entry('b'), entry('d')], [entry('a'), entry('b'), entry('c')]);
    expect(merged.map(({ id }) => id)).toEqual(['a', 'b', 'c', 'd']);
  });

  it('keeps the class, the stack and the causes of an error', () => {
    const cause = new RangeError('too many rows');
    const made = entryOf(new TypeError('no rows', { cause }), 'packing', 'warning');
    expect(made).toMatchObject({
      where: 'packing',
      severity: 'warning',
      name: 'TypeError',
      message: 'no rows',
    });
    expect(made.stack).toMatch(
      /TypeError: no rows\n +at .*errorLog\.test[\s\S]*caused by RangeError: too many rows\n +at/,
    );
    expect(entryOf('a text', 'throwing a text')).toMatchObject({
      name: 'string',
      message: 'a text',
      stack: null,
    });
    const text = entriesToText([{ ...made, at: '2026-01-02T03:04:05.678Z' }, entry('later')]);
    expect(text).toMatch(
      /^2026-01-02T03:04:05\.678Z page, packing \(warning\)\nTypeError: no rows\nat [\s\S]*\n\nlater page, testing \(error\)\nError: later$/,
    );
    expect(text.match(/TypeError: no rows/g)).toHaveLength(1);
  });
});

describe('an error in a worker', () => {
  afterEach(() => {
    vi.unstubAllGlobals();
    vi.restoreAllMocks();
  });

  /** The modules of one thread, with a log of their own. */
  async function modules() {
    vi.resetModules();
    return {
      ...(await import('../../src/lib/errorLog.ts')),
      ...(await import('../../src/worker/errorForwarding.ts')),
    };
  }

  /** The worker's side is `self`, the page's side a Worker; what the worker posts arrives there. */
  async function threads() {
    const worker = new EventTarget();
    const self = Object.assign(new EventTarget(), {
      name: 'dataset',
      postMessage: (data: unknown) =>
        worker.dispatchEvent(new MessageEvent('message', { data: structuredClone(data) })),
    });
    vi.stubGlobal('self', self);
    vi.spyOn(console, 'error').mockImplementation(() => undefined);
    const crashes: string[] = [];
    const page = await modules();
    page.receiveErrors(worker as Worker, (message) => crashes.push(message));
    const { forwardErrors, report } = await modules();
    forwardErrors();
    return { self, worker, crashes, report, recorded: page.recordedErrors };
  }

  it('is in the log of the thread that started it, with the worker and its stack', async () => {
    const { crashes, report, recorded } = await threads();
    report(new TypeError('a bad row'), 'reading rows');
    expect(recorded().at(-1)).toMatchObject({
      thread: 'dataset worker',
      where: 'reading rows',
      name: 'TypeError',
      message: 'a bad row',
      stack: expect.stringMatching(/at .*errorLog\.test/) as string,
    });
    expect(crashes).toEqual([]);
  });

  it('that nothing caught ends it, once, and keeps its stack', async () => {
    const { self, crashes, recorded } = await threads();
    const event = Object.assign(new Event('error', { cancelable: true }), { error: new Error('it broke') });
    self.dispatchEvent(event);
    expect(crashes).toEqual(['it broke']);
    // The browser would notify the starting thread a second time, without a stack.
    expect(event.defaultPrevented).toBe(true);
    expect(recorded().at(-1)).toMatchObject({
      thread: 'dataset worker',
      message: 'it broke',
      stack: expect.stringMatching(/at .*errorLog\.test/) as string,
    });
  });

  it('that nothing handled as a rejection is recorded and does not end it', async () => {
    const { self, crashes, recorded } = await threads();
    self.dispatchEvent(Object.assign(new Event('unhandledrejection'), { reason: new Error('left alone') }));
    expect(crashes).toEqual([]);
    expect(recorded().at(-1)).toMatchObject({ thread: 'dataset worker', message: 'left alone' });
  });

  it('that keeps it from loading is recorded by the thread that started it', async () => {
    const { worker, crashes, recorded } = await threads();
    worker.dispatchEvent(new Event('error', { cancelable: true }));
    expect(crashes).toEqual(['the worker could not be loaded']);
    expect(recorded().at(-1)).toMatchObject({ message: 'the worker could not be loaded' });
  });
});

describe('an error that is not thrown any further', () => {
  const folder = join(import.meta.dirname, '../../src');
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
    /\.(ts|svelte)$/.test(name),
  );

  it('is reported, or has a comment that says why not', () => {
    const silent: string[] = [];
    for (const name of files) {
      const lines = readFileSync(join(folder, name), 'utf8').split('\n');
      for (const [i, line] of lines.entries()) {
        const isSilent = /\bcatch \{|\.catch\(\(\) =>|\.catch\(\(_\w*\) =>/.test(line);
        const next = lines[i + 1] ?? '';
        const hasReason = [lines[i - 1] ?? '', next].some((near) => near.trimStart().startsWith('//'));
        if (isSilent && !hasReason && !/^\s*(throw|(return )?(this\.)?fail\()/.test(next))
          silent.push(`${name}:${i + 1}`);
      }
    }
    expect(files.length).toBeGreaterThan(200);
    expect(silent).toEqual([]);
  });
});
