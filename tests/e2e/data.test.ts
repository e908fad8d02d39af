/** Data as a person meets it: formats, columns to choose, what the cards say, and workers that end. */
import { readFileSync } from 'node:fs';
import type { BrowserContext, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  chooseFiles,
  download,
  followRun,
  openPlace,
  pressTrain,
  settle,
} from '../../scripts/lib/drivePage.ts';
import {
  browserPath,
  folderOf,
  openSite,
  pageErrors,
  rowsOf,
  tinyModelPaths,
  trainButton,
  type OpenSite,
} from '../helpers/page.ts';

const RECIPE = {
  model: 'tiny',
  max_length: 64,
  lora: { r: 4, lora_alpha: 8 },
  training: { max_steps: 4, per_device_train_batch_size: 4, learning_rate: 0.01, warmup_ratio: 0 },
  evaluation: { eval_steps: 2, max_new_tokens: 8, do_sample: false },
};
const PIRATE = (i: number) => ({ query: `say ${i}`, response: 'ahoy' });

let open: OpenSite;
let model: string[];

describe.skipIf(!browserPath)('data on the page', { timeout: 240_000 }, () => {
  beforeAll(async () => {
    open = await openSite();
    model = await tinyModelPaths();
  }, 240_000);
  afterAll(() => open?.close());

  async function fresh(
    recipe: object = RECIPE,
  ): Promise<{ context: BrowserContext; page: Page; errors: string[] }> {
    const context = await open.newContext();
    const page = await context.newPage();
    const errors = pageErrors(page);
    await page.goto(open.site.url);
    await chooseFiles(
      page,
      'Load a recipe',
      (await folderOf({ 'recipe.json': JSON.stringify(recipe) }))['recipe.json'],
    );
    await chooseFiles(page, 'Choose model files', model);
    return { context, page, errors };
  }

  const cardOf = (page: Page, name: string): Locator => page.getByRole('article', { name });
  const choose = async (page: Page, files: Record<string, string | Uint8Array>) =>
    chooseFiles(page, 'Choose data files', Object.values(await folderOf(files)));
  const linesOf = async (page: Page) =>
    new TextDecoder()
      .decode(await download(page, 'metrics.jsonl'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, number>);

  it('asks what unknown columns are, reads other files with them too, and the saved recipe needs no asking', async () => {
    const files = {
      'train.csv': `id,ask,reply\n${Array.from({ length: 6 }, (_, i) => `${i},say ${i},ahoy`).join('\n')}\n7,"say, ""7""",ahoy\n`,
      'pirate.val.csv': 'id;ask;reply\n1;say 9;ahoy\n',
      'other.val.jsonl': rowsOf(2, PIRATE),
    };
    const { context, page, errors } = await fresh();
    await choose(page, files);
    const card = cardOf(page, 'train.csv');
    await expect(pressTrain(page)).rejects.toThrow(/train\.csv is in no known format\. Choose its columns/);
    await openPlace(page, 'Data');
    const form = card.getByRole('form', { name: 'Columns of train.csv' });
    // Guessed by their names, with what stands in them.
    expect(await form.getByLabel('Prompt: only read').inputValue()).toBe('ask');
    expect(await form.getByLabel('Answer: learned from').inputValue()).toBe('reply');
    expect(await form.innerText()).toMatch(/say 0[\s\S]*ahoy/);
    await form.getByRole('button', { name: 'Use these columns' }).click();
    await settle(page);
    expect(await card.innerText()).toMatch(/columns as chosen[\s\S]*rows\s*7[\s\S]*left out\s*0/);
    expect(await cardOf(page, 'pirate.val.csv').innerText()).toMatch(/columns as chosen[\s\S]*rows\s*1/);
    expect(await cardOf(page, 'other.val.jsonl').innerText()).toMatch(/query\/response/);
    await card.getByText('What is learned from one row').click();
    await card.getByLabel('Row of train.csv to preview').fill('7');
    await card.getByLabel('Row of train.csv to preview').press('Enter');
    await expect.poll(() => card.locator('.tokens').innerText()).toMatch(/"7"<\|assistant\|>ahoy/);

    const saved = new TextDecoder().decode(await download(page, 'Save the recipe'));
    expect((JSON.parse(saved) as { columns: object }).columns).toEqual({
      'train.csv': { prompt: 'ask', response: 'reply' },
    });
    await context.close();

    const again = await fresh(JSON.parse(saved) as object);
    await choose(again.page, files);
    expect(await cardOf(again.page, 'train.csv').innerText()).toMatch(/rows\s*7/);
    await pressTrain(again.page);
    await followRun(again.page, () => undefined);
    const last = (await linesOf(again.page)).at(-1)!;
    for (const key of [
      'eval_pirate_loss',
      'eval_pirate_perplexity',
      'eval_pirate_token_accuracy',
      'eval_other_loss',
    ])
      expect(last[key], key).toBeGreaterThanOrEqual(0);
    expect([...errors, ...again.errors]).toEqual([]);
    await again.context.close();
  });

  it('says plainly which rows training and validation share, which are repeated and which are cut', async () => {
    const { context, page, errors } = await fresh();
    const train =
      rowsOf(8, PIRATE) + rowsOf(2, PIRATE) + rowsOf(1, () => ({ query: 'long', response: 'x'.repeat(200) }));
    const leaking = `${JSON.stringify({
      messages: [
        { role: 'user', content: 'Say  3' },
        { role: 'assistant', content: 'AHOY' },
      ],
    })}\n${JSON.stringify({
      messages: [
        { role: 'user', content: 'new' },
        { role: 'assistant', content: 'x' },
      ],
    })}\n${JSON.stringify({
      messages: [
        { role: 'user', content: 'say 5' },
        { role: 'assistant', content: 'other' },
      ],
    })}\n`;
    await choose(page, {
      'train.jsonl': train,
      'leaky.val.jsonl': leaking,
      'clean.val.jsonl': rowsOf(2, (i) => ({ query: `${i}?`, response: 'x' })),
    });
    const text = await cardOf(page, 'train.jsonl').innerText();
    expect(text).toMatch(
      /Leakage: 1 row of 11 \(9\.1 %\) is also in leaky\.val\.jsonl, and 1 row has the same prompt/,
    );
    expect(text).toMatch(/line 4 is there number 1/);
    expect(text).toMatch(
      /Repeated: 2 rows \(18 %\) say what an earlier row[\s\S]*line 9 is line 1, line 10 is line 2/,
    );
    expect(text).toMatch(/Truncated: 1 row of 11 \(9\.1 %\) is longer than max_length, 64/);
    expect(
      await cardOf(page, 'train.jsonl')
        .getByRole('img', { name: /Rows by length/ })
        .count(),
    ).toBe(1);
    const leaky = await cardOf(page, 'leaky.val.jsonl').innerText();
    expect(leaky).toMatch(
      /1 row of 3 \(33 %\) is also in train\.jsonl[\s\S]*figures are too good[\s\S]*line 1 is there number 4/,
    );
    expect(await cardOf(page, 'clean.val.jsonl').innerText()).not.toMatch(/Leakage|Shared prompts/);
    expect(await trainButton(page).isDisabled()).toBe(false);
    // Gone with the file.
    await page.getByRole('button', { name: 'Remove leaky.val.jsonl' }).click();
    await settle(page);
    expect(await cardOf(page, 'train.jsonl').innerText()).not.toMatch(/Leakage/);
    expect(errors).toEqual([]);
    await context.close();
  });

  it('reads Parquet and conversations, and learns from every answer or the last alone', async () => {
    const { context, page, errors } = await fresh();
    const chat = {
      messages: ['a', 'one', 'b', 'two'].map((content, i) => ({
        role: i % 2 ? 'assistant' : 'user',
        content,
      })),
    };
    const parquet = new Uint8Array(
      readFileSync(new URL('../fixtures/pairs.snappy.parquet', import.meta.url)),
    );
    await choose(page, { 'train.parquet': parquet, 'chat.val.json': JSON.stringify([chat]) });
    expect(await cardOf(page, 'train.parquet').innerText()).toMatch(
      /query\/response[\s\S]*rows\s*6[\s\S]*left out\s*1[\s\S]*row 5\s+has a "response" that is null/,
    );
    const card = cardOf(page, 'chat.val.json');
    await card.getByText('What is learned from one row').click();
    await expect
      .poll(async () => (await card.locator('.tokens .supervised').allInnerTexts()).join(''))
      .toBe('one</s>two</s>');
    await openPlace(page, 'Recipe');
    await page
      .getByText(/^Advanced/)
      .first()
      .click();
    await page.getByRole('checkbox', { name: 'mask_history' }).check();
    await settle(page);
    // The preview is still open.
    await openPlace(page, 'Data');
    await expect
      .poll(async () => (await card.locator('.tokens .supervised').allInnerTexts()).join(''))
      .toBe('two</s>');
    expect(errors).toEqual([]);
    await context.close();
  });

  /** A page whose workers can be ended as a browser ends them: without a word. */
  async function killable(recipe: object) {
    const context = await open.newContext();
    const page = await context.newPage();
    const errors = pageErrors(page);
    await page.addInitScript(() => {
      const kept: { name: string; worker: Worker }[] = [];
      const { Worker: Original } = window;
      window.Worker = class extends Original {
        constructor(url: string | URL, options?: WorkerOptions) {
          super(url, options);
          kept.push({ name: options?.name ?? '', worker: this });
        }
      };
      Object.assign(window, { kept });
    });
    await page.goto(open.site.url);
    await chooseFiles(
      page,
      'Load a recipe',
      (await folderOf({ 'recipe.json': JSON.stringify(recipe) }))['recipe.json'],
    );
    await chooseFiles(page, 'Choose model files', model);
    await choose(page, {
      'train.jsonl': rowsOf(12, PIRATE),
      'pirate.val.jsonl': rowsOf(3, (i) => PIRATE(20 + i)),
      'other.val.jsonl': rowsOf(24, (i) => ({ query: `${i}`, response: `${i}` })),
    });
    return {
      context,
      page,
      errors,
      started: () =>
        page.evaluate(() => (window as unknown as { kept: { name: string }[] }).kept.map(({ name }) => name)),
      /** Ends the youngest worker of that name. */
      kill: (name: string) =>
        page.evaluate((wanted) => {
          const { kept } = window as unknown as { kept: { name: string; worker: Worker }[] };
          kept.findLast((made) => made.name === wanted)!.worker.terminate();
        }, name),
    };
  }
  const evaluating = (page: Page) =>
    page.waitForFunction(() => document.body.textContent?.includes('Evaluating'));

  it('starts the worker of a validation file again that is killed while it evaluates, and nothing else notices', async () => {
    const recipe = {
      ...RECIPE,
      training: { ...RECIPE.training, max_steps: 6 },
      evaluation: { ...RECIPE.evaluation, predict_with_generate: true, max_new_tokens: 40 },
    };
    const run = async (kills: boolean) => {
      const { context, page, errors, started, kill } = await killable(recipe);
      await pressTrain(page);
      if (kills) {
        await evaluating(page);
        await kill('evaluation other');
      }
      const alerts = await followRun(page, () => undefined);
      const lines = (await linesOf(page)).map((line) =>
        Object.fromEntries(Object.entries(line).filter(([key]) => key !== 'tokens_per_second')),
      );
      const said = (await page.locator('[role="status"]').allTextContents()).join('\n');
      const report = new TextDecoder().decode(await download(page, 'report.md'));
      const workers = await started();
      await context.close();
      return { lines, alerts, said, workers, report, errors };
    };
    const [whole, killed] = [await run(false), await run(true)];
    expect(killed.workers.filter((name) => name === 'evaluation other').length).toBe(2);
    expect(killed.workers.length).toBe(whole.workers.length + 1);
    expect(killed.said).toMatch(
      /The worker of other ended at step \d+: it ended without an error[\s\S]*It was started again/,
    );
    expect(killed.said).toMatch(/The worker that holds this file ended[\s\S]*reads the file again/);
    expect(killed.report).toMatch(
      /The worker of other ended \(it ended without an error.*\) and was started again/,
    );
    expect(killed.alerts).toEqual([]);
    // The same curves, of this file too, to the last digit.
    expect(killed.lines).toEqual(whole.lines);
    expect(
      whole.lines
        .filter((line) => 'eval_other_rougeL' in line && 'eval_pirate_token_accuracy' in line)
        .map(({ step }) => step),
    ).toEqual([0, 2, 4, 6]);
    expect([...whole.errors, ...killed.errors]).toEqual([]);
  });

  it('lets a file fail alone whose worker is killed again; between runs a worker is started again without a word to the trainer', async () => {
    const { context, page, kill, started } = await killable({
      ...RECIPE,
      training: { ...RECIPE.training, max_steps: 200 },
    });
    await kill('evaluation pirate');
    await cardOf(page, 'pirate.val.jsonl')
      .getByText(/It was started again/)
      .waitFor();
    await cardOf(page, 'pirate.val.jsonl').getByText('longest row', { exact: true }).waitFor();
    await pressTrain(page);
    const restarts = async () => (await started()).filter((name) => name === 'evaluation other').length;
    await page
      .getByText(/Training, step [1-9]/)
      .first()
      .waitFor();
    await kill('evaluation other');
    await expect.poll(restarts).toBe(2);
    // Out of sight while the run is shown.
    await page
      .locator('article[aria-label="other.val.jsonl"]')
      .getByText('longest row', { exact: true })
      .waitFor({ state: 'attached' });
    await kill('evaluation other');
    await page.getByText(/other could not be evaluated: its worker died again/).waitFor();
    expect(await restarts()).toBe(2);
    await page.getByRole('button', { name: 'Stop and keep the adapter' }).click();
    await followRun(page, () => undefined);
    const lines = await linesOf(page);
    expect(lines.at(-1)).toHaveProperty('eval_pirate_loss');
    expect(lines.at(-1)).not.toHaveProperty('eval_other_loss');
    await context.close();
  });
});
