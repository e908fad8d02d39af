/**
 * What a person does on the page, done by a script: files in, Train, progress, downloads out. Labels are the
 * page's own.
 */
import { readFile } from 'node:fs/promises';
import type { Locator, Page } from 'playwright-core';

/** An error that the page itself showed. */
export class PageError extends Error {}

/** Steps and tools by their names in the rail. */
export type PlaceName =
  'Model' | 'Data' | 'Recipe' | 'Run' | 'Result' | 'History' | 'Classroom' | 'Storage' | 'This GPU';

/** Goes to a step or a tool by the rail. */
export async function openPlace(page: Page, name: PlaceName): Promise<void> {
  const link = page
    .getByRole('navigation', { name: /^(Steps|Tools)$/ })
    .getByRole('link')
    .filter({ has: page.locator('strong', { hasText: new RegExp(`^${name}$`) }) });
  await link.click();
  await link.and(page.locator('[aria-current]')).waitFor();
}

/** Shows a tab of the step that is shown. */
export async function openTab(page: Page, name: string): Promise<void> {
  await page.getByRole('tab', { name, exact: true }).click();
}

/**
 * Brings a part of the page into sight, as a person would: by the rail, and by the tab that it lies under.
 * @returns the part
 */
export async function reveal(part: Locator): Promise<Locator> {
  await part.first().evaluate((element) => {
    const place = element.closest<HTMLElement>('[data-place]');
    if (place?.hidden) document.querySelector<HTMLElement>(`a[href="#${place.dataset.place}"]`)!.click();
    const panel = element.closest<HTMLElement>('[role="tabpanel"]');
    if (panel?.hidden) document.getElementById(panel.getAttribute('aria-labelledby')!)!.click();
    for (let at = element.parentElement; at; at = at.parentElement)
      if (at instanceof HTMLDetailsElement) at.open = true;
  });
  await part.first().waitFor();
  return part;
}

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
  await (await reveal(page.getByLabel('Or download one from the Hugging Face Hub'))).fill(id);
  if (token) {
    await page.getByText('Gated model? Use an access token').click();
    await page.getByLabel(/^Access token/).fill(token);
  }
  await page.getByRole('button', { name: 'Download', exact: true }).click();
  await settle(page);
}

/** Presses Train. @throws PageError where the page gives a reason why it cannot */
export async function pressTrain(page: Page): Promise<void> {
  if (!(await page.locator('#step-run').isVisible())) await openPlace(page, 'Run');
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
  await openPlace(page, 'History');
  const history = page.getByRole('region', { name: 'History' });
  const kept = history.getByRole('table', { name: 'Kept runs' });
  await kept.or(history.getByRole('alert')).first().waitFor({ timeout: 0 });
  if (await history.getByRole('alert').count())
    throw new PageError(await history.getByRole('alert').first().innerText());
  await pressResume(page);
}

/** Presses Resume of the one kept run. @throws PageError where the model or the data are others */
export async function pressResume(page: Page): Promise<void> {
  await openPlace(page, 'History');
  const kept = page.getByRole('table', { name: 'Kept runs' });
  const button = kept.getByRole('button', { name: /^Resume from/ });
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
  // By what the page holds, not by what is in sight: the page goes on to the result when the run ends.
  const run = page.locator('#step-run');
  for (;;) {
    const bar = run.locator('progress[aria-label="Training"]');
    const state = (await run.locator('.head .state').innerText()).trim();
    onProgress({
      state,
      step: Number(await bar.getAttribute('value')),
      totalSteps: Number(await bar.getAttribute('max')),
    });
    const alerts = (await run.locator('[role="alert"]').allInnerTexts()).map((text) =>
      text.trim().replaceAll(/\s+/g, ' '),
    );
    if (state === 'Failed') throw new PageError(alerts[0] ?? 'The run failed.');
    if (await downloadButton(page, 'Download the adapter').count()) return alerts;
    await page.waitForTimeout(250);
  }
}

/** Also where it is out of sight. */
function downloadButton(page: Page, name: string): Locator {
  return page.getByRole('button', { name, exact: true, includeHidden: true });
}

/** Presses a download button, wherever on the page it is, and gives the file's bytes. */
export async function download(page: Page, button: string): Promise<Uint8Array> {
  await reveal(downloadButton(page, button));
  const [file] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: button, exact: true }).click(),
  ]);
  return new Uint8Array(await readFile(await file.path()));
}
