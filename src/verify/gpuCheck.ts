/**
 * The page's "Check this GPU": compares every kernel, forward and gradient, with TensorFlow.js on the same
 * device.
 */
import type { GpuContext } from '../gpu/gpuContext.ts';
import { checkOp, OP_BOUND } from './checkOp.ts';
import { opCases } from './opCases.ts';
import { loadTensorFlowOn } from '../plan/tensorflow/loadTensorflow.ts';
import { report } from '../lib/errorLog.ts';
import { messageOf } from '../lib/errors.ts';

export interface GpuCheckRow {
  op: string;
  /** Outputs and gradients compared. */
  comparisons: number;
  /** Largest difference over the largest value. */
  error: number;
  /** The error where a kernel did not run; else null. */
  failure: string | null;
}

export interface GpuCheck {
  device: string;
  bound: number;
  rows: GpuCheckRow[];
  ok: boolean;
}

/**
 * @param onProgress receives the number of cases done, and of all cases
 * @param casesPerOp the first so many of each op, for a quick look; Infinity: all
 */
export async function checkGpu(
  context: GpuContext,
  onProgress: (done: number, total: number) => void,
  casesPerOp: number,
): Promise<GpuCheck> {
  const { tf } = await loadTensorFlowOn(context.device, context.adapterInfo);
  const seen = new Map<string, number>();
  const cases = opCases().filter(({ name }) => {
    const op = opOf(name);
    const count = (seen.get(op) ?? 0) + 1;
    seen.set(op, count);
    return count <= casesPerOp;
  });
  const rows = new Map<string, GpuCheckRow>();
  for (const [done, made] of cases.entries()) {
    onProgress(done, cases.length);
    const op = opOf(made.name);
    const row = rows.get(op) ?? { op, comparisons: 0, error: 0, failure: null };
    rows.set(op, row);
    try {
      for (const { error } of await checkOp(context, tf, made)) {
        row.comparisons++;
        // This comparison keeps a NaN as the largest error.
        if (!(error <= row.error)) row.error = error;
      }
    } catch (error) {
      report(error, `checking the kernel ${made.name}`);
      row.failure ??= `${made.name}: ${messageOf(error)}`;
    }
  }
  const all = [...rows.values()];
  return {
    device: context.name,
    bound: OP_BOUND,
    rows: all,
    ok: all.every(({ error, failure }) => failure === null && error < OP_BOUND),
  };
}

/** The op of a case, which its name begins with. */
function opOf(name: string): string {
  return name.split(' ')[0];
}
