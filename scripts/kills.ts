/**
 * `node scripts/run.mjs scripts/kills.ts [--seeds 5]`: trains a small model in a browser whose process is
 * killed in
 * every phase of the run: import, kernels, evaluation, checkpoint, end. Opened again, the page goes on each
 * time; the adapter has the bytes of a run that nobody disturbed. Exits with 1 where one has not.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { unzipSync } from 'fflate';
import type { BrowserContext, Page } from 'playwright-core';
import { folderOf, rowsOf, tinyModelPaths } from '../tests/helpers/page.ts';
import { findOrInstallBrowser, launchProfile, NO_BROWSER } from './lib/browser.ts';
import { chooseFiles, download, followRun, openPlace, pressTrain, settle } from './lib/drivePage.ts';
import { buildSite, serveSite } from './lib/site.ts';

const PHASES = ['import', 'kernels', 'evaluation', 'checkpoint', 'end'] as const;
type Phase = (typeof PHASES)[number];

/** So many that a run which goes on near its end still has an evaluation ahead of it. */
const STEPS = 24;
const FINISHED = `finished, ${STEPS} steps`;

interface Files {
  recipe: string;
  model: string[];
  data: string[];
}

export async function main(args: string[]): Promise<number> {
  const { values } = parseArgs({ args, options: { seeds: { type: 'string', default: '5' } } });
  const executable = findOrInstallBrowser();
  if (!executable) throw new Error(NO_BROWSER);
  await buildSite();
  const site = await serveSite();
  let bad = 0;
  for (let seed = 1; seed <= Number(values.seeds); seed++) {
    const files = await filesFor(seed);
    const open = (folder: string) => launchProfile(executable, site.url, folder);
    const whole = await withProfile(async (folder) => {
      const context = await open(folder);
      const adapter = await finish(await pageOf(context, site.url), files);
      await context.close();
      return adapter;
    });
    const killed = await withProfile(async (folder) => {
      for (const phase of PHASES) {
        const context = await open(folder);
        const at = await killIn(phase, await pageOf(context, site.url), files, seed, () => kill(folder));
        console.log(`seed ${seed}: killed in ${phase}${at}`);
        await context.close().catch(() => undefined);
      }
      const context = await open(folder);
      const adapter = await finish(await pageOf(context, site.url), files);
      await context.close();
      return adapter;
    });
    if (killed !== whole) bad++;
    console.log(`seed ${seed}: ${killed === whole ? 'same bytes' : 'OTHER BYTES'}, ${whole.slice(0, 16)}`);
  }
  await site.close();
  return bad === 0 ? 0 : 1;
}

async function withProfile<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'finetab-kills-'));
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
}

async function filesFor(seed: number): Promise<Files> {
  const recipe = {
    model: 'tiny',
    max_length: 64,
    lora: { r: 4, lora_alpha: 8, lora_dropout: 0.1 },
    training: {
      max_steps: STEPS,
      per_device_train_batch_size: 4,
      learning_rate: 0.01,
      warmup_ratio: 0,
      seed,
    },
    evaluation: { eval_steps: 3, metric_for_best_model: 'eval_other_loss' },
  };
  const paths = await folderOf({
    'recipe.json': JSON.stringify(recipe),
    'train.jsonl': rowsOf(12, (i) => ({ query: `say ${i}`, response: 'ahoy' })),
    'other.val.jsonl': rowsOf(8, (i) => ({ query: `count ${i}`, response: `${i}` })),
  });
  return {
    recipe: paths['recipe.json'],
    model: await tinyModelPaths(),
    data: [paths['train.jsonl'], paths['other.val.jsonl']],
  };
}

async function pageOf(context: BrowserContext, url: string): Promise<Page> {
  const page = await context.newPage();
  page.on('dialog', (dialog) => void dialog.accept());
  await page.goto(url);
  await settle(page);
  return page;
}

/** Brings files, and presses Train, or Resume where a run was cut off. @returns false where it is over */
async function begin(page: Page, { recipe, model, data }: Files): Promise<boolean> {
  await chooseFiles(page, 'Load a recipe', recipe);
  const run = page.locator('[aria-label="Kept runs"]').getByText(FINISHED);
  if (await run.count()) return false;
  await chooseFiles(page, 'Choose model files', model);
  await chooseFiles(page, 'Choose data files', data);
  await openPlace(page, 'Run');
  const resume = page.getByRole('button', { name: /^Resume from step/ });
  if (await resume.count()) await resume.first().click();
  else await pressTrain(page);
  return true;
}

/** To the end. @returns SHA-256 of the adapter */
async function finish(page: Page, files: Files): Promise<string> {
  if (await begin(page, files)) await followRun(page, () => undefined);
  await openPlace(page, 'History');
  const kept = page.getByRole('table', { name: 'Kept runs' }).locator('tbody');
  await kept.first().waitFor();
  // A run that was cut before its first checkpoint stays in the list.
  const whole = kept.filter({ hasText: FINISHED });
  await whole.getByRole('button', { name: /^More/ }).click();
  const zip = unzipSync(await download(page, 'Download its adapter'));
  return createHash('sha256').update(zip['adapter/adapter_model.safetensors']).digest('hex');
}

/** @returns where it was, in words */
async function killIn(
  phase: Phase,
  page: Page,
  files: Files,
  seed: number,
  end: () => void,
): Promise<string> {
  // A share of a while that differs from seed to seed and from phase to phase.
  const share = ((seed * 7 + PHASES.indexOf(phase) * 3) % 10) / 10;
  const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, Math.round(share * ms)));
  if (phase === 'import') {
    await chooseFiles(page, 'Load a recipe', files.recipe);
    void page
      .locator('input[aria-label="Choose model files"]')
      .setInputFiles(files.model)
      .catch(() => undefined);
    await pause(600);
    end();
    return `, ${Math.round(share * 600)} ms after the drop`;
  }
  if (!(await begin(page, files))) {
    end();
    return ', where the run was over already';
  }
  const text = page.locator('#step-run .head .state');
  // A run that ends before the phase was seen is killed at its end.
  const wait = (pattern: RegExp) =>
    text
      .filter({ hasText: new RegExp(`${pattern.source}|^Finished`) })
      .waitFor({ state: 'attached', timeout: 0 });
  if (phase === 'kernels') {
    await pause(1000);
  } else if (phase === 'evaluation') {
    await wait(/^Evaluating/);
    await pause(200);
  } else if (phase === 'checkpoint') {
    await wait(/^Evaluating/);
    await wait(/^Training/);
    await pause(60);
  } else {
    await wait(new RegExp(`step (${STEPS - 1}|${STEPS}) of|at step ${STEPS}`));
    await pause(800);
  }
  const state = await text.innerText();
  end();
  return `, at "${state}"`;
}

/** Ends the browser that this script started over a profile folder, and no other. */
function kill(folder: string): void {
  const all = execFileSync('ps', ['-eo', 'pid=,args='], { encoding: 'utf8', maxBuffer: 2 ** 26 });
  const own = all
    .split('\n')
    .filter((line) => line.includes(`--user-data-dir=${folder}`) && !line.includes('--type='))
    .map((line) => Number(line.trim().split(' ')[0]));
  if (own.length === 0) throw new Error(`No browser runs over ${folder}.`);
  for (const pid of own) process.kill(pid, 'SIGKILL');
}
