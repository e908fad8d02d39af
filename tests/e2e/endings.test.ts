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

  interface Ending {
    /** The first worker of this name ends as soon as it is at work. */
    started?: string;
    /** The worker that is asked this first gets the question, and ends before it can answer. */
    asked?: string;
    /** The worker that is asked this first ends when the page has got the first part of its answer. */
    answering?: string;
  }

  /** A page one of whose workers ends without a word. */
  async function withEnding(ending: Ending): Promise<Page> {
    const page = await (await open.newContext()).newPage();
    await page.addInitScript(({ started, asked, answering }) => {
      const { Worker: Original } = window;
      let isEnding = started !== undefined;
      let isCallEnding = asked !== undefined || answering !== undefined;
      /** Asked, and about to report the first part of its answer. */
      let endSpeaker: (() => void) | null = null;
      const { postMessage } = MessagePort.prototype;
      // The page confirms each part of an answer on the port by which it came.
      MessagePort.prototype.postMessage = function (this: MessagePort, ...message: [unknown]) {
        postMessage.apply(this, message);
        endSpeaker?.();
        endSpeaker = null;
      };
      window.Worker = class extends Original {
        constructor(url: string | URL, options?: WorkerOptions) {
          super(url, options);
          if (!isEnding || options?.name !== started) return;
          isEnding = false;
          // It holds its lock by then, and is at work.
          this.addEventListener('message', () => setTimeout(() => this.terminate(), 20), { once: true });
        }
        override postMessage(message: unknown, more?: Transferable[] | StructuredSerializeOptions): void {
          super.postMessage(message, more as Transferable[]);
          const { path } = (message ?? {}) as { path?: string[] };
          if (!isCallEnding || path?.[0] !== (asked ?? answering)) return;
          isCallEnding = false;
          if (asked) this.terminate();
          else endSpeaker = () => this.terminate();
        }
      };
    }, ending);
    await page.goto(open.site.url);
    await settle(page);
    return page;
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
    const page = await withEnding({});
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
    const page = await withEnding({ asked: 'importModel' });
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
    const page = await withEnding({ started: 'trainer' });
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

  it('a trainer that ends while an answer is written says so, and the next question is answered', async () => {
    const page = await withEnding({ answering: 'chat' });
    await fill(page);
    await pressTrain(page);
    await followRun(page, () => undefined);
    const result = page.getByRole('region', { name: 'Result', exact: true });
    const ask = async (text: string) => {
      await result.getByPlaceholder('Ask something').fill(text);
      await result.getByRole('button', { name: 'Send' }).click();
    };
    await ask('say 3');
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
  });
});
