/**
 * A bundle that one profile made, opened by another without a network: it trains to the same bytes. And what
 * the page says of a damaged one, and of an address that it does not open.
 */
import { copyFile, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { unzipSync } from 'fflate';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Bundle, blobSource } from '../../src/formats/bundle/readBundle.ts';
import { sha256Hex } from '../../src/lib/sha256.ts';
import {
  chooseFiles,
  download,
  followRun,
  openPlace,
  pressTrain,
  settle,
} from '../../scripts/lib/drivePage.ts';
import { makeBundle } from '../../scripts/lib/makeBundle.ts';
import { root } from '../../scripts/lib/site.ts';
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
  train_file: 'train.jsonl',
  validation_files: ['some.val.jsonl'],
  max_length: 64,
  lora: { r: 4, lora_alpha: 8 },
  training: { max_steps: 2, per_device_train_batch_size: 4, learning_rate: 0.01, warmup_ratio: 0 },
  evaluation: { eval_steps: 2, max_new_tokens: 100 },
});
const LESSON = '# Pirates\n\nTeach it to say **ahoy**. <img src=x onerror=alert(1)>\n';

describe.skipIf(!browserPath)('a bundle on the page', { timeout: 240_000 }, () => {
  let open: OpenSite;
  let model: string[];
  let files: Record<string, string>;
  beforeAll(async () => {
    open = await openSite();
    model = await tinyModelPaths();
    files = await folderOf({
      'recipe.json': RECIPE,
      'train.jsonl': rowsOf(12, (i) => ({ query: `say ${i}`, response: 'ahoy' })),
      'some.val.jsonl': rowsOf(2, (i) => ({ query: `say it ${i}`, response: 'ahoy' })),
      'lesson.md': LESSON,
    });
  }, 240_000);
  afterAll(() => open?.close());

  const visit = async (query = ''): Promise<Page> => {
    const page = await (await open.newContext()).newPage();
    await page.goto(open.site.url + query);
    await settle(page);
    return page;
  };
  const adapterOf = async (page: Page): Promise<string> => {
    await pressTrain(page);
    expect(await followRun(page, () => undefined)).toEqual([]);
    const zip = unzipSync(await download(page, 'Download the adapter'));
    const [name] = Object.keys(zip).filter((path) => path.endsWith('adapter_model.safetensors'));
    return sha256Hex(zip[name]);
  };
  const drop = (page: Page, path: string) =>
    page.locator('input[aria-label="Choose a bundle"]').setInputFiles(path);

  let bundle: string;
  let adapter: string;

  it('is made of what the page has, and holds what npm run bundle puts in one', async () => {
    const page = await visit();
    await chooseFiles(page, 'Load a recipe', files['recipe.json']);
    await chooseFiles(page, 'Choose model files', model);
    await chooseFiles(page, 'Choose data files', [files['train.jsonl'], files['some.val.jsonl']]);
    await openPlace(page, 'Classroom');
    await page.getByText('Make one of what is on this page').click();
    await page.getByLabel('Title').fill('Class 9b');
    await page.getByLabel('Lesson, in Markdown').fill(LESSON);
    const bytes = await download(page, 'Save as a bundle');
    bundle = join(dirname(files['recipe.json']), 'class.finetab');
    await writeFile(bundle, bytes);
    const out = join(dirname(bundle), 'node.finetab');
    await makeBundle({
      model: dirname(model[0]),
      recipe: files['recipe.json'],
      lesson: files['lesson.md'],
      title: 'Class 9b',
      name: 'tiny',
      out,
    });
    const manifestOf = async (from: Uint8Array) =>
      (await Bundle.open(blobSource(new Blob([from as Uint8Array<ArrayBuffer>]), 'x'))).manifest;
    expect(await manifestOf(bytes)).toEqual(await manifestOf(await readFile(out)));
    adapter = await adapterOf(page);
    await page.context().close();
  });

  it('trains in another profile without a network, to the same bytes', async () => {
    const page = await visit();
    await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
    await page.context().setOffline(true);
    await page.reload();
    await settle(page);
    await drop(page, bundle);
    const classroom = page.getByRole('region', { name: 'Classroom' });
    await classroom.getByRole('heading', { name: 'Pirates' }).waitFor();
    await settle(page);
    // Markup in a lesson is text.
    await expect.poll(() => classroom.innerText()).toContain('<img src=x onerror=alert(1)>');
    expect(await classroom.locator('img').count()).toBe(0);
    expect(await adapterOf(page)).toBe(adapter);
    await page.context().close();
  });

  it('is refused by the name of its damaged part', async () => {
    const bytes = await readFile(bundle);
    const { manifest } = await Bundle.open(blobSource(new Blob([bytes]), 'x'));
    const { path } = manifest.model.tensors[3].chunks[0];
    bytes[bytes.indexOf(path, bytes.byteLength >> 2) + path.length + 1] ^= 1;
    const damaged = join(dirname(bundle), 'damaged.finetab');
    await writeFile(damaged, bytes);
    const page = await visit();
    await drop(page, damaged);
    await expect(settle(page)).rejects.toThrow(/in damaged\.finetab is damaged or was exchanged/);
    expect(await trainButton(page).isEnabled()).toBe(false);
    await page.reload();
    await settle(page);
    expect(await page.getByRole('button', { name: 'Use tiny' }).isEnabled()).toBe(false);
    await page.context().close();
  });

  it('is opened by an address beside the page, and by no other host', async () => {
    const beside = join(root, 'dist', 'test-class.finetab');
    await copyFile(bundle, beside);
    try {
      const page = await visit('?bundle=test-class.finetab');
      await page.getByRole('heading', { name: 'Pirates' }).waitFor();
      expect(await trainButton(page).isEnabled()).toBe(true);
      await page.context().close();
    } finally {
      await rm(beside);
    }
    const page = await (await open.newContext()).newPage();
    const asked: string[] = [];
    page.on('request', (request) => asked.push(request.url()));
    await page.goto(`${open.site.url}?bundle=https://example.org/class.finetab`);
    await expect(settle(page)).rejects.toThrow('not from example.org');
    expect(asked.filter((url) => url.includes('example.org') && !url.startsWith(open.site.url))).toEqual([]);
    await page.context().close();
  });
});
