/**
 * `npm run headless -- recipe.json --out DIR`: drives the page in headless Chromium by a recipe, as a person
 * would. Paths in the recipe are relative to the recipe's own file. Writes DIR/adapter/ (the PEFT folder),
 * DIR/metrics.jsonl, DIR/recipe.json and DIR/report.md, or DIR/errors.txt where it fails. A "model" of the
 * Hub is downloaded (HF_ENDPOINT and HF_TOKEN as its Python library reads them); "demo" is the project's own.
 * --export gguf-lora,gguf,merged,mlx,cluster,player writes DIR/exports/<name>/ as well, over the model's own
 * files; for a model of the Hub the page makes them, over the weights with which it trained.
 * A recipe may be YAML, and one of TRL, axolotl or LLaMA-Factory; what was not understood is printed. Its
 * adapter_name_or_path is an adapter to go on from, its resume_from_checkpoint a run file as --resume.
 * --stop-at STEP stops the run there and writes DIR/run.zip, with which another computer goes on by --resume
 * run.zip: to the same bytes on the same kind of adapter; on another it is refused, unless with
 * --any-adapter.
 * --sweep learning_rate=1e-4,2e-4 --sweep lora_r=8,16 trains every combination, all else equal: DIR/<run>/ is
 * a run's folder as above, DIR/sweep.csv the table of all. A run that fails does not stop the others.
 * --tune and --level go to the page's address: off, and plain, f16 or matrix, for fixed kernels. The last
 * line of a run that could not be done is the page's own error.
 */
import { existsSync } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { Page } from 'playwright-core';
import { baseName } from '../src/data/files/fileNames.ts';
import { isHubId } from '../src/lib/hubAddress.ts';
import { readRecipe } from '../src/training/foreignRecipes/readRecipe.ts';
import { trainFilesOf, type Recipe } from '../src/training/recipe.ts';
import {
  chooseFiles,
  continueFrom,
  downloadModel,
  followRun,
  PageError,
  pressResume,
  pressTrain,
  resumeRun,
} from './lib/drivePage.ts';
import { sweepAxis, sweepRuns } from '../src/training/sweep/sweepAxes.ts';
import { sweepInPage, type TrainedRun } from './lib/headlessSweep.ts';
import type { ExportName } from '../src/export/exportNames.ts';
import { convertAdapter, exportNames } from './lib/convertAdapter.ts';
import { saveExports, saveResult, saveRunFile, withPage } from './lib/headlessPage.ts';
import { root } from './lib/site.ts';

const USAGE =
  'usage: npm run headless -- recipe.json --out DIR [--skip-bad-rows] [--export NAMES] [--stop-at STEP] [--resume FILE [--any-adapter]] [--sweep KEY=VALUES]… [--tune on|off] [--level auto|plain|f16|matrix]';

export async function main(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      out: { type: 'string' },
      'skip-bad-rows': { type: 'boolean' },
      export: { type: 'string', multiple: true },
      tune: { type: 'string', default: 'on' },
      level: { type: 'string', default: 'auto' },
      'stop-at': { type: 'string', default: 'Infinity' },
      resume: { type: 'string' },
      'any-adapter': { type: 'boolean', default: false },
      sweep: { type: 'string', multiple: true, default: [] },
    },
  });
  const [recipePath] = positionals;
  const { out, tune, level } = values;
  if (!recipePath || !out || positionals.length > 1) throw new Error(USAGE);
  if (!existsSync(recipePath)) throw new Error(`There is no recipe at ${recipePath}.`);
  const forms = exportNames((values.export ?? []).flatMap((names) => names.split(',')));
  const stopAt = Number(values['stop-at']);
  if (!(stopAt > 0)) throw new Error(`--stop-at is ${values['stop-at']}: write the number of a step.`);
  const options = {
    skipBadRows: values['skip-bad-rows'] ?? false,
    forms,
    stopAt,
    resume: values.resume,
    anyAdapter: values['any-adapter'],
    sweep: values.sweep,
  };
  if (options.sweep.length > 0 && (stopAt !== Infinity || options.resume !== undefined))
    throw new Error('--sweep trains every run to its end: leave --stop-at and --resume out.');
  return withPage((page) => runRecipe(page, recipePath, out, options), out, { tune, level });
}

