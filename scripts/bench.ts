/**
 * `npm run bench` measures this machine's adapter: single kernels, whole steps at the shapes of real models,
 * generation, and whole steps against eager TensorFlow.js, at every level that the adapter offers. It prints
 * tables. A software adapter gets tiny models.
 *   --only PART     one part, more than once for several: kernels, steps, decode, eager; or one of those that
 *                   run only when they are named: levels (what 16-bit products do to a whole run), longRun
 *                   (speed and memory over 10,000 steps), growth (long documents, many micro-batches),
 *                   variants (every config of every matrix product of a model, timed and checked, beside the
 *                   config that the heuristic takes)
 *   --json FILE     writes the figures to a file, with each step's kernels by GPU time
 *   --level LEVEL   only plain, f16 or matrix (more than once for several)
 *   --model NAME    only this model (more than once for several)
 *   --size SIZE     tiny or real, whatever the adapter
 *   --steps N       steps of longRun, and of levels with --recipe
 *   --recipe FILE   levels trains this recipe instead of the demo: its paths, a local model's among them, are
 *                   relative to its own file
 *   --browser       runs in headless Chromium instead of Node, on the page's WebGPU
 *   --peft PYTHON   runs tests/bench/peft.py with that Python first and prints the ratios; takes a .json that
 *                   it wrote, too
 *   --markdown      measures what the page's "Measure this GPU" does, and prints its table as docs/gpus.md
 *                   collects them; nothing else is run
 *   --check         compares every kernel with TensorFlow.js first
 * `npm run bench -- import` measures the import of a model and loading it. `npm run bench -- rows [--rows N]`
 * trains on a file of a million rows in the page. `npm run bench -- newcomer` times a first visit with the
 * demo. `npm run bench -- plots FILE.json…` draws docs/growth-*.svg from the figures of longRun and growth.
 */
import { openAsBlob } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { measureGpuSpeed, TINY } from '../src/engine/gpuSpeed.ts';
import { WebGpuEngine } from '../src/engine/webgpu/webgpuEngine.ts';
import { isSoftwareAdapter } from '../src/gpu/adapterInfo.ts';
import type { KernelLevel } from '../src/gpu/dispatch.ts';
import { checkOp, OP_BOUND } from '../src/verify/checkOp.ts';
import { opCases } from '../src/verify/opCases.ts';
import { loadTensorFlow } from '../src/plan/tensorflow/loadTensorflow.ts';
import { benchInBrowser } from './bench/browser.ts';
import type { BenchFigures } from './bench/figures.ts';
import { PARTS, type BenchHost, type Part } from './bench/measuring.ts';
import { benchImport } from './bench/import.ts';
import { peftBench, ratios } from './bench/peft.ts';
import { benchNewcomer } from './bench/newcomer.ts';
import { drawPlots } from './bench/plots.ts';
import { print, printFigures } from './bench/report.ts';
import { benchRows } from './bench/rows.ts';
import type { RunFiles } from './bench/runData.ts';
import { runBench } from './bench/suite.ts';
import { speedMarkdown } from '../src/page/gpu/speedMarkdown.ts';
import { filesAt } from './lib/nodeFiles.ts';
import { nodeGpu, openNodeGpu } from './lib/nodeGpu.ts';
import { recipeAt } from './lib/recipeAt.ts';
import { root } from './lib/site.ts';

const LEVELS: readonly KernelLevel[] = ['plain', 'f16', 'matrix'];
const DEFAULT_PARTS: readonly Part[] = ['kernels', 'steps', 'decode', 'eager'];

