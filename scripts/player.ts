/**
 * `npm run player [-- --out DIR]`: builds finetab-player.js, the ES module with which any page plays an
 * exported folder, and finetab-player-fallback.js, which it loads where there is no WebGPU; into dist/player.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';
import { buildPlayer } from './lib/playerBuild.ts';
import { root } from './lib/site.ts';

export async function main(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: { out: { type: 'string', default: join(root, 'dist', 'player') } },
  });
  await mkdir(values.out, { recursive: true });
  for (const [name, text] of Object.entries(await buildPlayer())) {
    await writeFile(join(values.out, name), text);
    console.log(`${join(values.out, name)}: ${text.length} bytes, ${gzipSync(text).length} gzipped`);
  }
  return 0;
}
