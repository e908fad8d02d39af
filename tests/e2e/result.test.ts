/**
 * After the run, as a person does it: chat beside the base, the slider, the heat map, a blind vote; and the
 * history: reload, compare, go on, delete.
 */
import { dirname } from 'node:path';
import { unzipSync } from 'fflate';
import type { BrowserContext, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { en } from '../../src/page/language/en.ts';
import { readSafetensorsHeader } from '../../src/formats/safetensors.ts';
import { readAdapter } from '../../src/import/readAdapter.ts';
import { modelOf } from '../../src/model/families/registry.ts';
import type { Answer } from '../../src/player/player.ts';
import {
  chooseFiles,
  download,
  followRun,
  openPlace,
  openTab,
  pressTrain,
  settle,
} from '../../scripts/lib/drivePage.ts';
import { readIndependently } from '../helpers/independentReader.ts';
import { TINY_CONFIG } from '../helpers/tinyModel.ts';
import { staticHost } from '../helpers/staticHost.ts';
import {
  browserPath,
  folderOf,
  openSite,
  pageErrors,
  rowsOf,
  tinyModelPaths,
  type OpenSite,
} from '../helpers/page.ts';

const recipeOf = (learning_rate: number) =>
  JSON.stringify({
    model: 'tiny',
    system_prompt: null,
    max_length: 64,
    lora: { r: 4, lora_alpha: 8 },
    training: { max_steps: 40, per_device_train_batch_size: 4, learning_rate, warmup_ratio: 0 },
    evaluation: { eval_steps: 20, max_new_tokens: 8, do_sample: false },
  });
const DATA = {
  'train.jsonl': rowsOf(12, (i) => ({ query: `say ${i}`, response: 'ahoy' })),
  'pirate.val.jsonl': rowsOf(3, (i) => ({ query: `say ${20 + i}`, response: 'ahoy' })),
};

let open: OpenSite;
let context: BrowserContext;
let page: Page;
let errors: string[];
let data: Record<string, string>;
let recipes: Record<string, string>;
/** The first run's adapter. */
let adapter: Uint8Array;

/** What another page got from the player. */
type Played = { streamed: string } & Record<'tuned' | 'scaled' | 'base', Answer>;

const zipped = async (button: string) => unzipSync(await download(page, button));
const weights = (zip: Record<string, Uint8Array>) => zip['adapter/adapter_model.safetensors'];
const result = () => page.getByRole('region', { name: 'Result', exact: true });
const history = () => page.getByRole('region', { name: 'History' });
const runs = () => history().getByRole('table', { name: 'Kept runs' }).locator('tbody');
const answer = (side: 'Base' | 'Tuned', turn: number) =>
  result().getByRole('group', { name: `${side} answer ${turn}` });
const textOf = (of: Locator) => of.locator('.text').innerText();

/** The result's row of a set: name, start, best, end. */
const losses = async (set: string) =>
  (await result().getByRole('row').allInnerTexts())
    .map((row) => row.split(/\s+/))
    .find(([name]) => name === set)!;

async function ask(question: string): Promise<void> {
  await openTab(page, 'Chat');
  await result().getByLabel('Message to the model').fill(question);
  await result().getByLabel('Message to the model').press('Enter');
  await result().getByRole('button', { name: 'Send' }).waitFor();
}

async function train(recipe: string): Promise<void> {
  await chooseFiles(page, 'Load a recipe', recipe);
  await pressTrain(page);
  expect(await followRun(page, () => undefined)).toEqual([]);
}

describe.skipIf(!browserPath)('result and history', { timeout: 240_000 }, () => {
  beforeAll(async () => {
    open = await openSite();
    data = await folderOf(DATA);
    recipes = await folderOf({ 'first.json': recipeOf(0.03), 'second.json': recipeOf(0.01) });
    context = await open.newContext();
    page = await context.newPage();
    errors = pageErrors(page);
    page.on('dialog', (dialog) => void dialog.accept());
    await page.goto(open.site.url);
    await chooseFiles(page, 'Load a recipe', recipes['first.json']);
    await chooseFiles(page, 'Choose model files', await tinyModelPaths());
    await chooseFiles(page, 'Choose data files', Object.values(data));
    await train(recipes['first.json']);
    adapter = weights(await zipped('Download the adapter'));
  }, 240_000);
  afterAll(() => open?.close());

  it('chats over several turns beside the base; the slider writes the last answer again: 0 % is the base, 100 % as trained', async () => {
    await ask('say 3');
    expect(await textOf(answer('Tuned', 1))).toBe('ahoy');
    const base = await textOf(answer('Base', 1));
    expect(base).not.toBe('ahoy');
    const slider = result().getByLabel('Adapter scale in percent');
    await slider.fill('0');
    await page.waitForFunction(() =>
      document
        .querySelector('[aria-label="Tuned answer 1"][aria-busy="false"]')
        ?.textContent?.includes('0 % of the adapter'),
    );
    expect(await textOf(answer('Tuned', 1))).toBe(base);
    await slider.fill('100');
    await page.waitForFunction(() =>
      /^\s*Tuned · \d+ tokens/.test(
        document.querySelector('[aria-label="Tuned answer 1"][aria-busy="false"]')?.textContent ?? '',
      ),
    );
    expect(await textOf(answer('Tuned', 1))).toBe('ahoy');
    await ask('say 4');
    expect(await answer('Tuned', 2).isVisible()).toBe(true);
    expect(await result().locator('.question').allInnerTexts()).toEqual(
      ['say 3', 'say 4'].map((text) => expect.stringContaining(text) as string),
    );
    // Special tokens are not shown.
    for (const text of await result().locator('.answer .text').allInnerTexts())
      expect(text).not.toMatch(/<\/?s>|<\|/);
    await result().getByRole('button', { name: 'New conversation' }).click();
    await result().getByText('Sampling').click();
    await result().getByLabel('max_new_tokens').fill('200');
    await result().getByLabel('Message to the model').fill('count');
    await slider.fill('0');
    await result().getByRole('button', { name: 'Send' }).click();
    await page.waitForFunction(
      () => (document.querySelector('[aria-label="Tuned answer 1"] .text')?.textContent?.length ?? 0) > 3,
    );
    await result().getByRole('button', { name: 'Stop', exact: true }).click();
    await result().getByRole('button', { name: 'Send' }).waitFor();
    expect(await answer('Tuned', 1).innerText()).toMatch(/stopped|\d+ tokens/);
    await slider.fill('100');
  });

  it('hands out other forms as zips, merged over the weights in the browser', async () => {
    await openTab(page, 'For other programs');
    const asZip = result().getByLabel('as a zip');
    if (await asZip.count()) await asZip.check();
    const lora = await zipped(en.result.exportForms['gguf-lora']);
    const config = { ...TINY_CONFIG };
    const read = await readAdapter(
      [{ path: 'adapter.gguf', blob: new Blob([lora['adapter.gguf']]) }],
      config,
    );
    const peft = Object.entries(readIndependently(adapter)).map(
      ([name, { values }]) => [name, values] as const,
    );
    for (const [name, values] of peft) expect([...read.tensors.get(name)!.data], name).toEqual(values);
    const merged = await zipped(en.result.exportForms.merged);
    const file = new Blob([merged['model.safetensors']]);
    const names = (await readSafetensorsHeader(file, 'model.safetensors')).map(({ name }) => name);
    expect(names.sort()).toEqual(
      modelOf(config)
        .tensors.map(({ name }) => name)
        .sort(),
    );
    expect(new TextDecoder().decode(merged['README.md'])).toMatch(
      /over the dequantised 4-bit weights with which/,
    );
  });

  it('hands out a folder that a page of another host plays: the same answers, without WebGPU too', async () => {
    const folder = await folderOf(await zipped(en.result.exportForms.player));
    const host = await staticHost(dirname(folder['index.html']), '/their/', { page: {}, assets: {} });
    const theirs = await context.newPage();
    const problems = pageErrors(theirs);
    await theirs.goto(host.url);
    await theirs.getByText(/^Runs on this computer: webgpu/).waitFor();
    await theirs.getByLabel('Question').fill('say 3');
    await theirs.getByRole('button', { name: 'Send' }).click();
    await theirs.locator('#turns .assistant', { hasText: 'ahoy' }).waitFor();
    await theirs.getByRole('button', { name: 'Send', disabled: false }).waitFor();
    // As a text: the test's own module loader would take the import over.
    const played = (device: string) =>
      theirs.evaluate<Played>(`(async () => {
        const { load } = await import('./finetab-player.js');
        const model = await load('./', { device: '${device}' });
        const messages = [{ role: 'user', content: 'say 3' }];
        let streamed = '';
        for await (const text of model.chat(messages)) streamed += text;
        const tuned = await model.answer(messages);
        const scaled = await model.answer(messages, { scale: 0 });
        const base = await model.answer(messages, { adapter: null });
        await model.dispose();
        return { streamed, tuned, scaled, base };
      })()`);
    await openTab(page, 'Chat');
    await result().getByRole('button', { name: 'New conversation' }).click();
    await ask('say 3');
    const [, tokens] = /(\d+) tokens/.exec(await answer('Tuned', 1).innerText())!;
    for (const device of ['auto', 'tensorflow']) {
      const { streamed, tuned, scaled, base } = await played(device);
      // One byte is one token: the same text is the same ids.
      expect(tuned.text, device).toBe('ahoy');
      expect(tuned.firstTokenMs).toBeGreaterThan(0);
      expect(tuned.ids, device).toEqual([...new TextEncoder().encode('ahoy'), 257]);
      expect(tuned.ids.length).toBe(Number(tokens));
      expect(streamed).toBe(tuned.text);
      // The page's answers were made longer above.
      expect((await textOf(answer('Base', 1))).startsWith(base.text)).toBe(true);
      expect(scaled.ids).toEqual(base.ids);
    }
    expect(problems.filter((problem) => !problem.includes('404'))).toEqual([]);
    await theirs.close();
    await host.close();
  });

  it('hands out a folder for a bigger machine: script, rows as they are trained, adapter and optimiser', async () => {
    const files = await zipped(en.result.exportForms.cluster);
    const text = (name: string) => new TextDecoder().decode(files[name]);
    expect(Object.keys(files)).toEqual(
      expect.arrayContaining([
        'train.py',
        'requirements.txt',
        'accelerate/many_gpus.yaml',
        'data/pirate.val.jsonl',
      ]),
    );
    expect(JSON.parse(text('state/state.json'))).toMatchObject({
      step: 40,
      total_steps: 40,
      optimizer_steps: 40,
    });
    expect(JSON.parse(text('recipe.json'))).toMatchObject({ lora: { r: 4 }, training: { max_steps: 40 } });
    const rows = text('data/train.jsonl').trim().split('\n');
    expect(rows.length).toBe(12);
    const { input_ids, labels } = JSON.parse(rows[0]) as Record<string, number[]>;
    expect(labels.slice(-5)).toEqual(input_ids.slice(-5));
    expect(labels.slice(0, -5)).toEqual(input_ids.slice(0, -5).map(() => -100));
    expect(files['adapter/adapter_model.safetensors']).toEqual(adapter);
    const moments = await readSafetensorsHeader(
      new Blob([files['state/optimizer.safetensors']]),
      'optimizer',
    );
    expect(moments.length).toBe(2 * Object.keys(readIndependently(adapter)).length);
  });

  it('shades a row token by token, before and after, with values on focus', async () => {
    await openTab(page, 'Loss token by token');
    await result().getByLabel('File').selectOption('pirate.val.jsonl');
    const map = result().getByRole('region', { name: 'Loss of the tuned model' });
    await map.waitFor();
    const [, base, tuned] = /base (\d+\.\d+), tuned (\d+\.\d+)/
      .exec(await result().locator('p', { hasText: 'Mean loss' }).innerText())!
      .map(Number);
    expect(tuned).toBeLessThan(base - 2);
    const tokens = map.getByRole('button');
    expect((await tokens.allInnerTexts()).slice(-5)).toEqual(['a', 'h', 'o', 'y', '</s>']);
    await tokens.last().hover();
    const values = result().getByRole('status', { name: 'Values of a token' });
    expect(await values.innerText()).toMatch(
      /<\/s>\s*id 257, position \d+:\s*base [\d.]+, tuned [\d.]+ \(−[\d.]+\)/,
    );
    await tokens.last().focus();
    await page.keyboard.press('ArrowLeft');
    expect(await values.innerText()).toMatch(/^y\s*id 121/);
    const shade = (of: Locator) =>
      of.evaluate((element) => Number(/(\d+)%/.exec(element.getAttribute('style') ?? '')?.[1] ?? NaN));
    const before = result().getByRole('region', { name: 'Loss of the base model' }).getByRole('button');
    expect(await shade(before.last())).toBeGreaterThan(await shade(tokens.last()));
    await result().getByRole('button', { name: 'Next row' }).click();
    await page.waitForFunction(() =>
      document.querySelector('section[aria-label="Loss of the tuned model"]')?.textContent?.includes('21'),
    );
  });

  it('ranks training rows by the tuned model, as the loss token by token has them', async () => {
    const step = page.getByRole('region', { name: 'Data', exact: true });
    await openPlace(page, 'Data');
    await step.getByRole('button', { name: 'Rank the rows of train.jsonl by loss' }).click();
    await step.getByText('Highest loss a token').click();
    const list = step.locator('details', { hasText: 'Highest loss a token' }).getByRole('listitem');
    const ranked = (await list.allInnerTexts()).map((text) =>
      /line (\d+): loss ([\d.]+) (\w+)/.exec(text)!.slice(1),
    );
    expect(ranked.map(([, , answer]) => answer)).toEqual(Array.from({ length: 10 }, () => 'ahoy'));
    expect(ranked.map(([, loss]) => Number(loss))).toEqual(
      ranked.map(([, loss]) => Number(loss)).sort((a, b) => b - a),
    );
    await openPlace(page, 'Result');
    await result().getByLabel('File').selectOption('train.jsonl');
    for (const [line, loss] of [ranked[0], ranked[9]]) {
      const row = result().getByLabel('Row', { exact: true });
      await row.fill(line);
      await row.press('Enter');
      const mean = result().locator('p', { hasText: 'Mean loss' });
      await expect
        .poll(async () => Number(/tuned (\d+\.\d+)/.exec(await mean.innerText())?.[1]).toFixed(3))
        .toBe(loss);
    }
  });

  it('compares blind over a validation file; the votes stay with the run', async () => {
    await openTab(page, 'Head to head');
    await result().getByLabel('Rows').fill('3');
    await result().getByRole('button', { name: 'Start', exact: true }).click();
    const ballot = result().getByRole('group', { name: 'Which answer is better?' });
    for (let row = 1; row <= 3; row++) {
      await ballot.waitFor();
      expect(await ballot.innerText()).not.toMatch(/tuned|base/i);
      const a = await ballot.getByRole('region', { name: 'Answer A' }).locator('.text').innerText();
      await ballot.getByRole('button', { name: a === 'ahoy' ? 'A is better' : 'B is better' }).click();
    }
    expect(await result().getByRole('status', { name: 'Tally' }).innerText()).toMatch(
      /The tuned model is ahead: tuned 3, base 0\. .*25 % of the time; that could be chance/,
    );
  });

  it('after a reload has the run in the history: it answers and is downloaded without training, votes included', async () => {
    await page.reload();
    await settle(page);
    await openPlace(page, 'History');
    const run = runs().first();
    expect(await run.innerText()).toMatch(
      /train\.jsonl on tiny[\s\S]*finished, 40 steps[\s\S]*[\d.]+ → [\d.]+/,
    );
    await run.getByRole('button', { name: 'Open' }).click();
    await ask('say 5');
    expect(await textOf(answer('Tuned', 1))).toBe('ahoy');
    expect(weights(await zipped('Download the adapter'))).toEqual(adapter);
    await openTab(page, 'Head to head');
    expect(await result().getByRole('status', { name: 'Tally' }).innerText()).toMatch(/tuned 3, base 0/);
    await openPlace(page, 'History');
    await run.getByRole('button', { name: /^More/ }).click();
    await run.getByLabel('Name').fill('pirate one');
    await run.getByLabel('Notes').fill('says ahoy');
    await run.getByLabel('Notes').blur();
    await history().getByRole('rowgroup', { name: 'pirate one' }).waitFor();
    await run.getByLabel('Tags').fill('sea, first');
    await run.getByLabel('Tags').blur();
    await history().getByRole('button', { name: 'sea' }).waitFor();
    const zip = await zipped('Export all of it');
    expect(Object.keys(zip)).toEqual(
      expect.arrayContaining([
        'adapter/adapter_config.json',
        'metrics.jsonl',
        'recipe.json',
        'report.md',
        'votes.json',
        'notes.txt',
      ]),
    );
    expect(new TextDecoder().decode(zip['notes.txt'])).toBe('says ahoy');
  });

  it('takes a run that a reload cut off to the same bytes as one that was left alone', async () => {
    await chooseFiles(page, 'Choose data files', Object.values(data));
    await chooseFiles(page, 'Load a recipe', recipes['first.json']);
    await pressTrain(page);
    // At once, by the page itself: what is left of the run takes little longer than a click from outside.
    await page.waitForFunction(() => {
      const pause = [...document.querySelectorAll('button')].find(
        ({ textContent }) => textContent.trim() === 'Pause',
      );
      if (
        !pause ||
        Number(document.querySelector('progress[aria-label="Training"]')?.getAttribute('value')) < 7
      )
        return false;
      pause.click();
      return true;
    });
    await page.waitForFunction(() =>
      [...document.querySelectorAll('dt')].some(
        (term) =>
          term.textContent?.trim().startsWith('saved at step') &&
          Number(term.nextElementSibling?.textContent) >= 7,
      ),
    );
    await page.reload();
    await settle(page);
    await chooseFiles(page, 'Choose data files', Object.values(data));
    await openPlace(page, 'History');
    expect(await runs().first().innerText()).toMatch(/cut off; saved at step \d+ of 40/);
    await runs()
      .first()
      .getByRole('button', { name: /Resume from/ })
      .click();
    await followRun(page, () => undefined);
    expect(weights(await zipped('Download the adapter'))).toEqual(adapter);
  });

  it('goes on from a dropped PEFT folder, refuses one that does not fit, compares two runs and deletes one', async () => {
    const before = await losses('pirate');
    const files = await zipped('Download the adapter');
    const folder = await folderOf(
      Object.fromEntries(
        ['adapter_config.json', 'adapter_model.safetensors'].map((name) => [name, files[`adapter/${name}`]]),
      ),
    );
    const input = page.locator('input[aria-label="Choose adapter files"]');
    await input.setInputFiles(folder['adapter_config.json']);
    await page.locator('main > .alert').getByText('the weights are missing').waitFor();
    await page.getByRole('button', { name: 'Dismiss' }).click();
    await chooseFiles(page, 'Load a recipe', recipes['second.json']);
    await input.setInputFiles(Object.values(folder));
    await page.getByText('The run goes on from the adapter dropped adapter').waitFor();
    await settle(page);
    await pressTrain(page);
    await followRun(page, () => undefined);
    expect((await losses('pirate'))[1]).toBe(before[3]);
    await openPlace(page, 'History');
    expect(await runs().count()).toBe(3);
    expect(await runs().first().innerText()).toMatch(/went on from dropped adapter/);
    await runs().nth(0).getByRole('checkbox').check();
    await runs().nth(2).getByRole('checkbox').check();
    const comparison = history().getByRole('region', { name: 'Comparison of runs' });
    await comparison.waitFor();
    expect(await comparison.getByRole('img').count()).toBe(2);
    expect((await comparison.getByRole('row').allInnerTexts()).map((row) => row.split(/\s+/))).toEqual([
      expect.arrayContaining(['training.learning_rate']),
      expect.arrayContaining(['0.03']),
      expect.arrayContaining(['0.01']),
    ]);
    const table = new TextDecoder()
      .decode(await download(page, 'Table as CSV'))
      .trim()
      .split('\n');
    expect(table[0]).toMatch(
      /^run,state,training\.learning_rate,pirate start,pirate best,pirate end,training start/,
    );
    expect(table.slice(1).map((line) => /,"finished, 40 steps",([\d.]+),/.exec(line)?.[1])).toEqual([
      '0.03',
      '0.01',
    ]);
    // Found by its tag, and sorted by its loss.
    await history().getByLabel('Filter').fill('sea');
    expect(await runs().count()).toBe(1);
    await history().getByLabel('Filter').fill('');
    await history().getByRole('button', { name: 'pirate: start → end' }).click();
    const sorted = (await runs().allInnerTexts()).map((text) => Number(/→ ([\d.]+)/.exec(text)![1]));
    expect(sorted).toEqual(sorted.toSorted((a, b) => a - b));
    const last = history().getByRole('rowgroup', { name: 'pirate one' });
    await last.getByRole('button', { name: /^More/ }).click();
    await last.getByRole('button', { name: 'Delete pirate one' }).click();
    await last.getByRole('button', { name: 'Delete', exact: true }).click();
    await last.waitFor({ state: 'detached' });
    expect(await runs().count()).toBe(2);
    expect(errors).toEqual([]);
  });

  it('chats with a dropped GGUF adapter, evaluates it as its run ended, and exports it', async () => {
    await openPlace(page, 'History');
    const kept = await runs().count();
    await openPlace(page, 'Result');
    const ended = await losses('pirate');
    await ask('say 3');
    const trained = await textOf(answer('Tuned', 1));
    await openTab(page, 'For other programs');
    const asZip = result().getByLabel('as a zip');
    if (await asZip.count()) await asZip.check();
    const lora = await zipped(en.result.exportForms['gguf-lora']);
    const dropped = await folderOf({ 'ahoy.gguf': lora['adapter.gguf'] });
    await page.locator('input[aria-label="Choose adapter files to try"]').setInputFiles(dropped['ahoy.gguf']);
    await page.getByText('of ahoy.gguf, from the history').first().waitFor();
    await settle(page);
    await openPlace(page, 'History');
    expect(await runs().count()).toBe(kept + 1);
    await openPlace(page, 'Result');
    await ask('say 3');
    expect(await textOf(answer('Tuned', 1))).toBe(trained);
    await openTab(page, 'Evaluate');
    await result()
      .getByRole('button', { name: /^Evaluate on pirate/ })
      .click();
    const row = result().getByRole('table', { name: 'Evaluation of the adapter' }).getByRole('row').nth(1);
    await row.waitFor();
    const [name, base, tuned] = (await row.innerText()).split(/\s+/);
    expect([name, tuned]).toEqual(['pirate', ended[3]]);
    expect(Number(base)).toBeGreaterThan(Number(tuned) + 2);
    await openTab(page, 'For other programs');
    if (await asZip.count()) await asZip.check();
    const mlx = await zipped(en.result.exportForms.mlx);
    expect(Object.keys(mlx).sort()).toEqual(['adapter_config.json', 'adapters.safetensors']);
    expect(errors).toEqual([]);
  });
});
