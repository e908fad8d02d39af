/** `npm run size`: what a visitor downloads, by file and by dependency. */
import { join } from 'node:path';
import { dependencySizes, downloadSizes } from './lib/sizes.ts';
import { buildSite, root } from './lib/site.ts';
import { table } from './lib/textTable.ts';

const kilobytes = (bytes: number) => `${(bytes / 1000).toFixed(1)} kB`;

export async function main(): Promise<number> {
  await buildSite();
  const { page, demo, files } = await downloadSizes(join(root, 'dist'));
  const rows = (list: { name: string; gzipped: number }[]) =>
    list.map(({ name, gzipped }) => [name, kilobytes(gzipped)]);
  console.log(`${table([['file', 'gzipped'], ...rows(files)])}\n`);
  console.log(
    `${table([['dependency, over the page and its workers', 'gzipped'], ...rows(await dependencySizes())])}\n`,
  );
  console.log(
    `The page with all that it may load: ${kilobytes(page)} gzipped. The demo beside it: ${kilobytes(demo)}.`,
  );
  return 0;
}
