/** Where GPU time goes, by timestamps: around each dispatch of one replay, or around each pass of real work. */
import type { GpuContext } from '../gpu/gpuContext.ts';
import { readTimestamps } from '../gpu/readback.ts';
import type { PlanExecutor } from './planExecutor.ts';

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
const SIZES = [
  'M',
  'N',
  'K',
  'WEIGHT_KIND',
  'SPLIT_K',
  'SPLIT_HEADS',
  'T',
  'HEADS',
  'D',
  'ROWS',
  'WIDTH',
  'V',
  'COUNT',
];

/**
 * Replays once with a pass of its own, and so a pair of timestamps, around each dispatch. The sum is a little more than a replay takes.
 * Browsers round timestamps to 100 µs unless told otherwise. @returns the longest first @throws where the adapter has no timestamps
 */
export async function profilePlan(context: GpuContext, executor: PlanExecutor): Promise<KernelTime[]> {
  const { device } = context;
  if (!device.features.has('timestamp-query')) throw new Error(`${context.name} has no timestamps`);
  const querySet = device.createQuerySet({ type: 'timestamp', count: 2 * BATCH });
  const rows = new Map<string, KernelTime>();
  for (let from = 0; from < executor.length; from += BATCH) {
    const to = Math.min(from + BATCH, executor.length);
    const encoder = device.createCommandEncoder();
    for (let i = from; i < to; i++) {
      const at = 2 * (i - from);
      const pass = encoder.beginComputePass({
        timestampWrites: { querySet, beginningOfPassWriteIndex: at, endOfPassWriteIndex: at + 1 },
      });
      executor.encode(pass, i, i + 1);
      pass.end();
    }
    device.queue.submit([encoder.finish()]);
    const times = await readTimestamps(device, querySet, 2 * (to - from));
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
  context.check();
  return [...rows.values()].sort((a, b) => b.ms - a.ms);
}

/** When a pass ran on the GPU, in milliseconds of the GPU's own clock. */
export interface PassSpan {
  beginMs: number;
  endMs: number;
}

/** Most passes that are timed: a query set holds 4096 timestamps. */
const MOST_PASSES = 2048;

/** Timestamps around the passes of work as it goes on; costs the work next to nothing. */
export class PassTimer {
  private readonly querySet: GPUQuerySet;
  private passes = 0;

  /** @throws where the adapter has no timestamps */
  constructor(private readonly context: GpuContext) {
    if (!context.device.features.has('timestamp-query')) throw new Error(`${context.name} has no timestamps`);
    this.querySet = context.device.createQuerySet({ type: 'timestamp', count: 2 * MOST_PASSES });
  }

  /** For the next pass; undefined once as many are timed as can be. */
  next(): GPUComputePassDescriptor | undefined {
    if (this.passes === MOST_PASSES) return undefined;
    const at = 2 * this.passes++;
    return {
      timestampWrites: {
        querySet: this.querySet,
        beginningOfPassWriteIndex: at,
        endOfPassWriteIndex: at + 1,
      },
    };
  }

  /** Waits for the passes and frees the timestamps. @returns a span a pass, in the order of submission */
  async finish(): Promise<PassSpan[]> {
    if (this.passes === 0) {
      this.querySet.destroy();
      return [];
    }
    const times = await readTimestamps(this.context.device, this.querySet, 2 * this.passes);
    this.querySet.destroy();
    this.context.check();
    const since = times[0];
    const ms = (index: number) => Number(times[index] - since) / 1e6;
    return Array.from({ length: this.passes }, (_, i) => ({ beginMs: ms(2 * i), endMs: ms(2 * i + 1) }));
  }
}

/** Milliseconds in which at least one of the passes ran. */
export function busyMs(spans: readonly PassSpan[]): number {
  let busy = 0;
  let until = -Infinity;
  for (const { beginMs, endMs } of spans.toSorted((a, b) => a.beginMs - b.beginMs)) {
    busy += Math.max(0, endMs - Math.max(beginMs, until));
    until = Math.max(until, endMs);
  }
  return busy;
}

/** Share of the time from the first pass's begin to the last's end in which none ran; 0 where there is none. */
export function idleShare(spans: readonly PassSpan[]): number {
  const whole =
    Math.max(...spans.map(({ endMs }) => endMs)) - Math.min(...spans.map(({ beginMs }) => beginMs));
  return whole > 0 ? 1 - busyMs(spans) / whole : 0;
}
