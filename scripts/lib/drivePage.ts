/**
 * What a person does on the page, done by a script: files in, Train, progress, downloads out. Labels are the
 * page's own.
 */
import { readFile } from 'node:fs/promises';
import type { Locator, Page } from 'playwright-core';

/** An error that the page itself showed. */
export class PageError extends Error {}

/**
 * Waits until the page has read, imported and planned what it was given.
 * @throws PageError with what the page then says is wrong
 */
export async function settle(page: Page): Promise<void> {
  await page.locator('main[aria-busy="false"]').waitFor({ timeout: 0 });
  const alert = page.locator('main > .alert p');
  if (await alert.count()) throw new PageError(await alert.first().innerText());
}

export async function chooseFiles(
  page: Page,
  input: 'Load a recipe' | 'Choose model files' | 'Choose data files',
  paths: string | readonly string[] | { name: string; mimeType: string; buffer: Buffer },
): Promise<void> {
  await page.locator(`input[aria-label="${input}"]`).setInputFiles(paths);
  await settle(page);
}

/** Downloads a model from the Hub by its name. @throws PageError with what the page then says is wrong */
export async function downloadModel(page: Page, id: string, token = ''): Promise<void> {
  await page.getByLabel('Or download one from the Hugging Face Hub').fill(id);
  if (token) {
    await page.getByText('Gated model? Use an access token').click();
    await page.getByLabel(/^Access token/).fill(token);
  }
  await page.getByRole('button', { name: 'Download', exact: true }).click();
  await settle(page);
}

/** Presses Train. @throws PageError where the page gives a reason why it cannot */
export async function pressTrain(page: Page): Promise<void> {
  const missing = page.getByRole('list', { name: 'What is missing' }).getByRole('listitem');
  if (await missing.count()) throw new PageError((await missing.allInnerTexts()).join(' '));
  const again = page.locator('details:not([open]) > summary', { hasText: 'Train again' });
  if (await again.count()) await again.click();
  await page.getByRole('button', { name: 'Train', exact: true }).click();
}

/** The next run goes on from an adapter. @throws PageError where it does not fit the model */
export async function continueFrom(page: Page, files: readonly string[]): Promise<void> {
  await page.locator('input[aria-label="Choose adapter files"]').setInputFiles(files);
  await settle(page);
  const notice = page.getByText('The run goes on from the adapter');
  await notice.waitFor({ timeout: 60_000 });
  console.log(await notice.innerText());
}

/** Takes a run that another computer saved, and goes on with it. @throws PageError where it cannot */
export async function resumeRun(page: Page, file: string): Promise<void> {
  await page.locator('input[aria-label="Choose a run file"]').setInputFiles(file);
  const history = page.getByRole('region', { name: 'History' });
  const kept = history.getByRole('list', { name: 'Kept runs' });
  await kept.or(history.getByRole('alert')).first().waitFor({ timeout: 0 });
  if (await history.getByRole('alert').count())
    throw new PageError(await history.getByRole('alert').first().innerText());
  await pressResume(page);
}

/** Presses Resume of the one kept run. @throws PageError where the model or the data are others */
export async function pressResume(page: Page): Promise<void> {
  const button = page.getByRole('list', { name: 'Kept runs' }).getByRole('button', { name: /^Resume from/ });
  if (await button.isDisabled())
    throw new PageError(
      'The run cannot be resumed with this model and these data files. Give the recipe, the model and the files with which it was started.',
    );
  await button.click();
}

export interface Progress {
  state: string;
  step: number;
  totalSteps: number;
}

/**
 * Follows a run to its end.
 * @returns problems that did not end it, such as a validation file that failed
 * @throws PageError where the run failed
 */
export async function followRun(page: Page, onProgress: (progress: Progress) => void): Promise<string[]> {
  const run = page.getByRole('region', { name: 'Run', exact: true });
  for (;;) {
    const bar = run.getByRole('progressbar', { name: 'Training' });
    const state = await run.locator('.head .state').innerText();
    onProgress({
      state,
      step: Number(await bar.getAttribute('value')),
      totalSteps: Number(await bar.getAttribute('max')),
    });
    const alerts = await texts(run.getByRole('alert'));
    if (state === 'Failed') throw new PageError(alerts[0] ?? 'The run failed.');
    if (await page.getByRole('button', { name: 'Download the adapter' }).count()) return alerts;
    await page.waitForTimeout(250);
  }
}

async function texts(locator: Locator): Promise<string[]> {
  return locator.allInnerTexts();
}

/** Presses a download button and gives the file's bytes. */
export async function download(page: Page, button: string): Promise<Uint8Array> {
  const [file] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: button, exact: true }).click(),
  ]);
  return new Uint8Array(await readFile(await file.path()));
}
