/**
 * `npm run screenshots [-- --all DIR]`: takes the page's pictures. Those that the README shows, of the demo,
 * go into docs/screenshots/; with --all every state with a small model, light and dark, from a phone's width
 * to a projector's, goes into DIR, to be looked at.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Page } from 'playwright-core';
import { folderOf, rowsOf, tinyModelPaths } from '../tests/helpers/page.ts';
import { IN_ENGLISH, findOrInstallBrowser, launchBrowser, NO_BROWSER } from './lib/browser.ts';
import { chooseFiles, followRun, openPlace, pressTrain, type PlaceName } from './lib/drivePage.ts';
import { buildSite, root, serveSite } from './lib/site.ts';

interface View {
  name: string;
  width: number;
  height: number;
  colorScheme: 'light' | 'dark';
}

const README_VIEW: View = { name: '', width: 1180, height: 1240, colorScheme: 'light' };
const ALL_VIEWS: View[] = [
  { name: 'phone', width: 360, height: 740, colorScheme: 'light' },
  { name: 'phone-dark', width: 360, height: 740, colorScheme: 'dark' },
  { name: 'tablet', width: 768, height: 1024, colorScheme: 'light' },
  { name: 'laptop', width: 1440, height: 900, colorScheme: 'light' },
  { name: 'laptop-dark', width: 1440, height: 900, colorScheme: 'dark' },
  { name: 'projector', width: 1920, height: 1080, colorScheme: 'light' },
  { name: 'projector-dark', width: 1920, height: 1080, colorScheme: 'dark' },
];

const QUESTIONS = [
  'Where is the map?',
  'Who goes there?',
  'Is the ship ready?',
  'What is for supper?',
  'How far is the island?',
  'Can you sing?',
];
const RECIPE = {
  model: 'tiny',
  max_length: 96,
  lora: { r: 8, lora_alpha: 16 },
  training: { max_steps: 60, learning_rate: 0.01, per_device_train_batch_size: 4 },
  evaluation: {
    eval_steps: 10,
    predict_with_generate: true,
    max_new_tokens: 24,
    do_sample: false,
    eval_max_samples: 4,
    metric_for_best_model: 'eval_pirate_loss',
  },
};

type Take = (state: string, place?: PlaceName) => Promise<void>;

/** What the README shows: the demo trained, and its answers. */
async function walkDemo(page: Page, url: string, take: Take): Promise<void> {
  await page.goto(url);
  await page.getByRole('button', { name: 'Try it with the demo' }).click();
  await page.getByRole('progressbar', { name: 'Training' }).waitFor({ timeout: 300_000 });
  await followRun(page, () => undefined);
  await take('run', 'Run');
  await openPlace(page, 'Result');
  const question = page.getByPlaceholder('Ask something');
  for (const text of ['What colour is grass?', 'What sound does a duck make?']) {
    await question.fill(text);
    await page.getByRole('button', { name: 'Send' }).click();
    await page
      .getByRole('button', { name: 'Answer again' })
      .and(page.locator(':enabled'))
      .waitFor({ timeout: 120_000 });
  }
  await take('result', 'Result');
}

/** The states of the page in the order in which a person meets them. */
async function walk(page: Page, url: string, take: Take): Promise<void> {
  const data = await folderOf({
    'train.jsonl': rowsOf(48, (i) => ({
      query: `${QUESTIONS[i % 6]} (${i})`,
      response: i % 2 ? 'Aye, captain! Over the waves.' : 'Arr, matey! Under the sails.',
    })),
    'pirate.val.jsonl': rowsOf(6, (i) => ({
      query: `${QUESTIONS[i % 6]} (${100 + i})`,
      response: i % 2 ? 'Aye, captain! Over the waves.' : 'Arr, matey! Under the sails.',
    })),
    'plain.val.jsonl': rowsOf(4, (i) => ({
      query: `Count to ${i + 2}.`,
      response: Array.from({ length: i + 2 }, (_, n) => n + 1).join(' '),
    })),
  });
  const recipe = await folderOf({ 'recipe.json': JSON.stringify(RECIPE) });
  await page.goto(url);
  await take('start');
  await chooseFiles(page, 'Load a recipe', recipe['recipe.json']);
  await chooseFiles(page, 'Choose model files', await tinyModelPaths());
  await chooseFiles(page, 'Choose data files', Object.values(data));
  await take('model', 'Model');
  await take('data', 'Data');
  await take('recipe', 'Recipe');
  await take('before-start', 'Run');
  await pressTrain(page);
  await page.waitForFunction(
    () => Number(document.querySelector('progress[aria-label="Training"]')?.getAttribute('value')) >= 25,
    undefined,
    { timeout: 300_000 },
  );
  await take('run');
  await followRun(page, () => undefined);
  await take('run-ended', 'Run');
  await openPlace(page, 'Result');
  for (const tab of await page.locator('#step-result [role="tab"]').all()) {
    await tab.click();
    await take(`result-${(await tab.innerText()).toLowerCase().replaceAll(/\W+/g, '-')}`, 'Result');
  }
  for (const place of ['History', 'Classroom', 'Storage', 'This GPU'] as const)
    await take(place.toLowerCase().replaceAll(' ', '-'), place);
}

export async function main(args: string[]): Promise<number> {
  const { values } = parseArgs({ args, options: { all: { type: 'string' } } });
  const executable = findOrInstallBrowser();
  if (!executable) throw new Error(NO_BROWSER);
  await buildSite();
  const site = await serveSite();
  const { browser } = await launchBrowser(executable, site.url);
  const out = values.all ?? join(root, 'docs', 'screenshots');
  const views = values.all ? ALL_VIEWS : [README_VIEW];
  await mkdir(out, { recursive: true });
  try {
    const page = await browser.newPage(IN_ENGLISH);
    await (values.all ? walk : walkDemo)(page, site.url, async (state, place) => {
      if (place) await openPlace(page, place);
      for (const { name, width, height, colorScheme } of views) {
        await page.setViewportSize({ width, height });
        await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
        await page.evaluate(() => scrollTo(0, 0));
        await page.waitForTimeout(250);
        await page.screenshot({
          path: join(out, `${[state, name].filter(Boolean).join('-')}.png`),
          fullPage: values.all !== undefined,
        });
      }
    });
  } finally {
    await browser.close();
    await site.close();
  }
  console.log(`Wrote the pictures into ${out}.`);
  return 0;
}
