/** Prints the benchmark's figures as tables. */
import type { BenchFigures } from './figures.ts';
import { memoryText } from './steps.ts';
import { fastestOf, heuristicOf } from './variants.ts';
import { table } from '../lib/textTable.ts';

type Row = Record<string, string | number>;

export function printFigures(figures: BenchFigures): void {
  const { adapter, kernels, steps, decode, eager, levels, longRun, growth, variants, copyBytesPerSecond } =
    figures;
  const ms = (value: number | null) => (value === null ? '' : value.toFixed(value < 10 ? 2 : 1));
  const percent = (share: number | null) =>
    share === null ? '' : `${(100 * share).toFixed(share < 0.01 ? 3 : 1)} %`;
  print(
    `Kernels on ${adapter}`,
    kernels.map(({ kernel, level, shape, ms: took, gflops }) => ({
      kernel,
      level,
      shape,
      ms: took.toFixed(3),
      'GFLOP/s': gflops.toFixed(1),
    })),
  );
  print(
    `Whole steps on ${adapter}`,
    steps.map((row) => ({
      model: row.model,
      level: row.level,
      documents: row.documents,
      memory: memoryText(row),
      'tokens/s': row.tokensPerSecond.toFixed(0),
      'step ms': ms(row.stepMs),
      'GPU ms': ms(row.gpuMs),
      'GPU idle': percent(row.idle),
      'encode + submit ms': `${ms(row.encodeMs)} + ${ms(row.submitMs)}`,
      dispatches: row.dispatches,
      GiB: (row.peakBytes / 2 ** 30).toFixed(2),
    })),
  );
  if (copyBytesPerSecond !== null)
    console.log(
      `\nA copy from buffer to buffer: ${(copyBytesPerSecond / 1e9).toFixed(0)} GB/s, reads and writes.`,
    );
  print(
    `One token of generation on ${adapter}`,
    decode.map((row) => ({
      model: row.model,
      level: row.level,
      'at once': row.slots,
      'token ms': ms(row.tokenMs),
      'GPU ms': ms(row.gpuMs),
      'weights MB': (row.weightBytes / 1e6).toFixed(0),
      'GB/s': (row.bytesPerSecond / 1e9).toFixed(0),
      'of a copy': copyBytesPerSecond === null ? '' : percent(row.bytesPerSecond / copyBytesPerSecond),
    })),
  );
  print(
    `Against eager TensorFlow.js on ${adapter}`,
    eager.map((row) => ({
      model: row.model,
      tokens: row.tokens,
      level: row.level,
      dispatches: row.dispatches,
      'encode + submit ms': `${ms(row.replayMs)} + ${ms(row.submitMs)}`,
      'eager ms': ms(row.eagerEncodeMs),
      'step ms': ms(row.stepMs),
      'eager step ms': ms(row.eagerStepMs),
      times: (row.eagerStepMs / row.stepMs).toFixed(0),
    })),
  );
  print(
    `Whole runs at each level on ${adapter}: largest distance from plain`,
    levels.map((row) => ({
      model: row.model,
      level: row.level,
      activations: row.activationDtype,
      T: row.tokensPerMicroBatch,
      steps: row.steps,
      'float16 dispatches': `${row.dispatches.float16} of ${row.dispatches.all}`,
      'matrix units': row.dispatches.matrixUnits,
      loss: `${row.losses[0].toFixed(3)} to ${row.losses.at(-1)!.toFixed(3)}`,
      'of a step, nats': row.difference.nats.toFixed(5),
      'of a step': percent(row.difference.step),
      'of means of 10': percent(row.difference.runningMean),
      'of the mean': percent(row.difference.mean),
      validation: percent(row.difference.validation),
      'tokens/s': row.tokensPerSecond.toFixed(0),
    })),
  );
  print(
    `The heuristic's config and the fastest one of each tuning problem on ${adapter}`,
    variants.map((row) => {
      const [own, fastest] = [heuristicOf(row), fastestOf(row)];
      return {
        model: row.model,
        level: row.level,
        problem: row.problem,
        count: row.count,
        heuristic: own.config,
        ms: own.ms.toFixed(3),
        fastest: fastest.config,
        'its ms': fastest.ms.toFixed(3),
        share: percent(fastest.ms / own.ms),
        wrong: row.variants.filter(({ difference, bound }) => !(difference <= bound)).length,
      };
    }),
  );
  if (longRun)
    print(
      `The demo's run on ${adapter}, ${longRun.level}`,
      longRun.steps.map(({ step, tokensPerSecond, heapBytes, gpuBytes }) => ({
        'to step': step,
        'tokens/s': tokensPerSecond.toFixed(0),
        'heap MB': heapBytes === null ? '' : (heapBytes / 1e6).toFixed(1),
        'GPU MB': (gpuBytes / 1e6).toFixed(1),
      })),
    );
  if (!growth) return;
  print(
    `One document of T tokens on ${adapter}, ${growth.level}`,
    growth.tokens.map(({ model, tokens, stepMs, attentionMs, restMs }) => ({
      model,
      T: tokens,
      'step ms': ms(stepMs),
      'attention ms': ms(attentionMs),
      'the rest ms': ms(restMs),
    })),
  );
  print(
    `Micro-batches of a step on ${adapter}, ${growth.level}`,
    growth.microBatches.map(({ model, tokensPerMicroBatch, count, stepMs }) => ({
      model,
      T: tokensPerMicroBatch,
      count,
      'step ms': ms(stepMs),
      'each ms': ms(stepMs / count),
    })),
  );
}

/** Prints a table; without rows it prints nothing. */
export function print(title: string, rows: readonly Row[]): void {
  if (rows.length === 0) return;
  const heads = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  console.log(
    `\n${title}\n${table([heads, ...rows.map((row) => heads.map((head) => String(row[head] ?? '')))])}`,
  );
}
