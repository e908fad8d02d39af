/**
 * Finds, installs (Debian, as root) and launches a browser of Chrome's family, with the best WebGPU adapter
 * it offers.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';
import { adapterName, isSoftwareAdapter } from '../../src/gpu/adapterInfo.ts';
import { graphicsCards, softwareNotice } from './graphicsCards.ts';

const LINUX = [
  'google-chrome-stable',
  'google-chrome',
  'chromium',
  'chromium-browser',
  'microsoft-edge-stable',
  'microsoft-edge',
];

function candidates(): string[] {
  const { env, platform } = process;
  if (platform === 'darwin') {
    return ['Google Chrome', 'Chromium', 'Microsoft Edge'].flatMap((name) => [
      `/Applications/${name}.app/Contents/MacOS/${name}`,
      `${env.HOME}/Applications/${name}.app/Contents/MacOS/${name}`,
    ]);
  }
  if (platform === 'win32') {
    const roots = [env.PROGRAMFILES, env['PROGRAMFILES(X86)'], env.LOCALAPPDATA].filter(
      (root) => root !== undefined,
    );
    return roots.flatMap((root) =>
      [
        'Google\\Chrome\\Application\\chrome.exe',
        'Chromium\\Application\\chrome.exe',
        'Microsoft\\Edge\\Application\\msedge.exe',
      ].map((path) => join(root, path)),
    );
  }
  const folders = [
    ...(env.PATH ?? '').split(':'),
    '/usr/bin',
    '/snap/bin',
    '/opt/google/chrome',
    '/opt/microsoft/msedge',
  ];
  return LINUX.flatMap((name) => folders.map((folder) => join(folder, name)));
}

/** CHROME_PATH, else where systems put Chrome, Chromium and Edge. @throws where CHROME_PATH names nothing */
export function findBrowser(): string | null {
  const named = process.env.CHROME_PATH;
  if (named) {
    if (!existsSync(named))
      throw new Error(
        `CHROME_PATH is ${named}, but no file is there. Set it to the executable of Chrome, Chromium or Edge.`,
      );
    return named;
  }
  return candidates().find(existsSync) ?? null;
}

/**
 * Finds a browser; where there is none and Debian's packages may be installed, installs Chromium. Null where
 * that cannot be.
 */
export function findOrInstallBrowser(): string | null {
  const found = findBrowser();
  if (found) return found;
  if (process.platform !== 'linux' || process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get'))
    return null;
  console.error('No browser found: installing chromium…');
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  for (const args of [['update'], ['install', '-y', '--no-install-recommends', 'chromium']]) {
    if (spawnSync('apt-get', args, { stdio: ['ignore', 2, 2], env }).status !== 0) return null;
  }
  return findBrowser();
}

/** Of a context whose page is read by its English texts, whatever the machine's language is. */
export const IN_ENGLISH = { locale: 'en-US' } as const;

export const NO_BROWSER =
  'No Chrome, Chromium or Edge was found. Install one, or set CHROME_PATH to its executable.';

export interface OpenBrowser {
  browser: Browser;
  /** The WebGPU adapter in words; null where there is none. */
  adapter: string | null;
}

interface Switches {
  args: string[];
  /** Of Playwright's own switches, those that are left out. */
  ignoreDefaultArgs: string[];
}

/** The switches of a launch that asks for the GPU, and of one that asks for the software adapter. */
function switches(more: readonly string[]): Switches[] {
  const common = ['--enable-unsafe-webgpu', ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []), ...more];
  const software = {
    args: [...common, '--use-webgpu-adapter=swiftshader'],
    ignoreDefaultArgs: ['--disable-gpu'],
  };
  if (process.env.FINETAB_SOFTWARE) return [software];
  const hardware = {
    args: [...common, ...(process.platform === 'linux' ? LINUX_GPU : [])],
    // With this one Chromium takes its software adapter in place of a card that it does not know well.
    ignoreDefaultArgs: ['--disable-gpu', '--enable-unsafe-swiftshader'],
  };
  return [hardware, software];
}

/**
 * Chromium without a display reaches a card through Vulkan only. Of two lists of features it takes the last,
 * so that these stand for Playwright's own too.
 */
const LINUX_GPU = [
  '--enable-features=Vulkan,CDPScreenshotNewSurface',
  '--use-angle=vulkan',
  '--disable-vulkan-surface',
  '--ignore-gpu-blocklist',
];

/** For so long a launch that asks for the GPU is given to answer with one. */
const GPU_WAIT_MS = 5000;

/**
 * Null where the page gets no adapter. The first answer of a browser whose GPU process is still starting is
 * null, on a machine with a graphics card too: it is asked for so long.
 */
async function adapterOf(page: Page, waitMs: number): Promise<GPUAdapterInfo | null> {
  return page.evaluate(async (limitMs) => {
    const end = performance.now() + limitMs;
    for (;;) {
      const found = await navigator.gpu?.requestAdapter();
      if (found) {
        const { vendor, architecture, device, description, isFallbackAdapter } = found.info;
        return { vendor, architecture, device, description, isFallbackAdapter } as GPUAdapterInfo;
      }
      if (performance.now() > end) return null;
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  }, waitMs);
}

/**
 * Launches with the first set of switches that gives a WebGPU adapter: the GPU's, then the software
 * adapter's. Says so where that is the processor though the machine has a graphics card.
 * @param launch starts a browser or a profile
 * @param url a page of this machine to ask on: WebGPU is offered to secure contexts only
 */
async function launchFirst<T extends { newPage(): Promise<Page>; close(): Promise<void> }>(
  launch: (options: Switches) => Promise<T>,
  url: string,
  more: readonly string[],
): Promise<{ launched: T; adapter: string | null }> {
  const sets = switches(more);
  const cards = graphicsCards();
  const mayHaveGpu = process.platform !== 'linux' || cards.length > 0;
  for (const [i, options] of sets.entries()) {
    const launched = await launch(options);
    const page = await launched.newPage();
    await page.goto(url);
    const adapter = await adapterOf(page, mayHaveGpu ? GPU_WAIT_MS : 0);
    await page.close();
    const isGpu = adapter !== null && !isSoftwareAdapter(adapter);
    if (isGpu || i === sets.length - 1) {
      const notice = isGpu ? null : softwareNotice(cards);
      if (notice) console.error(notice);
      return { launched, adapter: adapter && adapterName(adapter) };
    }
    await launched.close();
  }
  throw new Error('unreachable');
}

/**
 * Launches a headless browser with the best WebGPU adapter it offers.
 * @param url a page of this machine to ask on: WebGPU is offered to secure contexts only
 * @param more switches of the caller's own
 */
export async function launchBrowser(
  executablePath: string,
  url: string,
  more: readonly string[] = [],
): Promise<OpenBrowser> {
  const { launched, adapter } = await launchFirst(
    (options) => chromium.launch({ executablePath, headless: true, ...options }),
    url,
    more,
  );
  return { browser: launched, adapter };
}

/**
 * The same with a profile in a folder, as a person's browser has one: what a page stores is on the disk, not
 * in memory.
 */
export async function launchProfile(
  executablePath: string,
  url: string,
  folder: string,
): Promise<BrowserContext> {
  const { launched } = await launchFirst(
    (options) =>
      chromium.launchPersistentContext(folder, { executablePath, headless: true, ...IN_ENGLISH, ...options }),
    url,
    [],
  );
  return launched;
}
