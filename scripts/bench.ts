/**
 * `npm run bench`: measures this machine's adapter: what JavaScript costs a step against eager TensorFlow.js, single kernels, and on a real GPU whole
 * steps at the shapes of real models. Prints tables; `-- --json FILE` writes the figures too. `npm run bench -- import`: import of a model and loading it.
 */
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { isSoftwareAdapter } from '../src/gpu/context.ts';
import { checkOp, OP_BOUND } from '../src/plan/checkOps.ts';
import { opCases } from '../src/plan/opCases.ts';
import { loadTensorFlow } from '../src/plan/tensorflow/load.ts';
import { benchEncode } from './bench/encode.ts';
import { benchImport } from './bench/import.ts';
import { benchKernels } from './bench/kernels.ts';
import { benchStep, type StepBench } from './bench/steps.ts';
import { openNodeGpu } from './lib/nodeGpu.ts';

export async function main(args: string[]): Promise<number> {
  if (args[0] === 'import') {
    const { quantizeMBpsOfCpu, ...figures } = await benchImport();
    console.table(figures);
    console.table(quantizeMBpsOfCpu);
    return 0;
  }
  const { values } = parseArgs({ args, options: { json: { type: 'string' }, check: { type: 'boolean' } } });
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

  const kernels = await benchKernels(context, software ? 8 : 1);
  console.table(kernels.map(({ kernel, shape, ms, gflops }) => ({ kernel, shape, ms: ms.toFixed(3), 'GFLOP/s': gflops.toFixed(1) })));
  const steps: StepBench[] = [];
  if (!software) {
    for (const model of ['SmolLM2-135M', 'Llama-3.2-1B']) {
      for (const [count, length] of [
        [1, 512],
        [4, 512],
        [4, 1024],
      ])
        steps.push(await benchStep(context, model, count, length));
    }
    console.table(
      steps.map((row) => ({
        ...row,
        tokensPerSecond: row.tokensPerSecond.toFixed(0),
        stepMs: row.stepMs.toFixed(1),
        encodeMs: row.encodeMs.toFixed(2),
        peakBytes: `${(row.peakBytes / 2 ** 30).toFixed(2)} GiB`,
      })),
    );
  } else console.log('Whole steps of real models are measured on a GPU only; this adapter is software.');
  const encode = await benchEncode(context);
  console.log(
    `Encoding a step of ${encode.model} (${encode.dispatches} dispatches): ${encode.replayMs.toFixed(2)} ms of JavaScript, then ${encode.submitMs.toFixed(2)} ms in the driver; eager TensorFlow.js ${encode.eagerMs.toFixed(0)} ms, ${encode.ratio.toFixed(0)} times as much.`,
  );
  if (values.json) await writeFile(values.json, `${JSON.stringify({ adapter: context.name, software, kernels, steps, encode }, null, 1)}\n`);
  return wrong > 0 ? 1 : 0;
}
