/**
 * Finds, installs (Debian, as root) and launches a browser of Chrome's family, with the best WebGPU adapter
 * it offers.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';

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

export const NO_BROWSER =
  'No Chrome, Chromium or Edge was found. Install one, or set CHROME_PATH to its executable.';

export interface OpenBrowser {
  browser: Browser;
  /** The WebGPU adapter in words; null where there is none. */
  adapter: string | null;
}

/** Every launch's switches, and after them in turn those of the GPU and of the software adapter. */
function switches(): { common: string[]; adapters: string[][] } {
  const hardware =
    process.platform === 'linux'
      ? ['--enable-features=Vulkan', '--use-angle=vulkan', '--disable-vulkan-surface']
      : [];
  return {
    common: ['--enable-unsafe-webgpu', ...(process.getuid?.() === 0 ? ['--no-sandbox'] : [])],
    adapters: process.env.FINETAB_SOFTWARE
      ? [['--use-webgpu-adapter=swiftshader']]
      : [hardware, ['--use-webgpu-adapter=swiftshader']],
  };
}

async function adapterOf(page: Page): Promise<string | null> {
  return page.evaluate(async () => {
    const found = await navigator.gpu?.requestAdapter();
    return found
      ? [found.info.vendor, found.info.architecture, found.info.description].filter(Boolean).join(' ') ||
          'unnamed'
      : null;
  });
}

/**
 * Launches headless with the first set of switches that gives a WebGPU adapter: the GPU's, then the software
 * adapter's.
 * @param url a page of this machine to ask on: WebGPU is offered to secure contexts only
 * @param more switches of the caller's own
 */
export async function launchBrowser(
  executablePath: string,
  url: string,
  more: readonly string[] = [],
): Promise<OpenBrowser> {
  const { common, adapters } = switches();
  for (const [i, args] of adapters.entries()) {
    const browser = await chromium.launch({
      executablePath,
      headless: true,
      ignoreDefaultArgs: ['--disable-gpu'],
      args: [...common, ...args, ...more],
    });
    const page = await browser.newPage();
    await page.goto(url);
    const adapter = await adapterOf(page);
    await page.close();
    if (adapter !== null || i === adapters.length - 1) return { browser, adapter };
    await browser.close();
  }
  throw new Error('unreachable');
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
  const { common, adapters } = switches();
  for (const [i, args] of adapters.entries()) {
    const context = await chromium.launchPersistentContext(folder, {
      executablePath,
      headless: true,
      ignoreDefaultArgs: ['--disable-gpu'],
      args: [...common, ...args],
    });
    const page = await context.newPage();
    await page.goto(url);
    const adapter = await adapterOf(page);
    await page.close();
    if (adapter !== null || i === adapters.length - 1) return context;
    await context.close();
  }
  throw new Error('unreachable');
}
