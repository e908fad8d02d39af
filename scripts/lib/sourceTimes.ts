/** Whether a built file is newer than everything that it is made from. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const SOURCES = [
  'index.html',
  'vite.config.ts',
  'svelte.config.js',
  'package-lock.json',
  'scripts/lib/playerBuild.ts',
  'src',
  'shaders',
  'public',
];

export function isFresh(built: string): boolean {
  const sources = SOURCES.map((name) => join(root, name)).filter(existsSync);
  return statSync(built).mtimeMs > Math.max(...sources.map(newest));
}

function newest(path: string): number {
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.mtimeMs;
  return Math.max(stat.mtimeMs, ...readdirSync(path).map((name) => newest(join(path, name))));
}
