/**
 * The built page in a headless browser, for tests that do what a person does. Without a browser they are
 * skipped; REQUIRE_BROWSER=1 makes that an error.
 */
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Browser, BrowserContext, BrowserContextOptions, Locator, Page } from 'playwright-core';
import { findBrowser, IN_ENGLISH, launchBrowser, NO_BROWSER } from '../../scripts/lib/browser.ts';
import { serveSite, type Site } from '../../scripts/lib/site.ts';
import { tinyModelFiles } from './tinyModel.ts';

export const browserPath = findBrowser();
if (!browserPath && process.env.REQUIRE_BROWSER) throw new Error(NO_BROWSER);

/** What anything on the page may take on a machine whose CPU is its GPU and does other work too. */
const PATIENCE_MS = 180_000;

export interface OpenSite {
  site: Site;
  browser: Browser;
  adapter: string | null;
  newContext(options?: BrowserContextOptions): Promise<BrowserContext>;
  close(): Promise<void>;
}

export async function openSite(): Promise<OpenSite> {
  const site = await serveSite();
  const { browser, adapter } = await launchBrowser(browserPath!, site.url);
  return {
    site,
    browser,
    adapter,
    newContext: (options) => newContext(browser, options),
    async close() {
      await browser.close();
      await site.close();
    },
  };
}

/** A profile of its own, with patience. */
export async function newContext(browser: Browser, options?: BrowserContextOptions): Promise<BrowserContext> {
  const context = await browser.newContext({ ...IN_ENGLISH, ...options });
  context.setDefaultTimeout(PATIENCE_MS);
  return context;
}

/** Errors that a page threw or its console showed; tests expect none. */
export function pageErrors(page: Page): string[] {
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(error.message));
  page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
  return errors;
}

/** Train, also where another step is shown. */
export function trainButton(page: Page): Locator {
  return page.getByRole('button', { name: 'Train', exact: true, includeHidden: true });
}

/** Writes files into a new folder. @returns their paths by name */
export async function folderOf(files: Record<string, string | Uint8Array>): Promise<Record<string, string>> {
  const folder = await mkdtemp(join(tmpdir(), 'finetab-e2e-'));
  const paths: Record<string, string> = {};
  for (const [name, contents] of Object.entries(files)) {
    paths[name] = join(folder, name);
    await mkdir(dirname(paths[name]), { recursive: true });
    await writeFile(paths[name], contents);
  }
  return paths;
}

/** The tiny model's folder on disk. */
export async function tinyModelPaths(changes: Parameters<typeof tinyModelFiles>[0] = {}): Promise<string[]> {
  const files = await Promise.all(
    tinyModelFiles(changes).map(
      async ({ path, blob }) => [path, new Uint8Array(await blob.arrayBuffer())] as const,
    ),
  );
  return Object.values(await folderOf(Object.fromEntries(files)));
}

/** Rows of one file: a question and its answer, over and over with another number. */
export function rowsOf(count: number, row: (i: number) => { query: string; response: string }): string {
  return Array.from({ length: count }, (_, i) => `${JSON.stringify(row(i))}\n`).join('');
}
