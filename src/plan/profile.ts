/** Where a replay's GPU time goes, by timestamps around each dispatch. */
import type { GpuContext } from '../gpu/context.ts';
import type { PlanExecutor } from './executor.ts';

/** All dispatches of one op, shader and shape in one replay. */
export interface KernelTime {
  op: string;
  shader: string;
  /** The constants that say how large it is: 'M 512 N 2048 K 8192'. */
  shape: string;
  count: number;
  ms: number;
}

/** Dispatches between two read-backs: two timestamps each, and a query set holds 4096. */
const BATCH = 1024;
const SIZES = ['M', 'N', 'K', 'B_KIND', 'SPLIT', 'T', 'HEADS', 'D', 'ROWS', 'WIDTH', 'V', 'COUNT'];

/**
 * Replays once with a pass of its own, and so a pair of timestamps, around each dispatch. The sum is a little more than a replay takes.
 * Browsers round timestamps to 100 µs unless told otherwise. @returns the longest first @throws where the adapter has no timestamps
 */
export async function profilePlan(context: GpuContext, executor: PlanExecutor): Promise<KernelTime[]> {
  const { device } = context;
  if (!device.features.has('timestamp-query')) throw new Error(`${context.name} has no timestamps`);
  const querySet = device.createQuerySet({ type: 'timestamp', count: 2 * BATCH });
  const resolved = device.createBuffer({ size: 16 * BATCH, usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC });
  const staging = device.createBuffer({ size: 16 * BATCH, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
  const rows = new Map<string, KernelTime>();
  for (let from = 0; from < executor.length; from += BATCH) {
    const to = Math.min(from + BATCH, executor.length);
    const encoder = device.createCommandEncoder();
    for (let i = from; i < to; i++) {
      const at = 2 * (i - from);
      const pass = encoder.beginComputePass({ timestampWrites: { querySet, beginningOfPassWriteIndex: at, endOfPassWriteIndex: at + 1 } });
      executor.encode(pass, i, i + 1);
      pass.end();
    }
    encoder.resolveQuerySet(querySet, 0, 2 * (to - from), resolved, 0);
    encoder.copyBufferToBuffer(resolved, 0, staging, 0, 16 * BATCH);
    device.queue.submit([encoder.finish()]);
    await staging.mapAsync(GPUMapMode.READ);
    const times = new BigUint64Array(staging.getMappedRange().slice(0));
    staging.unmap();
    for (let i = from; i < to; i++) {
      const { op, shader, constants } = executor.plan.dispatches[i];
      const shape = SIZES.filter((name) => name in constants)
        .map((name) => `${name} ${String(constants[name])}`)
        .join(' ');
      const key = `${op} ${shader} ${shape}`;
      const row = rows.get(key) ?? { op, shader, shape, count: 0, ms: 0 };
      rows.set(key, row);
      row.count++;
      row.ms += Number(times[2 * (i - from) + 1] - times[2 * (i - from)]) / 1e6;
    }
  }
  querySet.destroy();
  resolved.destroy();
  staging.destroy();
  context.check();
  return [...rows.values()].sort((a, b) => b.ms - a.ms);
}
