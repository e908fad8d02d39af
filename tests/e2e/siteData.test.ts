/**
 * A browser that keeps no data for the page, or has a newer version's, or loses it in the middle of a
 * run.
 */
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { unzipSync } from 'fflate';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchProfile } from '../../scripts/lib/browser.ts';
import { chooseFiles, download, followRun, openPlace, pressTrain } from '../../scripts/lib/drivePage.ts';
import { readIndependently } from '../helpers/independentReader.ts';
import { browserPath, folderOf, openSite, rowsOf, tinyModelPaths, type OpenSite } from '../helpers/page.ts';

const RECIPE = {
  model: 'tiny',
  max_length: 64,
  lora: { r: 4, lora_alpha: 8 },
  training: { max_steps: 4, per_device_train_batch_size: 4, learning_rate: 0.01, warmup_ratio: 0 },
  evaluation: { eval_steps: 2 },
};

describe.skipIf(!browserPath)('site data', { timeout: 240_000 }, () => {
  let open: OpenSite;
  beforeAll(async () => void (open = await openSite()), 240_000);
  afterAll(() => open?.close());

  async function fill(page: Page): Promise<void> {
    const files = await folderOf({
      'recipe.json': JSON.stringify(RECIPE),
      'train.jsonl': rowsOf(12, (i) => ({ query: `say ${i}`, response: 'ahoy' })),
      'other.val.jsonl': rowsOf(2, (i) => ({ query: `count ${i}`, response: `${i}` })),
    });
    await chooseFiles(page, 'Load a recipe', files['recipe.json']);
    await chooseFiles(page, 'Choose model files', await tinyModelPaths());
    await chooseFiles(page, 'Choose data files', [files['train.jsonl'], files['other.val.jsonl']]);
  }

  it('that is blocked: the page trains in memory and says what will not be kept', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'finetab-blocked-'));
    await mkdir(join(folder, 'Default'));
    const blocked = { profile: { default_content_setting_values: { cookies: 2 } } };
    await writeFile(join(folder, 'Default', 'Preferences'), JSON.stringify(blocked));
    const context = await launchProfile(browserPath!, open.site.url, folder);
    const page = await context.newPage();
    const thrown: string[] = [];
    page.on('pageerror', (error) => thrown.push(error.message));
    await page.goto(open.site.url);
    expect(await page.evaluate(() => indexedDB.open('x') && navigator.locks.query().catch(String))).toMatch(
      /SecurityError/,
    );
    await page.getByText(/keeps no data for this page[\s\S]*held in\s+this tab's memory/).waitFor();
    await fill(page);
    await pressTrain(page);
    expect(await followRun(page, () => undefined)).toEqual([]);
    const zip = unzipSync(await download(page, 'Download the adapter'));
    const tensors = readIndependently(zip['adapter/adapter_model.safetensors']);
    expect(Object.keys(tensors).length).toBe(28);
    // It is in the list of runs as long as the tab is there, and gone with it.
    await openPlace(page, 'History');
    await page.getByRole('table', { name: 'Kept runs' }).getByText('finished, 4 steps').waitFor();
    expect(thrown).toEqual([]);
    await page.reload();
    await page.getByText('Every run is kept here').waitFor();
    await context.close();
  });

  it('of a newer version: a sentence, and nothing throws', async () => {
    const context = await open.newContext();
    const page = await context.newPage();
    // A page of the same address that is not Finetab's makes the database.
    await page.goto(`${open.site.url}favicon.svg`);
    await page.evaluate(
      () =>
        new Promise((resolve) => {
          const request = indexedDB.open('finetab', 999);
          request.onsuccess = () => resolve(request.result.close());
        }),
    );
    const thrown: string[] = [];
    page.on('pageerror', (error) => thrown.push(error.message));
    await page.goto(open.site.url);
    await page
      .getByText(/written by a newer version of Finetab/)
      .first()
      .waitFor();
    expect(await page.locator('main[aria-busy="false"]').count()).toBe(1);
    expect(thrown).toEqual([]);
    await context.close();
  });
});
