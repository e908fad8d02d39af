/** How much the page may store in this browser, and how much it does. */
import { UserError } from '../lib/errors.ts';

export interface StorageUse {
  usedBytes: number;
  quotaBytes: number;
  /** Whether the browser promised not to clear it by itself. */
  persisted: boolean;
}

export async function storageUse(): Promise<StorageUse> {
  const { usage = 0, quota = 0 } = await navigator.storage.estimate();
  return { usedBytes: usage, quotaBytes: quota, persisted: await navigator.storage.persisted() };
}

/** @throws UserError where `bytes` more do not fit, before anything is written */
export async function checkRoom(bytes: number): Promise<void> {
  const { usedBytes, quotaBytes } = await storageUse();
  if (quotaBytes > 0 && bytes > quotaBytes - usedBytes) {
    throw new UserError(
      `The model needs ${mebibytes(bytes)} of browser storage, but only ${mebibytes(quotaBytes - usedBytes)} are free. Delete a stored model or free disk space, then drop it again.`,
    );
  }
}

function mebibytes(bytes: number): string {
  return `${Math.ceil(bytes / 2 ** 20).toLocaleString('en')} MiB`;
}
