/** The runs of a sweep in the page, one after another, each with its own folder, and their table. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { recipeToJson, type Recipe } from '../../src/training/recipe.ts';
import type { MetricsLine } from '../../src/training/metrics.ts';
import { settingsText, type SweepRun } from '../../src/training/sweep/sweepAxes.ts';
import {
  sweepCsv,
  sweepTable,
  type SweepMetric,
  type SweptRun,
} from '../../src/training/sweep/sweepTable.ts';
import { chooseFiles, PageError } from './drivePage.ts';

/** A run that came to its end. */
export interface TrainedRun {
  /** What went wrong on the way, in the page's words. */
  problems: string[];
  /** metrics.jsonl. */
  metrics: string;
}

/**
 * Trains each run and writes `out`/<run>/ and `out`/sweep.csv, which is written again after every run.
 * @param train trains the recipe that the page has and writes the run's folder
 * @returns the exit status: 1 where a run failed; its last line then says which
 */
export async function sweepInPage(
  page: Page,
  runs: readonly SweepRun[],
  out: string,
  metric: SweepMetric,
  train: (folder: string, recipe: Recipe) => Promise<TrainedRun>,
): Promise<number> {
  await mkdir(out, { recursive: true });
  const done: SweptRun[] = [];
  const write = () => writeFile(join(out, 'sweep.csv'), sweepCsv(sweepTable(done, metric)));
  for (const [i, { recipe, settings }] of runs.entries()) {
    const name = runName(i, settings);
    console.log(`Run ${i + 1} of ${runs.length}: ${settingsText(settings)}`);
    const began = Date.now();
    const base = { name, settings, runId: null, steps: 0, seconds: null, lines: [], reason: null };
    try {
      await chooseFiles(page, 'Load a recipe', {
        name: 'recipe.json',
        mimeType: 'application/json',
        buffer: Buffer.from(recipeToJson(recipe)),
      });
      const { problems, metrics } = await train(join(out, name), recipe);
      for (const problem of problems) console.error(problem);
      const lines = linesOf(metrics);
      const steps = Math.max(0, ...lines.map(({ step }) => step));
      const seconds = (Date.now() - began) / 1000;
      done.push({
        ...base,
        state: 'done',
        reason: await reasonOf(join(out, name)),
        message: null,
        steps,
        seconds,
        lines,
      });
    } catch (error) {
      // What the page says of one run is about that run; anything else is about all of them.
      if (!(error instanceof PageError)) throw error;
      console.error(error.message);
      done.push({ ...base, state: 'failed', message: error.message });
    }
    await write();
  }
  const table = sweepTable(done, metric);
  if (table.best !== null) console.log(`Best: ${done[table.best].name}, by ${table.basis}.`);
  console.log(`Wrote ${join(out, 'sweep.csv')}.`);
  const failed = done.filter(({ state }) => state === 'failed');
  if (failed.length > 0)
    console.error(
      `${failed.length} of ${runs.length} runs failed. The first, ${failed[0].name}: ${failed[0].message}`,
    );
  return failed.length > 0 ? 1 : 0;
}

/** '01-learning_rate-0.0001-r-8', which is a folder's name everywhere. */
function runName(i: number, settings: SweepRun['settings']): string {
  const parts = Object.entries(settings).map(([key, value]) => `${key.split('.').at(-1)}-${value}`);
  return [`${i + 1}`.padStart(2, '0'), ...parts].join('-').replaceAll('+', '');
}

/** How a run ended, by its report. */
async function reasonOf(folder: string): Promise<string | null> {
  const report = await readFile(join(folder, 'report.md'), 'utf8');
  return / steps \((finished|stopped|early stopping|diverged)/.exec(report)?.[1] ?? null;
}

function linesOf(metrics: string): MetricsLine[] {
  return metrics
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as MetricsLine);
}
