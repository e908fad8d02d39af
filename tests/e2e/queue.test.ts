/** A sweep of two runs with a reload between them: queued, trained, compared, saved as CSV. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Page } from 'playwright-core';
import { chooseFiles, download, openPlace, settle } from '../../scripts/lib/drivePage.ts';
import { browserPath, folderOf, openSite, pageErrors, rowsOf, tinyModelPaths } from '../helpers/page.ts';
import type { OpenSite } from '../helpers/page.ts';

const RECIPE = JSON.stringify({
  model: 'tiny',
  max_length: 64,
  lora: { r: 4, lora_alpha: 8 },
  training: { max_steps: 6, warmup_ratio: 0, learning_rate: 0.01 },
  evaluation: { eval_steps: 3 },
});
const DATA = {
  'train.jsonl': rowsOf(12, (i) => ({ query: `say ${i}`, response: 'ahoy' })),
  'pirate.val.jsonl': rowsOf(3, (i) => ({ query: `say ${20 + i}`, response: 'ahoy' })),
};

let open: OpenSite;
let model: string[];
let files: Record<string, string>;

describe.skipIf(!browserPath)('a sweep', { timeout: 240_000 }, () => {
  beforeAll(async () => {
    open = await openSite();
    model = await tinyModelPaths();
    files = await folderOf({ ...DATA, 'recipe.json': RECIPE });
  }, 240_000);
  afterAll(() => open?.close());

  const ended = (page: Page, text: string) =>
    page.locator('section[aria-label="Sweep 1"]').getByText(text).waitFor({ state: 'attached' });

  it('of two runs goes on after a reload, and gives a table, a chart and a CSV', async () => {
    const context = await open.newContext();
    const page = await context.newPage();
    const errors = pageErrors(page);
    page.on('dialog', (dialog) => void dialog.accept());
    await page.goto(open.site.url);
    await chooseFiles(page, 'Load a recipe', files['recipe.json']);
    await chooseFiles(page, 'Choose model files', model);
    await chooseFiles(page, 'Choose data files', [files['train.jsonl'], files['pirate.val.jsonl']]);
    await openPlace(page, 'Data');
    await page.getByLabel('Keep a copy of these files in this browser').check();
    await openPlace(page, 'Run');
    await page.getByText('Several runs: queue and sweep').click();
    await page.getByText('Make a sweep').click();
    await page.getByRole('textbox', { name: 'training.learning_rate' }).fill('0.0001, 0.02');
    await page.getByRole('button', { name: 'Take lora.r out of the sweep' }).press('Enter');
    const needs = page.getByRole('status', { name: 'What the sweep needs' });
    await needs.getByText(/2 runs, 12 steps together\. GPU memory: at most [\d.]+ [KM]iB/).waitFor();
    await page.getByRole('button', { name: 'Start the sweep' }).press('Enter');
    await page.getByRole('button', { name: 'Rest after this run' }).press('Enter');
    await ended(page, '1 of 2 runs ended');

    await page.reload();
    await settle(page);
    await ended(page, '1 of 2 runs ended');
    // Model, recipe and rows are here again by themselves.
    await page.getByText('Your work of the last visit is here again').waitFor();
    await openPlace(page, 'Run');
    await page.getByRole('button', { name: 'Start the queue (1)' }).press('Enter');
    await ended(page, '2 of 2 runs ended');
    await openPlace(page, 'Run');

    const csv = new TextDecoder().decode(await download(page, 'Download the table of sweep 1 as CSV'));
    const [head, ...rows] = csv
      .trimEnd()
      .split('\n')
      .map((line) => line.split(','));
    const column = (name: string) => rows.map((row) => row[head.indexOf(name)]);
    expect(column('training.learning_rate')).toEqual(['0.0001', '0.02']);
    expect(column('state')).toEqual(['finished', 'finished']);
    expect(column('steps')).toEqual(['6', '6']);
    expect(column('is_best')).toEqual(['no', 'yes']);
    // Both start from the same adapter and rows; the larger rate learns more of them.
    const start = column('eval_pirate_loss_start').map(Number);
    const end = column('eval_pirate_loss_end').map(Number);
    expect(start[0]).toBe(start[1]);
    expect(end[0]).toBeLessThan(start[0]);
    expect(end[1]).toBeLessThan(end[0] - 0.1);
    // The history has the same figures, and the chart both curves.
    const chart = page.getByRole('region', { name: 'Sweep 1' }).getByRole('img');
    expect(await chart.getAttribute('aria-label')).toMatch(
      /^pirate loss: learning_rate 0\.0001 from .*; learning_rate 0\.02 from/,
    );
    await openPlace(page, 'History');
    const kept = page.getByRole('table', { name: 'Kept runs' });
    for (const [i, rate] of ['0.0001', '0.02'].entries()) {
      const run = kept.getByRole('rowgroup', { name: `learning_rate ${rate}` });
      expect(await run.innerText()).toContain(`${start[i].toFixed(3)} → ${end[i].toFixed(3)}`);
    }
    expect(errors).toEqual([]);
    await context.close();
  });
});
