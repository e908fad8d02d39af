/**
 * Data that may lie beside the project. A test that needs it and does not find it says that it is skipped;
 * REQUIRE_SHARED=1 makes that an error.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../../shared', import.meta.url));

/** Path of a folder or file of ../shared; null where it is not there. */
export function sharedPath(path: string): string | null {
  const whole = join(root, path);
  if (existsSync(whole)) return whole;
  if (process.env.REQUIRE_SHARED) throw new Error(`../shared/${path} is required but not there`);
  return null;
}
