/** The built page in a headless browser for one command, and its results on disk. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { unzipSync } from 'fflate';
import type { Page } from 'playwright-core';
import { findOrInstallBrowser, launchBrowser, NO_BROWSER } from './browser.ts';
import { download } from './drivePage.ts';
import { buildSite, serveSite } from './site.ts';
import { messageOf } from '../../src/lib/errors.ts';

/**
 * Builds and serves the page, opens it and closes everything at the end. HF_ENDPOINT names another Hub, as
 * its Python library reads it. After a failure the page's own log of errors, with the stacks of its workers,
 * goes into a file.
 * @param out folder of the command's results; errors.txt is written there
 * @param query of the page's address
 * @throws where there is no browser
 */
export async function withPage<T>(
  use: (page: Page) => Promise<T>,
  out: string,
  query: Record<string, string> = {},
): Promise<T> {
  const executable = findOrInstallBrowser();
  if (!executable) throw new Error(NO_BROWSER);
  await buildSite();
  const site = await serveSite();
  const { browser, adapter } = await launchBrowser(executable, site.url);
  try {
    console.log(
      `Browser: ${browser.browserType().name()} ${browser.version()}, WebGPU adapter: ${adapter ?? 'none'}`,
    );
    const page = await browser.newPage();
    page.on('console', (message) => process.env.DEBUG && console.error(`page: ${message.text()}`));
    page.on('crash', () =>
      console.error('The page crashed: the browser ran out of memory or the GPU process failed.'),
    );
    const hub = process.env.HF_ENDPOINT;
    await page.goto(`${site.url}?${new URLSearchParams(hub ? { ...query, hub } : query).toString()}`);
    try {
      return await use(page);
    } catch (error) {
      const file = join(out, 'errors.txt');
      await mkdir(out, { recursive: true });
      await writeFile(file, `${await errorDetailsOf(page)}\n`);
      console.error(`What the page recorded of its errors is in ${file}`);
      throw error;
    }
  } finally {
    await browser.close();
    await site.close();
  }
}

/** What "Copy details" would copy. */
async function errorDetailsOf(page: Page): Promise<string> {
  try {
    return await page.evaluate(() =>
      (globalThis as unknown as { finetab: { errorDetails(): string } }).finetab.errorDetails(),
    );
  } catch (error) {
    // The page itself crashed, or the browser was closed.
    return `The page could not be asked: ${messageOf(error)}`;
  }
}

/**
 * Downloads what a finished run left: `out`/adapter/ (the PEFT folder), metrics.jsonl, recipe.json and
 * report.md.
 * @returns metrics.jsonl
 */
export async function saveResult(page: Page, out: string): Promise<string> {
  await mkdir(join(out, 'adapter'), { recursive: true });
  for (const [path, bytes] of Object.entries(unzipSync(await download(page, 'Download the adapter'))))
    await writeFile(join(out, path), bytes);
  const texts: Record<string, Uint8Array> = {};
  for (const name of ['metrics.jsonl', 'recipe.json', 'report.md'])
    await writeFile(join(out, name), (texts[name] = await download(page, name)));
  console.log(`Wrote ${join(out, 'adapter')}, metrics.jsonl, recipe.json and report.md.`);
  return new TextDecoder().decode(texts['metrics.jsonl']);
}
