/** Measures works on a device and remembers the fastest ways, for this adapter and these kernels. */
import { shaderSources } from '../gpu/shaders.ts';
import type { GpuContext } from '../gpu/gpuContext.ts';
import { LEVELS } from '../gpu/dispatch.ts';
import { isDeviceLost } from '../lib/errors.ts';
import { sha256Hex } from '../lib/sha256.ts';
import { VARIANTS } from '../ops/matmul/matmulVariants.ts';
import { DeviceBenchmark } from './kernelBenchmark.ts';
import { measureTask, type Experience, type Measured } from './autotuner.ts';
import type { TuningTask } from './tuningProblems.ts';

/** Where measurements are kept: by adapter and kernels, then by shape. What it cannot keep is measured again. */
export interface TuningMemory {
  read(scope: TuningScope): Promise<Map<string, unknown>>;
  put(scope: TuningScope, key: string, measured: Measured): Promise<void>;
}

export interface TuningScope {
  /** SHA-256 of the kernels' sources: another build measures anew. */
  kernels: string;
  /** The adapter in words with SHA-256 of its features and limits. */
  adapter: string;
}

export interface MeasureOptions {
  budgetMs: number;
  /** Asked between timings. */
  stopped: () => boolean;
  onProgress?: (done: number, total: number) => void;
}

export class KernelTuner {
  private readonly experience = new Map<GpuContext, Experience>();
  private readonly scopes = new Map<
    GpuContext,
    Promise<{ scope: TuningScope; known: Map<string, Measured> }>
  >();

  /** @param withBenchmark sets a work up on the device for as long as it is used */
  constructor(
    private readonly memory: TuningMemory | null,
    private readonly withBenchmark: typeof DeviceBenchmark.with = DeviceBenchmark.with.bind(DeviceBenchmark),
  ) {}

  /** What is known of this device, by shape; an empty entry is a shape that was left to the rule for good. */
  async known(context: GpuContext): Promise<ReadonlyMap<string, Measured>> {
    return (await this.scopeOf(context)).known;
  }

  /** Measures works in their order until the time is up; what fails (too little memory) is left to the rule. @throws DeviceLostError */
  async measure(
    context: GpuContext,
    tasks: readonly TuningTask[],
    { budgetMs, stopped, onProgress }: MeasureOptions,
  ): Promise<void> {
    const settings = { ...context.settings, level: context.levels.at(-1)! };
    const until = performance.now() + budgetMs;
    const experience: Experience = this.experience.get(context) ?? new Map();
    this.experience.set(context, experience);
    const late = () => performance.now() > until;
    for (const [i, task] of tasks.entries()) {
      onProgress?.(i, tasks.length);
      if (stopped() || late()) return;
      let measured: Measured | null;
      try {
        measured = await this.withBenchmark(context, task, settings, async (benchmark) => {
          const found = await measureTask(
            task.tuningProblem,
            context.levels,
            context.settings,
            benchmark,
            stopped,
            experience,
            late,
          );
          benchmark.forgetAllBut(Object.values(found ?? {}).map(({ config }) => config));
          return found;
        });
      } catch (error) {
        const cause = await context.causeOf(error);
        if (isDeviceLost(cause)) throw cause;
        measured = {};
      }
      if (measured) await this.keep(context, task, measured);
    }
    onProgress?.(tasks.length, tasks.length);
  }

  /** Leaves works to the rule for good, so that the next run of the same shapes has the same kernels. */
  async leave(context: GpuContext, tasks: readonly TuningTask[]): Promise<void> {
    for (const task of tasks) await this.keep(context, task, {});
  }

  private async keep(
    context: GpuContext,
    { tuningProblem: { key } }: TuningTask,
    measured: Measured,
  ): Promise<void> {
    const { scope, known } = await this.scopeOf(context);
    known.set(key, measured);
    await this.memory?.put(scope, key, measured).catch(() => undefined);
  }

  private scopeOf(context: GpuContext): Promise<{ scope: TuningScope; known: Map<string, Measured> }> {
    let made = this.scopes.get(context);
    if (!made) this.scopes.set(context, (made = this.openScope(context)));
    return made;
  }

  private async openScope(
    context: GpuContext,
  ): Promise<{ scope: TuningScope; known: Map<string, Measured> }> {
    const { name, levels, settings, device } = context;
    const abilities = {
      levels,
      workgroupBytes: settings.workgroupBytes,
      maxBindingBytes: settings.maxBindingBytes,
      features: [...device.features].sort(),
    };
    const scope = {
      kernels: await hashOf({ shaders: shaderSources(), VARIANTS }),
      adapter: `${name} ${await hashOf(abilities)}`,
    };
    const known = new Map<string, Measured>();
    const kept = await this.memory?.read(scope).catch(() => undefined);
    for (const [key, entry] of kept ?? []) if (isMeasured(entry)) known.set(key, entry);
    return { scope, known };
  }
}

function hashOf(facts: unknown): Promise<string> {
  return sha256Hex(new TextEncoder().encode(JSON.stringify(facts)));
}

/** What was stored may be of another hand: anything else than levels with a way and a time is as if it were not there. */
function isMeasured(entry: unknown): entry is Measured {
  if (typeof entry !== 'object' || entry === null || Array.isArray(entry)) return false;
  return Object.entries(entry).every(([level, best]: [string, unknown]) => {
    const { config, ms } = (best ?? {}) as { config?: unknown; ms?: unknown };
    return (
      (LEVELS as readonly string[]).includes(level) &&
      typeof config === 'string' &&
      typeof ms === 'number' &&
      ms >= 0
    );
  });
}
