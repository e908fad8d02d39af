/**
 * `npm run bench -- newcomer [--dist FOLDER]`: a person opens the page for the first time and tries it with
 * the demo. Reports seconds from the opening to the button, to the first step's loss, to the first answer
 * that training has changed, and to the end of the run, on the adapter that the browser offers
 * (FINETAB_SOFTWARE=1: the processor).
 */
import { cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import type { Page } from 'playwright-core';
import { IN_ENGLISH, findOrInstallBrowser, launchBrowser, NO_BROWSER } from '../lib/browser.ts';
import { followRun } from '../lib/drivePage.ts';
import { siteOf } from '../lib/serveFolder.ts';

const PATIENCE_MS = 900_000;

/** Seconds from the opening of the page. */
export interface NewcomerBench {
  adapter: string | null;
  cores: number;
  loadBefore: number;
  buttonSeconds: number;
  firstLossSeconds: number;
  changedAnswerSeconds: number;
  endSeconds: number;
}

export async function benchNewcomer(args: string[]): Promise<NewcomerBench> {
  const { values } = parseArgs({ args, options: { dist: { type: 'string' } } });
  const executable = findOrInstallBrowser();
  if (!executable) throw new Error(NO_BROWSER);
  const site = await siteOf(values.dist);
  const { browser, adapter } = await launchBrowser(executable, site.url);
  try {
    // A context of its own has seen nothing: no cache, no stored model, no measured kernels.
    const page = await (await browser.newContext(IN_ENGLISH)).newPage();
    const loadBefore = loadavg()[0];
    const began = performance.now();
    const seconds = () => Number(((performance.now() - began) / 1000).toFixed(1));
    await page.goto(site.url);
    const button = page.getByRole('button', { name: 'Try it with the demo' });
    await button.waitFor();
    const buttonSeconds = seconds();
    await button.click();
    let firstLossSeconds = 0;
    let changedAnswerSeconds = 0;
    const changed = anAnswerChanges(page).then(() => (changedAnswerSeconds = seconds()));
    await followRun(page, ({ step }) => {
      if (step > 0) firstLossSeconds ||= seconds();
    });
    const endSeconds = seconds();
    await changed;
    return {
      adapter,
      cores: cpus().length,
      loadBefore,
      buttonSeconds,
      firstLossSeconds,
      changedAnswerSeconds,
      endSeconds,
    };
  } finally {
    await browser.close();
    await site.close();
  }
}

/** Until an answer of the last evaluation is another than the one before training. */
async function anAnswerChanges(page: Page): Promise<void> {
  await page.locator('#step-run td.changed').first().waitFor({ state: 'attached', timeout: PATIENCE_MS });
}
