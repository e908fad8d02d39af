/** What a visitor downloads: gzipped bytes of the built folder, and how much of them each dependency is. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, relative, sep } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Plugin } from 'vite';
import { PLAYER_FOLDER } from './playerBuild.ts';
import { buildForProduction } from './site.ts';

export interface DownloadSizes {
  /** Gzipped bytes of everything but the demo and the player: the page with all that it may ever load. */
  page: number;
  /** Gzipped bytes of the player's modules, which the page hands out and does not load. */
  player: Record<string, number>;
  /** Bytes of the demo as it is stored: weights do not compress. */
  demo: number;
  files: { name: string; gzipped: number }[];
}

export async function downloadSizes(folder: string): Promise<DownloadSizes> {
  const names = (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)));
  const sizes: DownloadSizes = { page: 0, player: {}, demo: 0, files: [] };
  for (const name of names) {
    const bytes = await readFile(join(folder, name));
    if (name.startsWith(`demo${sep}`)) sizes.demo += bytes.length;
    else if (name.startsWith(`${PLAYER_FOLDER}${sep}`)) sizes.player[basename(name)] = gzipSync(bytes).length;
    else {
      const gzipped = gzipSync(bytes).length;
      sizes.page += gzipped;
      sizes.files.push({ name, gzipped });
    }
  }
  sizes.files.sort((a, b) => b.gzipped - a.gzipped);
  return sizes;
}

/**
 * Gzipped bytes of each dependency over all scripts of the page and its workers, as its share of each
 * script's text; 'Finetab' is the project's own code.
 */
export async function dependencySizes(): Promise<{ name: string; gzipped: number }[]> {
  const sums = new Map<string, number>();
  const collect: Plugin = {
    name: 'dependency-sizes',
    generateBundle(_, bundle) {
      for (const chunk of Object.values(bundle)) {
        if (chunk.type !== 'chunk') continue;
        const gzipped = gzipSync(chunk.code).length;
        const modules = Object.entries(chunk.modules).map(
          ([id, { renderedLength }]) => [packageOf(id), renderedLength] as const,
        );
        const whole = modules.reduce((sum, [, length]) => sum + length, 0);
        for (const [name, length] of modules)
          sums.set(name, (sums.get(name) ?? 0) + (gzipped * length) / Math.max(1, whole));
      }
    },
  };
  const outDir = await mkdtemp(join(tmpdir(), 'finetab-size-'));
  await buildForProduction({
    build: { outDir, emptyOutDir: true },
    plugins: [collect],
    worker: { format: 'es', plugins: () => [collect] },
  });
  await rm(outDir, { recursive: true });
  return [...sums]
    .map(([name, gzipped]) => ({ name, gzipped: Math.round(gzipped) }))
    .sort((a, b) => b.gzipped - a.gzipped);
}

function packageOf(id: string): string {
  const [, name] = /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(id.replaceAll('\\', '/')) ?? [];
  return name ?? 'Finetab';
}
