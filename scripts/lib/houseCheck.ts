/** Applies the rules of the house to the files of the project that Git knows. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fullFolders, longFile, longLines, privateWords, type Violation } from './houseRules.ts';
import { root } from './site.ts';

const CHECKED = /^(src|shaders|scripts|tests)\/.*\.(ts|mts|mjs|svelte|wgsl|css)$/;
const OURS = /^(src|shaders)\//;

/** Prints every breach. @returns whether there is none */
export function keepsHouseRules(): boolean {
  const found = breaches();
  for (const { path, line, message } of found)
    console.error(`${path}${line === undefined ? '' : `:${line}`}: ${message}`);
  return found.length === 0;
}

/** @returns every breach, in the order of the paths */
export function breaches(): Violation[] {
  const paths = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
  })
    .split('\n')
    .filter((path) => CHECKED.test(path) && existsSync(join(root, path)));
  const ours = paths.filter((path) => OURS.test(path));
  const files = (list: readonly string[]) =>
    list.map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));
  return [
    ...files(paths).flatMap(longLines),
    ...files(ours).flatMap((file) => [...longFile(file), ...privateWords(file)]),
    ...fullFolders(ours),
  ];
}
