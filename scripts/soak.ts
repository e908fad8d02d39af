/**
 * `node scripts/run.mjs scripts/soak.ts [--steps 5000] [--eval-steps 50] [--logging-steps 1] [--interpreted]
 * [--demo FOLDER] [--dist FOLDER] [--json FILE] [--plot FILE.svg]`: trains the demo for thousands of steps in
 * a headless browser and measures what is held: JavaScript heap of the page and its workers after a
 * collection of garbage, bytes of GPU buffers, bytes in IndexedDB. The run is paused for each sample, so that
 * a fast GPU does not run away meanwhile and what is on its way is not counted. The last line says how much
 * each grew between a tenth of the steps and the end. The heap has V8's machine code in it, which comes as
 * functions grow hot: with --interpreted V8 makes none, and what grows is data. --demo is a folder of another
 * model, recipe and rows, named as the demo's. With --dist a built page is served by this script alone, for
 * machines without Vite.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Page } from 'playwright-core';
import { svgChart } from '../src/export/svgChart.ts';
import { IN_ENGLISH, findOrInstallBrowser, launchBrowser, NO_BROWSER } from './lib/browser.ts';
import { chooseFiles, pressTrain } from './lib/drivePage.ts';
import { siteOf } from './lib/serveFolder.ts';
import { heldByStore, countBuffers, type StoredBytes } from './soak/pageMeasures.ts';
import { Threads, type ThreadHeap } from './soak/threads.ts';

interface Sample {
  step: number;
  seconds: number;
  heap: ThreadHeap[];
  heapBytes: number;
  gpuBytes: number;
  stored: StoredBytes;
  storedBytes: number;
}

/** Samples of one soak. */
const SAMPLES = 20;
/** Of the heap at each sample: the least counts, as a page that works holds what it is about to drop. */
const LOOKS = 5;
const PATIENCE_MS = 600_000;
/** V8 then compiles no function to machine code. */
const INTERPRETED = '--js-flags=--no-opt --no-maglev --no-sparkplug';
/** What may grow between the tenth of the run and its end. */
const ALLOWED = 0.02;

export async function main(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      steps: { type: 'string', default: '5000' },
      'eval-steps': { type: 'string', default: '50' },
      'logging-steps': { type: 'string', default: '1' },
      interpreted: { type: 'boolean', default: false },
      dist: { type: 'string' },
      demo: { type: 'string', default: 'public/demo' },
      json: { type: 'string' },
      plot: { type: 'string' },
    },
  });
  const executable = findOrInstallBrowser();
  if (!executable) throw new Error(NO_BROWSER);
  const site = await siteOf(values.dist);
  const { browser, adapter } = await launchBrowser(
    executable,
    site.url,
    values.interpreted ? [INTERPRETED] : [],
  );
  try {
    console.log(`Adapter: ${adapter ?? 'none'}`);
    const page = await browser.newPage(IN_ENGLISH);
    page.setDefaultTimeout(PATIENCE_MS);
    await page.addInitScript(countBuffers);
    const threads = await Threads.of(page);
    await page.goto(site.url);
    await prepare(page, values.demo, {
      steps: Number(values.steps),
      evalSteps: Number(values['eval-steps']),
      loggingSteps: Number(values['logging-steps']),
    });
    const samples = await follow(page, threads, Number(values.steps));
    if (values.json) await writeFile(values.json, `${JSON.stringify({ adapter, samples }, null, 1)}\n`);
    if (values.plot) await writeFile(values.plot, plot(samples));
    return verdict(samples, Number(values.steps));
  } finally {
    await browser.close();
    await site.close();
  }
}

interface Wanted {
  steps: number;
  evalSteps: number;
  loggingSteps: number;
}

async function prepare(page: Page, demo: string, wanted: Wanted): Promise<void> {
  const recipe = JSON.parse(await readFile(join(demo, 'demo.json'), 'utf8')) as {
    train_file: string;
    validation_files: string[];
    training: Record<string, unknown>;
    evaluation: Record<string, unknown>;
  };
  Object.assign(recipe.training, { max_steps: wanted.steps, logging_steps: wanted.loggingSteps });
  recipe.evaluation.eval_steps = wanted.evalSteps;
  await page.locator('input[aria-label="Load a recipe"]').setInputFiles({
    name: 'soak.json',
    mimeType: 'application/json',
    buffer: Buffer.from(JSON.stringify(recipe)),
  });
  const model = ['config.json', 'model.safetensors', 'tokenizer.json', 'tokenizer_config.json'];
  const inDemo = (names: readonly string[]) => names.map((name) => join(demo, name));
  await chooseFiles(page, 'Choose model files', inDemo(model));
  await chooseFiles(page, 'Choose data files', inDemo([recipe.train_file, ...recipe.validation_files]));
  await pressTrain(page);
}

