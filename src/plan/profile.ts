/**
 * Measures where time goes: the host's share of a replay, and GPU time by timestamps around dispatches or
 * passes.
 */
import type { GpuContext } from '../gpu/gpuContext.ts';
import { promptly } from '../gpu/promptly.ts';
import { readTimestamps } from '../gpu/readback.ts';
import type { PlanExecutor } from './planExecutor.ts';

export interface EncodeTime {
  /** Milliseconds of JavaScript until the command buffer is finished. */
  encodeMs: number;
  /** Milliseconds that the driver takes inside submit, for its translation. */
  submitMs: number;
  dispatches: number;
}

/** Replays a plan once as one submission and waits for it. */
export async function measureEncode({ device }: GpuContext, executor: PlanExecutor): Promise<EncodeTime> {
  const started = performance.now();
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  executor.encode(pass);
  pass.end();
  const commands = encoder.finish();
  const encodeMs = performance.now() - started;
  device.queue.submit([commands]);
  const submitMs = performance.now() - started - encodeMs;
  await promptly(device, device.queue.onSubmittedWorkDone());
  return { encodeMs, submitMs, dispatches: executor.length };
}

/** All dispatches of one op, shader and shape in one replay. */
export interface KernelTime {
  op: string;
  shader: string;
  /** The constants that say how large it is, and what it computes beside: 'M 512 N 2048 K 8192'. */
  shape: string;
  count: number;
  ms: number;
}

/** Dispatches between two read-backs of timestamps: each takes two, and a query set holds 4096. */
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
  'OUT0',
  'THEN',
  'AHEAD',
];

/**
 * Replays a plan once with a pass, and so a pair of timestamps, around each dispatch. The sum is a little
 * more than a replay takes. Browsers round timestamps to 100 µs unless a switch turns that off.
 * @returns the longest first
 * @throws where the adapter has no timestamps
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
        .map((name) => `${name} ${JSON.stringify(constants[name])}`)
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

/** When a pass ran on the GPU, in milliseconds since the first pass that was timed. */
export interface PassSpan {
  beginMs: number;
  endMs: number;
}

/** Most passes that are timed: a query set holds 4096 timestamps. */
const MOST_PASSES = 2048;

/** Puts timestamps around the passes of running work, which costs next to nothing. */
export class PassTimer {
  private readonly querySet: GPUQuerySet;
  private passes = 0;

  /** @throws where the adapter has no timestamps */
  constructor(private readonly context: GpuContext) {
    if (!context.device.features.has('timestamp-query')) throw new Error(`${context.name} has no timestamps`);
    this.querySet = context.device.createQuerySet({ type: 'timestamp', count: 2 * MOST_PASSES });
  }

  /** @returns the descriptor of the next pass; undefined once MOST_PASSES are timed */
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

  /**
   * Waits for the passes and frees the timestamps.
   * @returns one span for each pass, in the order of submission
   */
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

/** @returns milliseconds in which at least one of the passes ran */
export function busyMs(spans: readonly PassSpan[]): number {
  let busy = 0;
  let until = -Infinity;
  for (const { beginMs, endMs } of spans.toSorted((a, b) => a.beginMs - b.beginMs)) {
    busy += Math.max(0, endMs - Math.max(beginMs, until));
    until = Math.max(until, endMs);
  }
  return busy;
}

/**
 * @returns the share of the time from the first begin to the last end in which no pass ran; 0 without passes
 */
export function idleShare(spans: readonly PassSpan[]): number {
  let [begin, end] = [Infinity, -Infinity];
  for (const { beginMs, endMs } of spans) {
    begin = Math.min(begin, beginMs);
    end = Math.max(end, endMs);
  }
  return end > begin ? 1 - busyMs(spans) / (end - begin) : 0;
}
