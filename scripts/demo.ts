/**
 * `npm run demo [-- --out DIR] [--rewards]`: presses "Try it with the demo", or the button of its rewards, in
 * a headless browser. Shows how far it is,
 * the loss of every file, three answers before and after, and where the adapter lies: DIR/adapter, beside
 * metrics.jsonl, recipe.json and report.md.
 */
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { Page } from 'playwright-core';
import { followRun, openPlace, settle, type Progress } from './lib/drivePage.ts';
import { saveResult, withPage } from './lib/headlessPage.ts';
import { root } from './lib/site.ts';
import { table } from './lib/textTable.ts';

const ANSWERS = 3;
const BAR_WIDTH = 30;

export async function main(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      out: { type: 'string', default: join(root, 'demo-run') },
      rewards: { type: 'boolean', default: false },
    },
  });
  return withPage(async (page) => {
    const button = values.rewards ? 'Watch it learn by rewards' : 'Try it with the demo';
    await page.getByRole('button', { name: button }).click();
    await page
      .getByRole('progressbar', { name: 'Training' })
      .or(page.locator('main > .alert p'))
      .first()
      .waitFor({ timeout: 0 });
    await settle(page);
    const problems = await followRun(page, process.stdout.isTTY ? drawBar : sayEveryTenth());
    if (process.stdout.isTTY) process.stdout.write('\n');
    await openPlace(page, 'Run');
    const answers = await answersOf(page, values.rewards ? 'sums' : 'pirate');
    const metrics = await saveResult(page, resolve(values.out));
    console.log(`\n${lossTable(metrics)}\n`);
    const rewards = rewardsOf(metrics);
    if (rewards) console.log(`${rewards}\n`);
    for (const { prompt, before, after } of answers.slice(0, ANSWERS))
      console.log(`${prompt}\n  before: ${before}\n  after:  ${after}\n`);
    console.log(`The adapter is in ${join(resolve(values.out), 'adapter')}`);
    for (const problem of problems) console.error(problem);
    return problems.some((problem) => problem.includes('could not be evaluated')) ? 1 : 0;
  }, resolve(values.out));
}

function drawBar({ state, step, totalSteps }: Progress): void {
  const filled = Math.round((BAR_WIDTH * step) / Math.max(1, totalSteps));
  process.stdout.write(`\r[${'█'.repeat(filled)}${'░'.repeat(BAR_WIDTH - filled)}] ${state}\x1b[K`);
}

/** Prints a line after each tenth of the steps, for logs. */
function sayEveryTenth(): (progress: Progress) => void {
  let said = -1;
  return ({ state, step, totalSteps }) => {
    const tenth = Math.floor((10 * step) / Math.max(1, totalSteps));
    if (tenth <= said) return;
    said = tenth;
    console.log(`${String(10 * tenth).padStart(3)} %  ${state}`);
  };
}

/** Loss of the training steps and of every validation file: at the start, the best, at the end. */
function lossTable(metricsJsonl: string): string {
  const lines = metricsJsonl
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, number>);
  const keys = [
    'loss',
    ...new Set(lines.flatMap((line) => Object.keys(line).filter((key) => /^eval_.+_loss$/.test(key)))),
  ];
  const rows = keys.map((key) => {
    const values = lines.map((line) => line[key]).filter((value) => value !== undefined);
    const name = key === 'loss' ? 'training' : key.replace(/^eval_(.+)_loss$/, '$1');
    return [name, ...[values[0], Math.min(...values), values.at(-1)!].map((value) => value.toFixed(4))];
  });
  return table([['loss', 'start', 'best', 'end'], ...rows]);
}

/** Mean rewards of the first and of the last ten steps; null where no step has one. */
function rewardsOf(metricsJsonl: string): string | null {
  const lines = metricsJsonl
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as Record<string, number>).reward)
    .filter((reward) => reward !== undefined);
  if (lines.length === 0) return null;
  const meanOf = (values: number[]) => (values.reduce((a, b) => a + b, 0) / values.length).toFixed(3);
  return `mean reward: ${lines[0].toFixed(3)} in the first step, ${meanOf(lines.slice(-10))} in the last ten`;
}

/** The rows of the page's table of answers. */
async function answersOf(
  page: Page,
  name: string,
): Promise<{ prompt: string; before: string; after: string }[]> {
  const rows = await page
    .getByRole('table', { name: `Answers of ${name}` })
    .locator('tbody tr')
    .all();
  return Promise.all(
    rows.map(async (row) => {
      const [prompt, before, after] = (await row.locator('th, td').allInnerTexts()).map((text) =>
        text.trim(),
      );
      return { prompt, before, after };
    }),
  );
}