/** Takes a sample at every SAMPLES-th of the steps, while the run is paused, until it has ended. */
async function follow(page: Page, threads: Threads, steps: number): Promise<Sample[]> {
  const run = page.locator('#step-run');
  const bar = run.locator('progress[aria-label="Training"]');
  const proceed = run.getByRole('button', { name: 'Continue', exact: true });
  const ended = page.locator('button', { hasText: 'Download the adapter' });
  const samples: Sample[] = [];
  const began = performance.now();
  let next = Math.ceil(steps / SAMPLES / 2);
  for (;;) {
    const state = await run.locator('.head .state').innerText();
    if (state === 'Failed') throw new Error(await run.locator('[role="alert"]').first().innerText());
    if (await ended.count()) return samples;
    const step = Number((await bar.count()) ? await bar.getAttribute('value') : 0);
    if (step >= next) {
      // At once: a click as a person's waits for two pictures, in which a fast GPU makes hundreds of steps.
      await run.getByRole('button', { name: 'Pause', exact: true }).dispatchEvent('click');
      await proceed.or(ended).first().waitFor();
      if (await ended.count()) return samples;
      const paused = Number(await bar.getAttribute('value'));
      samples.push(await measure(page, threads, paused, (performance.now() - began) / 1000));
      await proceed.click();
      next = Math.max(next, paused) + steps / SAMPLES;
      const { heapBytes, gpuBytes, storedBytes, seconds } = samples.at(-1)!;
      console.log(
        `step ${paused}, ${seconds.toFixed(0)} s: heap ${mib(heapBytes)}, GPU ${mib(gpuBytes)}, IndexedDB ${mib(storedBytes)} MiB`,
      );
    }
    await page.waitForTimeout(100);
  }
}

async function measure(page: Page, threads: Threads, step: number, seconds: number): Promise<Sample> {
  const heap = await threads.leastHeaps(LOOKS);
  const gpuBytes = await gpuBytesOf(page);
  const stored = await page.evaluate(heldByStore);
  return {
    step,
    seconds,
    heap,
    heapBytes: heap.reduce((sum, { usedBytes }) => sum + usedBytes, 0),
    gpuBytes,
    stored,
    storedBytes: Object.values(stored).reduce((sum, bytes) => sum + bytes, 0),
  };
}

/** Of all threads: each counts the buffers that it made and did not destroy. */
async function gpuBytesOf(page: Page): Promise<number> {
  const count = () => (globalThis as { soakGpuBytes?: number }).soakGpuBytes ?? 0;
  const counts = await Promise.all(page.workers().map((worker) => worker.evaluate(count)));
  return counts.reduce((sum, bytes) => sum + bytes, await page.evaluate(count));
}

function verdict(samples: readonly Sample[], steps: number): number {
  const first = samples.find(({ step }) => step >= steps / 10);
  const last = samples.at(-1);
  if (!first || !last || first === last) throw new Error('There were too few samples to compare.');
  const growth = {
    'JavaScript heap': last.heapBytes / first.heapBytes - 1,
    'GPU bytes': last.gpuBytes / first.gpuBytes - 1,
    IndexedDB: last.storedBytes / first.storedBytes - 1,
  };
  const words = Object.entries(growth).map(([name, by]) => `${name} ${(100 * by).toFixed(2)} %`);
  console.log(`From step ${first.step} to ${last.step}: ${words.join(', ')}`);
  return Object.values(growth).every((by) => by <= ALLOWED) ? 0 : 1;
}

/** Each relative to its first sample. */
function plot(samples: readonly Sample[]): string {
  const relative = (name: string, of: (sample: Sample) => number) => ({
    name,
    steps: samples.map(({ step }) => step),
    values: samples.map((sample) => of(sample) / of(samples[0])),
  });
  return svgChart(
    [
      relative('JavaScript heap', ({ heapBytes }) => heapBytes),
      relative('GPU bytes', ({ gpuBytes }) => gpuBytes),
      relative('IndexedDB', ({ storedBytes }) => storedBytes),
    ],
    { lowest: 0 },
  );
}

const mib = (bytes: number) => (bytes / 2 ** 20).toFixed(2);
