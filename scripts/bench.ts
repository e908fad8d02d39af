/**
 * `npm run bench`: measures this machine's adapter: what JavaScript costs a step against eager TensorFlow.js, single kernels, and on a real GPU whole
 * steps at the shapes of real models, at every level the adapter offers. Prints tables.
 *   --json FILE     writes the figures, and each step's kernels by GPU time
 *   --level LEVEL   plain, f16 or matrix only (more than once for several); --model NAME likewise
 *   --peft PYTHON   runs tests/bench/peft.py with that Python and prints the ratios; a .json that it wrote does as well
 *   --only PART     kernels, steps or encode (more than once for several)
 *   --check         every kernel against TensorFlow.js first
 * `npm run bench -- import`: import of a model and loading it.
 */
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { isSoftwareAdapter } from '../src/gpu/context.ts';
import { checkOp, OP_BOUND } from '../src/plan/checkOps.ts';
import { opCases } from '../src/plan/opCases.ts';
import { loadTensorFlow } from '../src/plan/tensorflow/load.ts';
import { benchEncode } from './bench/encode.ts';
import { benchImport } from './bench/import.ts';
import { benchKernels, type KernelBench } from './bench/kernels.ts';
import { peftBench, ratios } from './bench/peft.ts';
import { benchStep, type StepBench } from './bench/steps.ts';
import { openNodeGpu } from './lib/nodeGpu.ts';
import { SHAPES } from './lib/randomModel.ts';

/** Documents and their length. */
const STEPS = [
  [1, 512],
  [4, 512],
  [4, 1024],
] as const;

export async function main(args: string[]): Promise<number> {
  if (args[0] === 'import') {
    const { quantizeMBpsOfCpu, ...figures } = await benchImport();
    console.table(figures);
    console.table(quantizeMBpsOfCpu);
    return 0;
  }
  const { values } = parseArgs({
    args,
    options: {
      json: { type: 'string' },
      check: { type: 'boolean' },
      level: { type: 'string', multiple: true },
      model: { type: 'string', multiple: true },
      peft: { type: 'string' },
      only: { type: 'string', multiple: true },
    },
  });
  const context = await openNodeGpu();
  const software = isSoftwareAdapter(context.adapterInfo);
  console.log(`Adapter: ${context.name}${software ? ' (software)' : ''}`);

  let wrong = 0;
  if (values.check) {
    const { tf } = await loadTensorFlow(['cpu']);
    for (const made of opCases()) {
      for (const { name, of, error } of await checkOp(context, tf, made)) {
        if (error < OP_BOUND) continue;
        wrong++;
        console.log(`WRONG ${name}, ${of}: ${error.toExponential(1)}`);
      }
    }
    console.log(`Kernels against TensorFlow.js: ${wrong === 0 ? 'all within the bound' : `${wrong} wrong`}`);
  }

  const levels = context.levels.filter((level) => !values.level || values.level.includes(level));
  const does = (part: string) => !values.only || values.only.includes(part);
  const kernels: KernelBench[] = [];
  for (const level of does('kernels') ? levels : []) kernels.push(...(await benchKernels(context, level, software ? 8 : 1)));
  if (kernels.length > 0) console.table(kernels.map(({ kernel, level, shape, ms, gflops }) => ({ kernel, level, shape, ms: ms.toFixed(3), 'GFLOP/s': gflops.toFixed(1) })));
  const steps: StepBench[] = [];
  if (!software && does('steps')) {
    for (const model of values.model ?? ['SmolLM2-135M', 'Qwen2.5-0.5B', 'Llama-3.2-1B']) {
      if (!(model in SHAPES)) throw new Error(`--model ${model} is none of ${Object.keys(SHAPES).join(', ')}`);
      for (const level of levels) {
        for (const [count, length] of STEPS)
          for (const gradientCheckpointing of [true, false]) {
            const row = await benchStep(context, { model, count, length, level, gradientCheckpointing });
            console.log(`${model} ${level} ${row.documents}${gradientCheckpointing ? '' : ', nothing recomputed'}: ${row.tokensPerSecond.toFixed(0)} tokens/s`);
            steps.push(row);
          }
      }
    }
    console.table(
      steps.map(({ model, level, documents, gradientCheckpointing, tokensPerSecond, stepMs, gpuMs, encodeMs, submitMs, dispatches, peakBytes }) => ({
        model,
        level,
        documents,
        recomputed: gradientCheckpointing ? 'layers' : 'nothing',
        'tokens/s': tokensPerSecond.toFixed(0),
        'step ms': stepMs.toFixed(1),
        'GPU ms': gpuMs?.toFixed(1) ?? '',
        'encode + submit ms': `${encodeMs.toFixed(1)} + ${submitMs.toFixed(1)}`,
        dispatches,
        GiB: (peakBytes / 2 ** 30).toFixed(2),
      })),
    );
  } else if (software) console.log('Whole steps of real models are measured on a GPU only; this adapter is software.');
  const peft = values.peft ? peftBench(values.peft) : null;
  if (peft) {
    console.log(`PEFT on ${peft.device}, torch ${peft.torch}`);
    console.table(ratios(steps, peft));
    console.table(peft.products);
  }
  const encode = does('encode') ? await benchEncode(context) : null;
  if (encode)
    console.log(
      `Encoding a step of ${encode.model} (${encode.dispatches} dispatches): ${encode.replayMs.toFixed(2)} ms of JavaScript, then ${encode.submitMs.toFixed(2)} ms in the driver; eager TensorFlow.js ${encode.eagerMs.toFixed(0)} ms, ${encode.ratio.toFixed(0)} times as much.`,
    );
  if (values.json) await writeFile(values.json, `${JSON.stringify({ adapter: context.name, software, kernels, steps, encode, peft }, null, 1)}\n`);
  return wrong > 0 ? 1 : 0;
}
