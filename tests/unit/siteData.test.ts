/** A browser that keeps no data, or has a newer version's. */
import 'fake-indexeddb/auto';
import { openDB, unwrap } from 'idb';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { keepSetting, keptSetting } from '../../src/page/keptSettings.ts';
import { newRun } from '../../src/storage/database.ts';
import { openDatabase } from '../../src/storage/openDatabase.ts';
import { endRun, listRuns, putRun } from '../../src/storage/runs.ts';

afterEach(() => void vi.unstubAllGlobals());

describe('site data that is blocked', () => {
  it('settings live in memory', () => {
    vi.stubGlobal('localStorage', {
      getItem: () => {
        throw new DOMException('denied', 'SecurityError');
      },
      setItem: () => {
        throw new DOMException('denied', 'SecurityError');
      },
      removeItem: () => {
        throw new DOMException('denied', 'SecurityError');
      },
    });
    expect(keptSetting('a')).toBeNull();
    keepSetting('a', '1');
    expect(keptSetting('a')).toBe('1');
    keepSetting('a', null);
    expect(keptSetting('a')).toBeNull();
  });

  it('the database says what to do', async () => {
    vi.stubGlobal('indexedDB', {
      open: () => {
        throw new DOMException('denied', 'SecurityError');
      },
    });
    await expect(openDatabase()).rejects.toThrow(/keeps no data for this page \(denied\).*Allow site data/);
  });

  it('of a newer version says to close the tabs', async () => {
    (await openDB('newer', 999)).close();
    await expect(openDatabase('newer')).rejects.toThrow(/written by a newer version of Finetab/);
  });

  it('that a frozen tab with an older version holds: it says which tabs to close, and opens after that', async () => {
    const held = await openDB('held', 4);
    await expect(openDatabase('held', 20)).rejects.toThrow(
      /older version.*another tab.*Close the other tabs/,
    );
    const waiting = openDatabase('held', 60_000);
    held.close();
    expect([...(await waiting).objectStoreNames]).toEqual(['files']);
  });

  it('that is cleared while the page is open: each use says so', async () => {
    const database = await openDatabase('cleared');
    await putRun(database, newRun('a'));
    // As a browser does it.
    unwrap(database).close();
    const cleared = /browser closed what it keeps for this page: its site data was cleared.*reload/;
    await expect(listRuns(database)).rejects.toThrow(cleared);
    await expect(putRun(database, newRun('b'))).rejects.toThrow(cleared);
    await expect(endRun(database, 'a', {}, {}, false)).rejects.toThrow(cleared);
  });
});