interface RunOptions {
  skipBadRows: boolean;
  forms: readonly ExportName[];
  /** Infinity: to the end. */
  stopAt: number;
  resume: string | undefined;
  anyAdapter: boolean;
  /** Of --sweep: 'learning_rate=1e-4,2e-4'. */
  sweep: readonly string[];
}

async function runRecipe(page: Page, recipePath: string, out: string, options: RunOptions): Promise<number> {
  const { recipe, notes } = await readRecipe(await readFile(recipePath, 'utf8'));
  if (options.sweep.length > 0 && recipe.training.resume_from_checkpoint !== null)
    throw new Error(
      '--sweep trains every run from its beginning, and the recipe goes on with a run file: remove training.resume_from_checkpoint.',
    );
  // Before anything is loaded: a value that the recipe refuses.
  const runs = sweepRuns(
    recipe,
    options.sweep.map((text) => sweepAxis(text, recipe)),
  );
  await chooseFiles(page, 'Load a recipe', recipePath);
  for (const note of notes) console.error(note);
  const from = (path: string) => resolve(dirname(recipePath), path);
  await chooseInputs(page, recipe, from, options.skipBadRows);
  if (options.sweep.length > 0)
    return sweepInPage(page, runs, out, recipe.evaluation, (folder, variant) =>
      trainAndSave(page, variant, from, folder, options),
    );
  const { problems } = await trainAndSave(page, recipe, from, out, options);
  for (const problem of problems) console.error(problem);
  return 0;
}

/** Gives the page the model and the data files of a recipe. @param from makes a recipe's path absolute */
async function chooseInputs(
  page: Page,
  recipe: Recipe,
  from: (path: string) => string,
  skipBadRows: boolean,
): Promise<void> {
  const { model } = recipe;
  if (isHubId(model)) await downloadModel(page, model, process.env.HF_TOKEN);
  else await chooseFiles(page, 'Choose model files', await modelFiles(model, from));
  const trained = trainFilesOf(recipe);
  if (trained.length === 0)
    throw new Error(
      'The recipe has no "train_file". Write the path of a JSONL file with query and response.',
    );
  const validated = recipe.validation_files;
  const data = [...trained, ...validated].map(from);
  for (const path of data)
    if (!existsSync(path))
      throw new Error(
        `There is no data file at ${path}. Paths in a recipe are relative to the recipe's own file.`,
      );
  await chooseFiles(page, 'Choose data files', data);
  await checkRoles(page, { train: trained, validation: validated });
  if (skipBadRows)
    for (const box of await page.getByLabel('Train without the bad rows').all()) await box.check();
  for (const problem of await page.locator('article [role="alert"]').allInnerTexts()) console.error(problem);
}

/** Trains the recipe that the page has to its end, and writes what it left. */
async function trainAndSave(
  page: Page,
  recipe: Recipe,
  from: (path: string) => string,
  out: string,
  { forms, stopAt, resume: given, anyAdapter }: RunOptions,
): Promise<TrainedRun> {
  const choice = page.getByLabel('What is recomputed');
  if (await choice.count()) console.log(await choice.innerText());
  if (recipe.adapter_name_or_path !== null)
    await continueFrom(page, await adapterFiles(from(recipe.adapter_name_or_path)));
  const resume =
    given ?? (recipe.training.resume_from_checkpoint && from(recipe.training.resume_from_checkpoint));
  let last = '';
  let stopping = false;
  const follow = () =>
    followRun(page, ({ state, step }) => {
      if (state !== last) console.log(state);
      last = state;
      if (step < stopAt || stopping) return;
      stopping = true;
      // The run may end by itself first.
      void page
        .getByRole('button', { name: 'Stop and keep the adapter' })
        .click({ timeout: 5000 })
        .catch(() => undefined);
    });
  if (!resume) await pressTrain(page);
  else if (!existsSync(resume)) throw new Error(`There is no run file at ${resume}.`);
  else await resumeRun(page, resume);
  const problems = await follow().catch((error: unknown) => {
    if (!anyAdapter || !(error instanceof PageError) || !/press Resume once more/.test(error.message))
      throw error;
    console.error(error.message);
    return pressResume(page).then(follow);
  });
  const metrics = await saveResult(page, out);
  if (stopAt !== Infinity) await saveRunFile(page, out);
  const { model } = recipe;
  if (isHubId(model)) await saveExports(page, out, forms);
  else await exportOver(page, modelFolder(model, from), out, forms);
  return { problems, metrics };
}

