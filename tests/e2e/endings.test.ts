/**
 * Cases 24 and 25: a file that is removed while it is read, and workers that end while something waits for
 * them.
 * The page says so where something was lost, is idle, and goes on.
 */
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chooseFiles, followRun, openPlace, pressTrain, settle } from '../../scripts/lib/drivePage.ts';
import {
  browserPath,
  folderOf,
  openSite,
  rowsOf,
  tinyModelPaths,
  trainButton,
  type OpenSite,
} from '../helpers/page.ts';

const RECIPE = JSON.stringify({
  model: 'tiny',
  max_length: 64,
  lora: { r: 4, lora_alpha: 8 },
  training: { max_steps: 2, per_device_train_batch_size: 4, learning_rate: 0.01, warmup_ratio: 0 },
  evaluation: { eval_steps: 2, max_new_tokens: 100 },
});

describe.skipIf(!browserPath)('what ends while something waits for it', { timeout: 240_000 }, () => {
  let open: OpenSite;
  let model: string[];
  beforeAll(async () => {
    open = await openSite();
    model = await tinyModelPaths();
  }, 240_000);
  afterAll(() => open?.close());

  /** A page whose workers can be ended without a word, the moment they are started or later. */
  async function killable(
    endAtStart: string | null = null,
    endAtCall: string | null = null,
  ): Promise<{ page: Page; end: (name: string) => Promise<void> }> {
    const page = await (await open.newContext()).newPage();
    await page.addInitScript(
      ([wanted, call]) => {
        const kept: { name: string; worker: Worker }[] = [];
        const { Worker: Original } = window;
        let isEnding = wanted !== null;
        let isCallEnding = call !== null;
        window.Worker = class extends Original {
          constructor(url: string | URL, options?: WorkerOptions) {
            super(url, options);
            kept.push({ name: options?.name ?? '', worker: this });
            if (!isEnding || options?.name !== wanted) return;
            isEnding = false;
            // It holds its lock by then, and is at work.
            this.addEventListener('message', () => setTimeout(() => this.terminate(), 20), { once: true });
          }
          /** A worker that is asked for the wanted call gets the question, and ends before it can answer. */
          override postMessage(message: unknown, more?: Transferable[] | StructuredSerializeOptions): void {
            super.postMessage(message, more as Transferable[]);
            const { path } = (message ?? {}) as { path?: string[] };
            if (!isCallEnding || path?.[0] !== call) return;
            isCallEnding = false;
            this.terminate();
          }
        };
        Object.assign(window, { kept });
      },
      [endAtStart, endAtCall],
    );
    await page.goto(open.site.url);
    await settle(page);
    const end = (name: string) =>
      page.evaluate((wanted) => {
        const { kept } = window as unknown as { kept: { name: string; worker: Worker }[] };
        kept.findLast((made) => made.name === wanted)!.worker.terminate();
      }, name);
    return { page, end };
  }

  async function fill(page: Page): Promise<void> {
    const files = await folderOf({
      'recipe.json': RECIPE,
      'train.jsonl': rowsOf(12, (i) => ({ query: `say ${i}`, response: 'ahoy' })),
    });
    await chooseFiles(page, 'Load a recipe', files['recipe.json']);
    await chooseFiles(page, 'Choose model files', model);
    await chooseFiles(page, 'Choose data files', files['train.jsonl']);
  }

  it('a file of 60,000 rows that is removed while it is read leaves the page idle', async () => {
    const { page } = await killable();
    await fill(page);
    const files = await folderOf({
      'long.jsonl': rowsOf(60_000, (i) => ({ query: `say ${i}`, response: 'ahoy' })),
    });
    await page.locator('input[aria-label="Choose data files"]').setInputFiles(files['long.jsonl']);
    await page.locator('main[aria-busy="true"]').waitFor();
    await openPlace(page, 'Data');
    await page.getByRole('button', { name: 'Remove long.jsonl' }).click();
    await settle(page);
    expect(await trainButton(page).isEnabled()).toBe(true);
    await page.context().close();
  });

  it('an import whose worker ends says so, and the next one goes on', async () => {
    const { page } = await killable(null, 'importModel');
    await page.locator('input[aria-label="Choose model files"]').setInputFiles(model);
    await page
      .getByText(/import worker ended before it was done.*Try again/)
      .first()
      .waitFor();
    await page.locator('main[aria-busy="false"]').waitFor();
    expect(await page.getByRole('progressbar', { name: /Import/ }).count()).toBe(0);
    await fill(page);
    expect(await trainButton(page).isEnabled()).toBe(true);
    await page.context().close();
  });

  it('a trainer that ends while a plan is made gives a reason, and the next plan is made by another', async () => {
    const { page } = await killable('trainer');
    await fill(page).catch(() => undefined);
    await page.locator('main[aria-busy="false"]').waitFor();
    const train = trainButton(page);
    if (await train.isDisabled()) {
      await openPlace(page, 'Run');
      expect(await page.locator('main').innerText()).toMatch(/trainer worker ended before it was done/);
      await fill(page);
    }
    expect(await train.isEnabled()).toBe(true);
    await page.context().close();
  });

  it.skipIf(!process.env.REPLAY)(
    'a trainer that ends while an answer is written says so, and the next question is answered (needs REPLAY=1)',
    async () => {
      const { page, end } = await killable();
      await fill(page);
      await pressTrain(page);
      await followRun(page, () => undefined);
      const result = page.getByRole('region', { name: 'Result', exact: true });
      const ask = async (text: string) => {
        await result.getByPlaceholder('Ask something').fill(text);
        await result.getByRole('button', { name: 'Send' }).click();
      };
      await ask('say 3');
      await result.getByRole('button', { name: 'Stop' }).waitFor();
      await end('trainer');
      await result.getByText(/trainer worker ended before it was done/).waitFor();
      await result.getByRole('button', { name: 'Send' }).waitFor();
      await ask('say 4');
      await result
        .locator(
          '[aria-label="Tuned answer 1"][aria-busy="false"], [aria-label="Tuned answer 2"][aria-busy="false"]',
        )
        .first()
        .waitFor();
      await page.context().close();
    },
  );
});
