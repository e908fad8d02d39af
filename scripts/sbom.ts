/**
 * `npm run sbom [-- FILE]`: the packages that the page is built from, with their versions and hashes, as
 * CycloneDX
 * (npm's own `npm sbom`), into dist/sbom.cdx.json. Packages for development are left out: nothing of them
 * reaches
 * the page.
 */
import { spawnSync } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { root } from './lib/site.ts';

export interface Sbom {
  metadata: { component: { name: string } };
  components: { name: string; version: string; hashes?: { alg: string; content: string }[] }[];
}

export async function main([file = join(root, 'dist', 'sbom.cdx.json')]: string[]): Promise<number> {
  const sbom = await makeSbom();
  await mkdir(dirname(resolve(file)), { recursive: true });
  await writeFile(file, `${JSON.stringify(sbom, null, 2)}\n`);
  console.log(`Wrote ${sbom.components.length} components to ${file}.`);
  return 0;
}

/** @throws where npm fails, or leaves a dependency of package.json out */
export async function makeSbom(): Promise<Sbom> {
  const args = ['sbom', '--omit', 'dev', '--sbom-format', 'cyclonedx', '--sbom-type', 'application'];
  const { status, stdout, stderr } = spawnSync('npm', args, {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
  });
  if (status !== 0) throw new Error(`npm sbom failed: ${stderr}`);
  const sbom = JSON.parse(stdout) as Sbom;
  const { name, dependencies } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as {
    name: string;
    dependencies: Record<string, string>;
  };
  // npm names the folder.
  sbom.metadata.component.name = name;
  for (const [dependency, version] of Object.entries(dependencies)) {
    const listed = sbom.components.some((part) => part.name === dependency && part.version === version);
    if (!listed) throw new Error(`npm sbom does not list ${dependency} ${version}.`);
  }
  return sbom;
}