/**
 * Holds the role of every file on the page against the recipe's.
 * @throws where the page took a file for something else
 */
async function checkRoles(page: Page, wanted: Record<string, readonly string[]>): Promise<void> {
  const taken = await page
    .locator('[data-file][data-role]')
    .evaluateAll((controls) =>
      controls.map((control) => [control.getAttribute('data-role'), control.getAttribute('data-file')]),
    );
  for (const [role, paths] of Object.entries(wanted)) {
    const found = taken.filter(([of]) => of === role).map(([, name]) => name);
    if (found.toSorted().join() !== paths.map(baseName).sort().join())
      throw new Error(
        `The recipe names ${paths.join(', ') || 'no file'} for ${role}, but the page took ${found.join(', ') || 'none'}. Name each file once, under a name of its own.`,
      );
  }
}

/** The run's adapter in other forms, over the model's own files; what the page alone knows, it exports. */
async function exportOver(
  page: Page,
  base: string,
  out: string,
  forms: readonly ExportName[],
): Promise<void> {
  // The state of the optimiser and the rows as they were trained are in the page.
  const inPage = forms.filter((form): form is ExportName => form === 'cluster');
  await saveExports(page, out, inPage);
  const here = forms.filter((form) => !inPage.includes(form));
  if (here.length === 0) return;
  await convertAdapter({
    adapter: join(out, 'adapter'),
    base,
    forms: here,
    out: join(out, 'exports'),
    dtype: 'BF16',
    ggufType: 'F16',
    recipe: join(out, 'recipe.json'),
  });
}

/** The folder of a `folder:PATH`, or the demo's. */
function modelFolder(model: string, from: (path: string) => string): string {
  if (model !== 'demo' && !model.startsWith('folder:'))
    throw new Error(
      `"model" is ${JSON.stringify(model)}: write "owner/name" of a model on the Hub, "folder:" and the path of a downloaded one, or "demo".`,
    );
  const folder = model === 'demo' ? join(root, 'public', 'demo') : from(model.slice('folder:'.length));
  if (!existsSync(folder))
    throw new Error(
      `There is no model folder at ${folder}. Paths in a recipe are relative to the recipe's own file.`,
    );
  return folder;
}

/** The files of a PEFT folder, or the one of a GGUF LoRA adapter. */
async function adapterFiles(path: string): Promise<string[]> {
  if (!existsSync(path))
    throw new Error(
      `There is no adapter at ${path}, the recipe's adapter_name_or_path. Paths in a recipe are relative to the recipe's own file.`,
    );
  if ((await stat(path)).isFile()) return [path];
  const names = (await readdir(path)).filter((name) => /^adapter_.*\.(json|safetensors)$/.test(name));
  return names.sort().map((name) => join(path, name));
}

/** The files that the model of `folder:PATH`, or the demo's, is made of. */
async function modelFiles(model: string, from: (path: string) => string): Promise<string[]> {
  const folder = modelFolder(model, from);
  // A GGUF, or an Ollama blob.
  if ((await stat(folder)).isFile()) return [folder];
  const all = await readdir(folder);
  const ggufs = all.filter((name) => /\.gguf$/i.test(name));
  const names = all.includes('config.json')
    ? all.filter((name) => /\.(json|safetensors|jinja)$/.test(name))
    : ggufs;
  if (names.length === 0)
    throw new Error(
      `${folder} holds no model: config.json, tokenizer.json and safetensors are wanted, or a .gguf.`,
    );
  return names.sort().map((name) => join(folder, name));
}
