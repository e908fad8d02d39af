/**
 * Measures kernel levels on a device and remembers the result, for this adapter, these kernels and a model's
 * shapes.
 */
import type { TensorInfo } from '../formats/tensors.ts';
import { LEVELS } from '../gpu/dispatch.ts';
import type { GpuContext } from '../gpu/gpuContext.ts';
import { shaderSources } from '../gpu/shaders.ts';
import { report } from '../lib/errorLog.ts';
import { isDeviceLost } from '../lib/errors.ts';
import { sha256Hex } from '../lib/sha256.ts';
import { modelOf } from '../model/families/registry.ts';
import { VARIANTS } from '../ops/matmul/matmulVariants.ts';
import type { Plan } from '../plan/plan.ts';
import { measureLevels, representativeNodes, type LevelTimes } from './autotuner.ts';
import { KernelBenchmark } from './kernelBenchmark.ts';

/** Where measurements are stored. What it cannot store is measured again after a reload. */
export interface TuningMemory {
  /** @returns what is stored for a scope, by key */
  read(scope: TuningScope): Promise<Map<string, unknown>>;
  put(scope: TuningScope, key: string, times: LevelTimes): Promise<void>;
}

export interface TuningScope {
  /** SHA-256 of the kernels' sources: other kernels are measured again. */
  kernels: string;
  /** The adapter in words, with the SHA-256 of its features and limits. */
  adapter: string;
}

/** What decides the shapes that are measured. */
interface TunedModel {
  config: Record<string, unknown>;
  tensors: ReadonlyMap<string, TensorInfo>;
  tokensPerMicroBatch: number;
}

interface Opened {
  scope: TuningScope;
  known: Map<string, LevelTimes>;
}

/**
 * The key under which the times of a model's shapes are remembered. T is rounded up to one of four sizes an
 * octave (512, 640, 768, 896, 1024, 1280 …), so that other rows of about that length need no measurement of
 * their own.
 */
export function tuningKey({ config, tensors, tokensPerMicroBatch }: TunedModel): string {
  const granule = Math.max(1, 2 ** (Math.ceil(Math.log2(tokensPerMicroBatch)) - 3));
  const tokens = Math.ceil(tokensPerMicroBatch / granule) * granule;
  const kinds = [...new Set([...tensors.values()].map(({ kind }) => kind))];
  return `level at T ${tokens}, ${kinds.join()}, ${JSON.stringify(modelOf(config).config)}`;
}

export class KernelTuner {
  private readonly opened = new Map<GpuContext, Promise<Opened>>();

  /** @param withBenchmark runs a function with a benchmark on the device */
  constructor(
    private readonly memory: TuningMemory | null,
    private readonly withBenchmark: typeof KernelBenchmark.with = KernelBenchmark.with.bind(KernelBenchmark),
  ) {}

  /** @returns the times that are remembered; undefined where nothing was measured yet */
  async known(context: GpuContext, key: string): Promise<LevelTimes | undefined> {
    return (await this.open(context)).known.get(key);
  }

  /**
   * Measures the levels of a plan's kernels and remembers the times. A measurement that fails, for example
   * for too little memory, is remembered as one without times, so that later runs have the same kernels.
   * @param plan at the plain level
   * @param stopped asked between measurements; what was stopped is not remembered
   * @throws DeviceLostError
   */
  async measure(context: GpuContext, key: string, plan: Plan, stopped: () => boolean): Promise<void> {
    const { levels, settings } = context;
    let times: LevelTimes | null;
    try {
      times = await this.withBenchmark(context, plan.graph, (benchmark) =>
        measureLevels(representativeNodes(plan), levels, settings, benchmark, stopped),
      );
    } catch (error) {
      const cause = await context.causeOf(error);
      if (isDeviceLost(cause)) throw cause;
      report(cause, 'timing the levels of arithmetic', 'warning');
      times = {};
    }
    if (!times) return;
    const { scope, known } = await this.open(context);
    known.set(key, times);
    await this.memory
      ?.put(scope, key, times)
      .catch((error: unknown) => report(error, 'storing the times of the levels', 'warning'));
  }

  private open(context: GpuContext): Promise<Opened> {
    let opened = this.opened.get(context);
    if (!opened) this.opened.set(context, (opened = this.openScope(context)));
    return opened;
  }

  private async openScope({ name, levels, settings, device }: GpuContext): Promise<Opened> {
    const { workgroupBytes, maxBindingBytes } = settings;
    const abilities = { levels, workgroupBytes, maxBindingBytes, features: [...device.features].sort() };
    const scope = {
      kernels: await hashOf({ shaders: shaderSources(), VARIANTS }),
      adapter: `${name} ${await hashOf(abilities)}`,
    };
    const stored = await this.memory?.read(scope).catch((error: unknown) => {
      report(error, 'reading the stored times of the levels', 'warning');
      return undefined;
    });
    const known = new Map<string, LevelTimes>();
    for (const [key, times] of stored ?? []) if (isLevelTimes(times)) known.set(key, times);
    return { scope, known };
  }
}

function hashOf(facts: unknown): Promise<string> {
  return sha256Hex(new TextEncoder().encode(JSON.stringify(facts)));
}

/** The store may hold anything: other programs and other versions write to it too. */
function isLevelTimes(stored: unknown): stored is LevelTimes {
  if (typeof stored !== 'object' || stored === null || Array.isArray(stored)) return false;
  return Object.entries(stored).every(
    ([level, ms]: [string, unknown]) =>
      (LEVELS as readonly string[]).includes(level) && typeof ms === 'number' && ms > 0,
  );
}