export async function main(args: string[]): Promise<number> {
  if (args[0] === 'import') {
    const { quantizeMBpsOfCpu, ...figures } = await benchImport();
    console.table(figures);
    console.table(quantizeMBpsOfCpu);
    return 0;
  }
  if (args[0] === 'rows') {
    console.log(JSON.stringify(await benchRows(args.slice(1)), null, 2));
    return 0;
  }
  if (args[0] === 'newcomer') {
    console.log(JSON.stringify(await benchNewcomer(args.slice(1)), null, 2));
    return 0;
  }
  if (args[0] === 'plots') {
    console.log(`Wrote ${(await drawPlots(args.slice(1))).join(' and ')}.`);
    return 0;
  }
  const { values } = parseArgs({
    args,
    options: {
      json: { type: 'string' },
      check: { type: 'boolean' },
      markdown: { type: 'boolean' },
      browser: { type: 'boolean' },
      level: { type: 'string', multiple: true },
      model: { type: 'string', multiple: true },
      size: { type: 'string' },
      steps: { type: 'string' },
      recipe: { type: 'string' },
      peft: { type: 'string' },
      only: { type: 'string', multiple: true },
    },
  });
  if (values.markdown) {
    console.log(await markdownOfSpeed());
    return 0;
  }
  if (values.recipe && values.browser)
    throw new Error('--recipe reads files of this machine: leave --browser out.');
  if (values.recipe && !values.only?.includes('levels'))
    throw new Error('--recipe is for --only levels: the other parts have models and rows of their own.');
  const options = {
    parts: values.only?.map((each) => oneOf('--only', each, PARTS)) ?? DEFAULT_PARTS,
    levels: values.level?.map((each) => oneOf('--level', each, LEVELS)),
    models: values.model,
    size: values.size === undefined ? undefined : oneOf('--size', values.size, ['tiny', 'real'] as const),
    steps: values.steps === undefined ? undefined : Number(values.steps),
  };
  const save = async (figures: BenchFigures, more: object = {}) => {
    if (values.json) await writeFile(values.json, `${JSON.stringify({ ...figures, ...more }, null, 1)}\n`);
  };
  // PEFT runs first, while the GPU is free.
  const peft = values.peft ? peftBench(values.peft) : null;
  const figures = values.browser
    ? await benchInBrowser(options)
    : await benchInNode(options, values.check === true, save, values.recipe);
  if (!figures) return 1;
  printFigures(figures);
  if (peft) {
    print(`PEFT on ${peft.device}, torch ${peft.torch}`, ratios(figures.steps, peft));
    print(
      'Products and copies of PyTorch',
      peft.products.map(({ shape, dtype, tflops, bytesPerSecond }) => ({
        shape,
        dtype,
        'TFLOP/s': tflops?.toFixed(1) ?? '',
        'TB/s': bytesPerSecond ? (bytesPerSecond / 1e12).toFixed(2) : '',
      })),
    );
  }
  await save(figures, { peft });
  return 0;
}

/** The table of this machine's adapter, in Node. */
async function markdownOfSpeed(): Promise<string> {
  const context = await openNodeGpu();
  const speed = await measureGpuSpeed({
    adapter: context.name,
    levels: context.levels,
    create: (options) => WebGpuEngine.create(context, options),
    onProgress: (what, done, total) => console.error(`${what} (${done + 1} of ${total})`),
    ...(isSoftwareAdapter(context.adapterInfo) ? TINY : {}),
  });
  return speedMarkdown(speed, `Node ${process.versions.node}, ${process.platform}`);
}

/** @returns null where --check found a kernel that is wrong */
async function benchInNode(
  options: Parameters<typeof runBench>[2],
  check: boolean,
  save: (figures: BenchFigures) => Promise<void>,
  recipe?: string,
): Promise<BenchFigures | null> {
  const context = await openNodeGpu();
  if (check) {
    let wrong = 0;
    const { tf } = await loadTensorFlow(['cpu']);
    for (const made of opCases()) {
      for (const { name, of, error } of await checkOp(context, tf, made)) {
        if (error < OP_BOUND) continue;
        wrong++;
        console.log(`WRONG ${name}, ${of}: ${error.toExponential(1)}`);
      }
    }
    console.log(`Kernels against TensorFlow.js: ${wrong === 0 ? 'all within the bound' : `${wrong} wrong`}`);
    if (wrong > 0) return null;
  }
  // TensorFlow.js looks for a browser's navigator before it takes a device that it is given.
  Object.defineProperty(globalThis, 'navigator', { value: { gpu: nodeGpu() }, configurable: true });
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const host: BenchHost = {
    log: (line) => console.log(line),
    demoFile: (name) => openAsBlob(join(root, 'public', 'demo', name)),
    heapBytes() {
      collect();
      return process.memoryUsage().heapUsed;
    },
    ...(recipe && { ownRun: await runAt(recipe) }),
    save,
  };
  return runBench(context, host, options);
}

/** @throws UserError where there is no such recipe or no local model of its name */
async function runAt(path: string): Promise<RunFiles> {
  const { recipe } = await recipeAt(path);
  const beside = (name: string) => resolve(dirname(path), name);
  return { recipe, model: await filesAt(beside(recipe.model)), file: (name) => openAsBlob(beside(name)) };
}

/** @throws where `value` is none of the choices */
function oneOf<T extends string>(option: string, value: string, choices: readonly T[]): T {
  const found = choices.find((choice) => choice === value);
  if (found === undefined) throw new Error(`${option} ${value}: it is one of ${choices.join(', ')}`);
  return found;
}
