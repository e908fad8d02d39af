/**
 * `npm run catalogue`: computes the figures of src/page/model/catalogue.json again from the configs in
 * it. To add a model, write its id, licence, gated and config there, what it is good at into the page's
 * texts (`goodAt` in src/page/language), and run this.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CatalogueModel } from '../src/page/model/catalogue.ts';
import { catalogueFigures } from './lib/catalogueFigures.ts';
import { root } from './lib/site.ts';

export async function main(): Promise<number> {
  const path = join(root, 'src/page/model/catalogue.json');
  const models = JSON.parse(await readFile(path, 'utf8')) as CatalogueModel[];
  const gib = (bytes: number) => (bytes / 2 ** 30).toFixed(2);
  for (const model of models) {
    Object.assign(model, catalogueFigures(model.config));
    const { id, parameters, storedBytes, memoryBytes } = model;
    console.log(
      `${id}: ${(parameters / 1e6).toFixed(1)} M, stored ${gib(storedBytes)} GiB, T 512 ${gib(memoryBytes[512])} GiB, T 1024 ${gib(memoryBytes[1024])} GiB`,
    );
  }
  await writeFile(path, `${JSON.stringify(models, null, 2)}\n`);
  return 0;
}
