/**
 * The page as a person uses it: drop, read, train, look, download; and what it says when something is wrong.
 */
import { unzipSync } from 'fflate';
import type { BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  chooseFiles,
  download,
  followRun,
  openPlace,
  pressTrain,
  reveal,
} from '../../scripts/lib/drivePage.ts';
import { readIndependently } from '../helpers/independentReader.ts';
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

const RECIPE = JSON.stringify({
  model: 'tiny',
  max_length: 64,
  lora: { r: 4, lora_alpha: 8 },
  training: { max_steps: 8, per_device_train_batch_size: 4, learning_rate: 0.01, warmup_ratio: 0 },
  evaluation: { eval_steps: 4, max_new_tokens: 8 },
});
const DATA = {
  'train.jsonl': rowsOf(12, (i) => ({ query: `say ${i}`, response: 'ahoy' })),
  'pirate.val.jsonl': rowsOf(3, (i) => ({ query: `say ${20 + i}`, response: 'ahoy' })),
  'other.val.jsonl': rowsOf(2, (i) => ({ query: `count ${i}`, response: `${i}` })),
};

let open: OpenSite;
let model: string[];
let data: Record<string, string>;
let recipe: string;

describe.skipIf(!browserPath)('page', { timeout: 240_000 }, () => {
  beforeAll(async () => {
    open = await openSite();
    model = await tinyModelPaths();
    data = await folderOf(DATA);
    recipe = (await folderOf({ 'recipe.json': RECIPE }))['recipe.json'];
  }, 240_000);
  afterAll(() => open?.close());

  /** @param query of the address */
  async function fresh(query = ''): Promise<{ context: BrowserContext; page: Page; errors: string[] }> {
    const context = await open.newContext();
    const page = await context.newPage();
    const errors = pageErrors(page);
    await page.goto(open.site.url + query);
    return { context, page, errors };
  }

  async function filled(page: Page, more: string[] = []): Promise<void> {
    await chooseFiles(page, 'Load a recipe', recipe);
    await chooseFiles(page, 'Choose model files', model);
    await chooseFiles(page, 'Choose data files', [...Object.values(data), ...more]);
  }

  it('goes from files to an adapter, which a second visit makes again without the model', async () => {
    const { context, page, errors } = await fresh();
    await filled(page);

    // What was understood of each file.
    const card = page.getByRole('article', { name: 'train.jsonl' });
    expect(await card.innerText()).toMatch(/rows\s*12[\s\S]*left out\s*0/);
    expect(await page.getByRole('article', { name: 'pirate.val.jsonl' }).innerText()).toMatch(
      /validation set “pirate”[\s\S]*rows\s*3/,
    );
    await card.getByText('What is learned from one row').click();
    await card.locator('.tokens span.supervised').first().waitFor();
    expect(await card.locator('.tokens span.supervised').allInnerTexts()).toEqual([
      'a',
      'h',
      'o',
      'y',
      '</s>',
    ]);
    await card.getByLabel('Row of train.jsonl to preview').fill('11');
    await card.getByLabel('Row of train.jsonl to preview').press('Enter');
    await page.waitForFunction(() =>
      document.querySelector('.tokens')?.textContent?.includes('10<|assistant|>ahoy'),
    );

    // Memory before the start.
    await openPlace(page, 'Run');
    expect(await page.getByRole('region', { name: /Before the start/ }).innerText()).toMatch(
      /8 steps[\s\S]*base weights\s+[\d.]+ KiB[\s\S]*together\s+[\d.]+ [KM]iB/,
    );

    await pressTrain(page);
    expect(await followRun(page, () => undefined)).toEqual([]);
    const result = page.getByRole('region', { name: /Result/ });
    const losses = await result.getByRole('row').allInnerTexts();
    expect(losses.map((row) => row.split(/\s+/)[0])).toEqual(['loss', 'training', 'other', 'pirate']);
    const [, start, , end] = losses[3].split(/\s+/).map(Number);
    expect(end).toBeLessThan(start - 0.5);
    await openPlace(page, 'Run');
    expect(await page.getByRole('img', { name: /pirate/ }).count()).toBe(1);

    // The download, read by a reader of its own.
    const zip = unzipSync(await download(page, 'Download the adapter'));
    expect(Object.keys(zip).sort()).toEqual(
      [
        'README.md',
        'adapter_config.json',
        'adapter_model.safetensors',
        'tokenizer.json',
        'tokenizer_config.json',
      ].map((name) => `adapter/${name}`),
    );
    const adapter = readIndependently(zip['adapter/adapter_model.safetensors']);
    expect(Object.keys(adapter).length).toBe(2 * 7 * 2);
    expect(adapter['base_model.model.model.layers.1.mlp.down_proj.lora_B.weight'].shape).toEqual([24, 4]);
    expect(
      adapter['base_model.model.model.layers.1.mlp.down_proj.lora_B.weight'].values.some(
        (value) => value !== 0,
      ),
    ).toBe(true);
    const metrics = new TextDecoder()
      .decode(await download(page, 'metrics.jsonl'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, number>);
    expect(metrics.filter(({ loss }) => loss !== undefined).map(({ step }) => step)).toEqual([
      1, 2, 3, 4, 5, 6, 7, 8,
    ]);
    expect(
      metrics.filter(({ eval_pirate_loss }) => eval_pirate_loss !== undefined).map(({ step }) => step),
    ).toEqual([0, 4, 8]);
    expect(metrics[1]).toHaveProperty('tokens_per_second');
    expect(new TextDecoder().decode(await download(page, 'report.md'))).toMatch(/\| pirate \|/);

    // A second visit: the model is in the browser; the same recipe gives the same bytes.
    const again = await context.newPage();
    const errorsAgain = pageErrors(again);
    await again.goto(open.site.url);
    await again.getByRole('button', { name: 'Use tiny' }).waitFor({ state: 'attached' });
    await chooseFiles(again, 'Load a recipe', recipe);
    await chooseFiles(again, 'Choose data files', Object.values(data));
    await pressTrain(again);
    await followRun(again, () => undefined);
    expect(
      unzipSync(await download(again, 'Download the adapter'))['adapter/adapter_model.safetensors'],
    ).toEqual(zip['adapter/adapter_model.safetensors']);
    expect([...errors, ...errorsAgain]).toEqual([]);
    await context.close();
  });

  it('keeps the adapter of a stopped run, and takes the run up again after a reload', async () => {
    const { context, page, errors } = await fresh();
    const long = (await folderOf({ 'recipe.json': RECIPE.replace('"max_steps":8', '"max_steps":400') }))[
      'recipe.json'
    ];
    await chooseFiles(page, 'Load a recipe', long);
    await chooseFiles(page, 'Choose model files', model);
    await chooseFiles(page, 'Choose data files', Object.values(data));
    await pressTrain(page);
    const savedAt = page.locator('dt', { hasText: 'saved at step' }).locator('xpath=../dd');
    await page.waitForFunction(() =>
      [...document.querySelectorAll('dt')].some(
        (term) =>
          term.textContent?.trim().startsWith('saved at step') &&
          Number(term.nextElementSibling?.textContent) >= 8,
      ),
    );
    page.on('dialog', (dialog) => void dialog.accept());
    expect(Number(await savedAt.innerText())).toBeGreaterThanOrEqual(8);
    await page.reload();
    await page
      .getByText(/An unfinished run on tiny with train\.jsonl was saved at step\s+\d+ of 400/)
      .waitFor();
    await chooseFiles(page, 'Load a recipe', long);
    await chooseFiles(page, 'Choose data files', Object.values(data));
    const resume = page.getByRole('button', { name: /Resume from step/ });
    const from = Number(/\d+/.exec(await resume.innerText())![0]);
    await resume.click();
    await page.getByRole('button', { name: 'Stop and keep the adapter' }).click();
    await followRun(page, () => undefined);
    await openPlace(page, 'Run');
    expect(
      await page.getByRole('region', { name: 'Run', exact: true }).locator('.head .state').innerText(),
    ).toMatch(/Stopped; the adapter is kept/);
    const lines = new TextDecoder()
      .decode(await download(page, 'metrics.jsonl'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, number>);
    const steps = lines.filter(({ loss }) => loss !== undefined).map(({ step }) => step);
    expect(steps).toEqual(steps.map((_, i) => i + 1));
    expect(steps.at(-1)).toBeGreaterThanOrEqual(from);
    expect(unzipSync(await download(page, 'Download the adapter'))).toHaveProperty([
      'adapter/adapter_model.safetensors',
    ]);
    expect(errors).toEqual([]);
    await context.close();
  });

  it('names bad rows with their lines, and trains without them only when told to', async () => {
    const { context, page } = await fresh();
    const bad = await folderOf({
      'bad.jsonl': `${DATA['train.jsonl']}not json\n{"query":"x","response":""}\n{"question":"x"}\n`,
    });
    await filled(page, [bad['bad.jsonl']]);
    const card = page.getByRole('article', { name: 'bad.jsonl' });
    const text = await card.innerText();
    expect(text).toMatch(/3 rows are left out/);
    expect(text).toMatch(/line 13\s+is not JSON/);
    expect(text).toMatch(/line 14\s+has an empty "response"/);
    expect(text).toMatch(/line 15\s+has no "query"; its keys are "question"/);
    const train = trainButton(page);
    expect(await train.isDisabled()).toBe(true);
    await expect(pressTrain(page)).rejects.toThrow(
      /bad\.jsonl has 3 bad rows: mend the file, or choose to train without\. bad\.jsonl, line 13: is not JSON/,
    );
    await openPlace(page, 'Data');
    await card.getByLabel('Train without the bad rows').check();
    expect(await train.isDisabled()).toBe(false);
    await context.close();
  });

  it.each([
    [
      'empty.jsonl',
      '',
      /empty\.jsonl has no row that can be trained\. empty\.jsonl, line 1: the file is empty/,
    ],
    [
      'long.jsonl',
      rowsOf(2, () => ({ query: 'x'.repeat(100), response: 'y' })),
      /long\.jsonl has no row that can be trained\. long\.jsonl, line 1: loses its whole answer: its prompt alone has \d+ tokens and max_length is 64/,
    ],
  ])('refuses %s and says why', async (name, contents, message) => {
    const { context, page } = await fresh();
    const files = await folderOf({ [name]: contents });
    await chooseFiles(page, 'Load a recipe', recipe);
    await chooseFiles(page, 'Choose model files', model);
    await chooseFiles(page, 'Choose data files', files[name]);
    await expect(pressTrain(page)).rejects.toThrow(message);
    await context.close();
  });

  it('shows what is wrong with a model or a recipe, and stays usable', async () => {
    const { context, page, errors } = await fresh();
    const broken = await tinyModelPaths({ 'config.json': '{"model_type":"mamba"}' });
    await expect(chooseFiles(page, 'Choose model files', broken)).rejects.toThrow(
      /model_type "mamba" is not supported/,
    );
    const wrong = await folderOf({ 'recipe.json': '{"lora":{"rank":8}}' });
    await expect(chooseFiles(page, 'Load a recipe', wrong['recipe.json'])).rejects.toThrow(
      /"lora\.rank" is not a key of a recipe/,
    );
    await filled(page);
    expect(await trainButton(page).isDisabled()).toBe(false);
    expect(errors).toEqual([]);
    await context.close();
  });

  it('trains on without a validation file whose rows cannot be used, and says so', async () => {
    const { context, page } = await fresh();
    const bad = await folderOf({ 'broken.val.jsonl': '{"a":1}\n' });
    await filled(page, [bad['broken.val.jsonl']]);
    expect(await page.getByRole('article', { name: 'broken.val.jsonl' }).innerText()).toMatch(
      /in none of the formats that are known/,
    );
    await pressTrain(page);
    await followRun(page, () => undefined);
    const metrics = new TextDecoder().decode(await download(page, 'metrics.jsonl'));
    expect(metrics).toContain('eval_pirate_loss');
    expect(metrics).not.toContain('eval_broken_loss');
    await context.close();
  });

  it('takes its kernels from the address: by rule where it says tune=off, and says what it may hold', async () => {
    const { context, page, errors } = await fresh('?tune=off&level=plain');
    await filled(page);
    await openPlace(page, 'Run');
    expect(
      await page
        .getByRole('region', { name: /Before the start/ })
        .getByLabel('Kernels')
        .innerText(),
    ).toBe("Kernels: float32 kernels (level plain): the page's address asks for them.");
    await pressTrain(page);
    await followRun(page, () => undefined);
    await openPlace(page, 'Run');
    expect(
      await page
        .getByRole('region', { name: 'Run', exact: true })
        .getByLabel('Kernels', { exact: true })
        .first()
        .innerText(),
    ).toBe("Kernels: float32 kernels (level plain): the page's address asks for them.");
    expect(new TextDecoder().decode(await download(page, 'report.md'))).toContain(
      "- Kernels: float32 kernels (level plain): the page's address asks for them.",
    );
    expect(errors).toEqual([]);
    await context.close();
    for (const [query, message] of [
      ['?tune=maybe', /The page's address says tune=maybe: write tune=on or tune=off/],
      [
        '?level=double',
        /The page's address says level=double: write level=plain, level=f16, level=matrix or level=auto/,
      ],
    ] as const) {
      const other = await fresh(query);
      await filled(other.page);
      await expect(pressTrain(other.page)).rejects.toThrow(message);
      expect(other.errors).toEqual([]);
      await other.context.close();
    }
  });

  it('trains on TensorFlow.js where the browser has no WebGPU, and says that it is slow', async () => {
    const context = await open.newContext();
    // Workers have a navigator of their own: the switch must reach them too.
    await context.route('**/assets/trainer.worker*.js', async (route) => {
      const response = await route.fetch();
      await route.fulfill({
        response,
        body: `Object.defineProperty(navigator,'gpu',{value:undefined});\n${await response.text()}`,
      });
    });
    const page = await context.newPage();
    await page.goto(open.site.url);
    await filled(page);
    await openPlace(page, 'Run');
    expect(await page.getByRole('region', { name: /Before the start/ }).innerText()).toMatch(
      /This browser offers no WebGPU, so a slow substitute is used/,
    );
    await pressTrain(page);
    await followRun(page, () => undefined);
    const lines = new TextDecoder()
      .decode(await download(page, 'metrics.jsonl'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, number>);
    const losses = lines.filter(({ loss }) => loss !== undefined).map(({ loss }) => loss);
    expect(losses.at(-1)!).toBeLessThan(losses[0]);
    await context.close();
  });

  // All cases on the same kind of adapter: tests/gradients/ops.test.ts.
  it('checks the kernels against TensorFlow.js on this adapter', async () => {
    const { context, page, errors } = await fresh('?check=1');
    await openPlace(page, 'This GPU');
    const section = page.getByRole('region', { name: 'This GPU' });
    await section.getByRole('button', { name: 'Check this GPU' }).click();
    await section.getByRole('table').waitFor({ timeout: 400_000 });
    expect(await section.getByRole('status').innerText()).toMatch(/every kernel agrees with TensorFlow\.js/);
    const rows = (await section.getByRole('row').allInnerTexts()).slice(1).map((row) => row.split(/\s+/));
    expect(rows.map(([op]) => op)).toEqual(
      expect.arrayContaining([
        'linear',
        'lora',
        'attention',
        'rmsNorm',
        'linearCrossEntropy',
        'rope',
        'gated',
      ]),
    );
    for (const [, comparisons, error] of rows) {
      expect(Number(comparisons)).toBeGreaterThan(0);
      expect(Number(error)).toBeLessThan(2e-5);
    }
    await section.getByRole('button', { name: 'Measure this GPU' }).click();
    const speeds = section.getByRole('table', { name: 'Speed of this GPU' });
    await speeds.waitFor({ timeout: 120_000 });
    expect(await speeds.getByRole('row').nth(1).innerText()).toMatch(
      /^2 layers of width 32\s+plain\s+[1-9][\d,]*\s+[\d.]+ \wi?B$/,
    );
    expect(errors).toEqual([]);
    await context.close();
  });

  it("trains on when the worker of a validation file dies, says which, and hands out the worker's stack", async () => {
    const { context, page } = await fresh();
    await context.grantPermissions(['clipboard-read', 'clipboard-write']);
    await context.route('**/assets/evaluation.worker*.js', async (route) => {
      const response = await route.fetch();
      // The worker of “other” throws where nothing catches it, as soon as it is connected to the trainer.
      const dies = `if (self.name === 'evaluation other') self.addEventListener('message', (e) => { if (JSON.stringify(e.data?.path) === '["connect"]') throw new Error('out of memory'); });\n`;
      await route.fulfill({ response, body: dies + (await response.text()) });
    });
    await page.reload();
    await filled(page);
    await pressTrain(page);
    const alerts = await followRun(page, () => undefined);
    expect(alerts.join('\n')).toMatch(
      /other could not be evaluated: .*out of memory.*The other files and the training go on/,
    );
    // The details of the error: which worker threw it, and where in its script.
    const notice = page.locator('#step-run .notice', { hasText: 'other could not be evaluated' });
    await (await reveal(notice)).getByRole('button', { name: 'Copy details' }).click();
    await page.getByRole('button', { name: 'Details copied' }).waitFor();
    const stack =
      /evaluation other worker, an error that nothing caught \(error\)\nError: out of memory\nat .*evaluation\.worker/;
    const details = await page.evaluate(() => navigator.clipboard.readText());
    expect(details).toMatch(/^Finetab [\d.]+, Mozilla.*\n.*\nThe page shows: other could not be evaluated/);
    expect(details).toMatch(stack);
    expect(new TextDecoder().decode(await download(page, 'report.md'))).toMatch(stack);
    const lines = new TextDecoder()
      .decode(await download(page, 'metrics.jsonl'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, number>);
    expect(lines.filter(({ loss }) => loss !== undefined).length).toBe(8);
    expect(
      lines.filter(({ eval_pirate_loss }) => eval_pirate_loss !== undefined).map(({ step }) => step),
    ).toEqual([0, 4, 8]);
    await context.close();
  });

  it('fits a narrow screen: nothing is wider than the page', async () => {
    const { context, page } = await fresh();
    await page.setViewportSize({ width: 360, height: 800 });
    await filled(page);
    for (const place of [
      'Model',
      'Data',
      'Recipe',
      'Run',
      'Result',
      'History',
      'Classroom',
      'Storage',
    ] as const) {
      await openPlace(page, place);
      expect(await page.evaluate(() => document.documentElement.scrollWidth), place).toBeLessThanOrEqual(360);
    }
    await context.close();
  });

  it('shows one place at a time, by the rail, by the address and by going back; each keeps its state', async () => {
    const { context, page, errors } = await fresh('#recipe');
    const shown = () =>
      page
        .locator('[data-place]:visible')
        .evaluateAll((all) => all.map((element) => (element as HTMLElement).dataset.place));
    expect(await shown()).toEqual(['recipe']);
    await page.locator('#step-recipe summary', { hasText: 'Advanced' }).click();
    await openPlace(page, 'Model');
    expect(await shown()).toEqual(['model']);
    expect(await page.evaluate(() => [location.hash, document.activeElement?.id])).toEqual([
      '#model',
      'heading-model',
    ]);
    // With the model the page goes on by itself.
    await chooseFiles(page, 'Choose model files', model);
    expect(await shown()).toEqual(['data']);
    await page.goBack();
    expect(await shown()).toEqual(['model']);
    await page.goBack();
    expect(await shown()).toEqual(['recipe']);
    expect(await page.locator('#step-recipe details').first().getAttribute('open')).not.toBeNull();
    expect(errors).toEqual([]);
    await context.close();
  });

  it('asks only its own host for anything', async () => {
    const { context, page } = await fresh();
    const hosts = new Set<string>();
    page.on(
      'request',
      (request) =>
        !request.url().startsWith('blob:') &&
        !request.url().startsWith('data:') &&
        hosts.add(new URL(request.url()).host),
    );
    await page.reload();
    await filled(page);
    expect([...hosts]).toEqual([new URL(open.site.url).host]);
    await context.close();
  });
});
