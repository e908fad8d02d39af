/** The built page in a headless browser for one command, and its results on disk. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { unzipSync } from 'fflate';
import type { ExportName } from '../../src/export/exportNames.ts';
import { en } from '../../src/page/language/en.ts';
import type { Page } from 'playwright-core';
import { reportHtml } from '../../src/export/reportHtml.ts';
import { EVENTS_FILE, tensorboardEvents } from '../../src/export/tensorboard.ts';
import type { MetricsLine } from '../../src/training/metrics.ts';
import { IN_ENGLISH, findOrInstallBrowser, launchBrowser, NO_BROWSER } from './browser.ts';
import { download, openPlace, openTab } from './drivePage.ts';
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
    const page = await browser.newPage(IN_ENGLISH);
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
 * Downloads what a finished run left: `out`/adapter/ (the PEFT folder), metrics.jsonl, also as TensorBoard's
 * events in tensorboard/, recipe.json, report.md and report.html.
 * @returns metrics.jsonl
 */
export async function saveResult(page: Page, out: string): Promise<string> {
  await mkdir(join(out, 'adapter'), { recursive: true });
  for (const [path, bytes] of Object.entries(unzipSync(await download(page, 'Download the adapter'))))
    await writeFile(join(out, path), bytes);
  const texts: Record<string, Uint8Array> = {};
  for (const name of ['metrics.jsonl', 'recipe.json', 'report.md'])
    await writeFile(join(out, name), (texts[name] = await download(page, name)));
  const decode = (name: string) => new TextDecoder().decode(texts[name]);
  const metrics = decode('metrics.jsonl');
  await writeFile(join(out, 'report.html'), reportHtml(decode('report.md')));
  await mkdir(join(out, 'tensorboard'), { recursive: true });
  const lines = metrics.split('\n').filter((line) => line !== '');
  const events = tensorboardEvents(lines.map((line) => JSON.parse(line) as MetricsLine));
  await writeFile(join(out, 'tensorboard', EVENTS_FILE), events);
  console.log(
    `Wrote ${join(out, 'adapter')}, metrics.jsonl, tensorboard, recipe.json, report.md and report.html.`,
  );
  return metrics;
}

/**
 * The page's own exports, as its buttons give them. @throws Error with what the page says of one that failed
 */
export async function saveExports(page: Page, out: string, forms: readonly ExportName[]): Promise<void> {
  if (forms.length === 0) return;
  await openPlace(page, 'Result');
  await openTab(page, 'For other programs');
  const panel = page.getByRole('region', { name: 'For other programs' });
  const asZip = panel.getByLabel('as a zip');
  if (await asZip.count()) await asZip.check();
  for (const form of forms) {
    const button = panel.getByRole('button', { name: en.result.exportForms[form] });
    const failed = panel.getByRole('alert').innerText({ timeout: 0 });
    const saved = page.waitForEvent('download', { timeout: 0 });
    await button.click();
    const result = await Promise.race([saved, failed.then((message) => new Error(message))]);
    if (result instanceof Error) throw result;
    const files = Object.entries(unzipSync(await readFile(await result.path())));
    for (const [path, bytes] of files) {
      const target = join(out, 'exports', form, path);
      await mkdir(dirname(target), { recursive: true });
      await writeFile(target, bytes);
    }
    console.log(`${form}: ${files.map(([path]) => join(out, 'exports', form, path)).join(', ')}`);
    await button.and(page.locator(':enabled')).waitFor();
    const notes = panel.getByRole('list', { name: 'What to know of this export' }).getByRole('listitem');
    for (const note of await notes.allInnerTexts()) console.log(`  ${note}`);
  }
}

/** Saves the run that was stopped, with which another computer goes on, as `out`/run.zip. */
export async function saveRunFile(page: Page, out: string): Promise<void> {
  await openPlace(page, 'History');
  const run = page.getByRole('table', { name: 'Kept runs' }).locator('tbody').first();
  await run.getByRole('button', { name: /^More/ }).click();
  const button = run.getByRole('button', { name: 'Export to go on elsewhere' });
  if (!(await button.count())) {
    console.log('The run ended before it could be stopped: there is nothing to go on with.');
    return;
  }
  await writeFile(join(out, 'run.zip'), await download(page, 'Export to go on elsewhere'));
  console.log(
    `Wrote ${join(out, 'run.zip')}: npm run headless -- RECIPE --out DIR --resume run.zip goes on with it.`,
  );
}
