/**
 * What the browser lets the page store: an import that does not fit is refused before anything is written.
 */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { checkRoom, storageUse } from '../../src/storage/quota.ts';

function browserWith(estimate: StorageEstimate, persisted = false): void {
  vi.stubGlobal('navigator', {
    storage: { estimate: async () => estimate, persisted: async () => persisted },
  });
}

const MIB = 2 ** 20;

describe('browser storage', () => {
  afterEach(() => vi.unstubAllGlobals());

  it('has what the quota leaves: to the byte, not the whole quota', async () => {
    browserWith({ usage: 300 * MIB, quota: 1000 * MIB });
    await expect(checkRoom(700 * MIB)).resolves.toBeUndefined();
    await expect(checkRoom(700 * MIB + 1)).rejects.toMatchObject({
      name: 'UserError',
      message:
        'The model needs 701 MiB of browser storage, but only 700 MiB are free. Delete a stored model or free disk space, then drop it again.',
    });
  });

  it('does not refuse where the browser names no quota', async () => {
    browserWith({ usage: 5 });
    await expect(checkRoom(10 ** 12)).resolves.toBeUndefined();
  });

  it('is reported with use, quota and whether it is kept', async () => {
    browserWith({ usage: 5, quota: 9 }, true);
    expect(await storageUse()).toEqual({ usedBytes: 5, quotaBytes: 9, persisted: true });
  });
});
