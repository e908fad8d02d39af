/**
 * lavapipe, Mesa's software Vulkan driver, as a second software adapter for tests. It offers what SwiftShader
 * does not: shader-f16, 1,024 invocations a workgroup and 16 storage buffers a stage. Dawn refuses Mesa 22,
 * so that Debian 12 needs the package of its backports. The packages are unpacked into .cache/lavapipe and
 * not installed: the system's own adapters stay as they are.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findsAdapter, softwareFolders } from './gpuEnvironment.mjs';
import { root } from './site.ts';

const FOLDER = join(root, '.cache', 'lavapipe');
const PACKAGE = 'mesa-vulkan-drivers';
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';
const FEATURES = ['shader-f16', 'subgroups'];

/** @returns the variables to run with, or the reason why there is no lavapipe */
export function lavapipeEnvironment(): { env: NodeJS.ProcessEnv } | { missing: string } {
  if (process.platform !== 'linux') return { missing: 'lavapipe is looked for on Linux only' };
  const own = [
    ...systemManifests().map((manifest) => environmentOf(manifest, softwareFolders())),
    environmentOf(manifestPath(), libraryFolders()),
  ];
  const found = own.find((env) => findsAdapter(env, FEATURES));
  if (found) return { env: found };
  const failure = unpackPackages();
  if (failure !== null) return { missing: failure };
  const env = environmentOf(manifestPath(), libraryFolders());
  return findsAdapter(env, FEATURES)
    ? { env }
    : { missing: `the driver of ${PACKAGE} in ${FOLDER} offers no adapter with ${FEATURES.join(' and ')}` };
}

function environmentOf(manifest: string, libraries: readonly string[]): NodeJS.ProcessEnv {
  return {
    ...process.env,
    VK_ICD_FILENAMES: manifest,
    LD_LIBRARY_PATH: [...libraries, process.env.LD_LIBRARY_PATH].filter(Boolean).join(':'),
  };
}

function systemManifests(): string[] {
  const folder = '/usr/share/vulkan/icd.d';
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => /^lvp_icd.*\.json$/.test(name))
    .map((name) => join(folder, name));
}

function manifestPath(): string {
  return join(FOLDER, 'lvp_icd.json');
}

/** Where the unpacked packages have their shared libraries. */
function libraryFolders(): string[] {
  const libraries = join(FOLDER, 'root', 'usr', 'lib');
  if (!existsSync(libraries)) return [];
  return readdirSync(libraries, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name.endsWith('-linux-gnu'))
    .map(({ name }) => join(libraries, name));
}

/**
 * Downloads the driver and what it needs from this system's own Debian mirror.
 * @returns why it could not be done; null where it was
 */
function unpackPackages(): string | null {
  if (!existsSync('/usr/bin/apt-get') || !existsSync('/usr/bin/dpkg-deb') || !existsSync(KEYRING))
    return `lavapipe was not found, and only Debian's packages can be fetched. Install ${PACKAGE} 23 or newer.`;
  const codename = /^VERSION_CODENAME=(.+)$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1];
  const mirror = run('apt-get', ['indextargets', '--format', '$(SITE) $(CODENAME) $(COMPONENT)'])
    .output.split('\n')
    .map((line) => line.split(' '))
    .find(([, suite, component]) => suite === codename && component === 'main')?.[0];
  if (!codename || !mirror) return `apt has no source of this release. Install ${PACKAGE} 23 or newer.`;

  console.error(`Fetching ${PACKAGE} for the tests of float16…`);
  const apt = join(FOLDER, 'apt');
  rmSync(FOLDER, { recursive: true, force: true });
  for (const name of ['lists/partial', 'archives/partial']) mkdirSync(join(apt, name), { recursive: true });
  const backports = `${codename}-backports`;
  const suites = codename === 'bookworm' ? [codename, backports] : [codename];
  writeFileSync(
    join(apt, 'sources.list'),
    suites.map((suite) => `deb [signed-by=${KEYRING}] ${mirror} ${suite} main\n`).join(''),
  );
  const options = [
    `Dir::State::lists=${apt}/lists`,
    `Dir::Cache=${apt}`,
    `Dir::Cache::archives=${apt}/archives`,
    `Dir::Etc::sourcelist=${apt}/sources.list`,
    'Dir::Etc::sourceparts=/dev/null',
    'APT::Sandbox::User=',
    'Debug::NoLocking=1',
    'Acquire::Retries=1',
    'Acquire::http::Timeout=20',
  ].flatMap((option) => ['-o', option]);
  const target = suites.includes(backports) ? ['-t', backports] : [];
  const steps = [
    ['update'],
    ['install', '--yes', '--no-install-recommends', '--download-only', ...target, PACKAGE],
  ];
  for (const step of steps) {
    const { status, error } = run('apt-get', [...options, ...step]);
    if (status !== 0) return `${PACKAGE} could not be fetched from ${mirror}: ${error}`;
  }
  const archives = readdirSync(join(apt, 'archives')).filter((name) => name.endsWith('.deb'));
  for (const name of archives) {
    const { status, error } = run('dpkg-deb', ['-x', join(apt, 'archives', name), join(FOLDER, 'root')]);
    if (status !== 0) return `${name} could not be unpacked: ${error}`;
  }
  rmSync(apt, { recursive: true });
  const driver = libraryFolders()
    .map((folder) => join(folder, 'libvulkan_lvp.so'))
    .find((path) => existsSync(path));
  // What is installed already is not fetched: a system whose driver Dawn refused has nothing newer.
  if (!driver) return `the newest ${PACKAGE} of ${suites.join(' and ')} is installed, but Dawn refuses it`;
  const manifests = join(FOLDER, 'root', 'usr', 'share', 'vulkan', 'icd.d');
  const own = readdirSync(manifests).find((name) => /^lvp_icd.*\.json$/.test(name));
  if (!own) return `${PACKAGE} has no manifest of lavapipe`;
  const manifest = JSON.parse(readFileSync(join(manifests, own), 'utf8')) as { ICD: object };
  const located = { ...manifest, ICD: { ...manifest.ICD, library_path: driver } };
  writeFileSync(manifestPath(), JSON.stringify(located));
  return null;
}

/** @returns the exit code, standard output, and the last line of standard error */
function run(program: string, args: string[]): { status: number | null; output: string; error: string } {
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    encoding: 'utf8',
    timeout: 300_000,
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });
  const last = error?.message ?? stderr.trim().split('\n').at(-1) ?? '';
  return { status, output: stdout ?? '', error: last };
}
