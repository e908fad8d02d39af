/** The autotuner's rules: which ways are timed, which one is taken, and which level a run has. The device is behind `KernelBenchmark`. */
import {
  LEVELS,
  type KernelLevel,
  type KernelSettings,
  type TuningProblem,
  type KernelConfig,
} from '../gpu/dispatch.ts';
import type { TuningTask } from './tuningProblems.ts';

/** A way, and how often in a row it is to be run. */
export interface Timing {
  config: KernelConfig;
  repeats: number;
}

/** One work set up on the device, with data of its own. */
export interface KernelBenchmark {
  /** Compiles ways. @returns those that this adapter takes */
  prepare(configs: readonly KernelConfig[]): Promise<KernelConfig[]>;
  /** Runs a way until the GPU has left the low clock of its idleness. */
  warmUp(config: KernelConfig): Promise<void>;
  /** Milliseconds of one run of each, one after the other. */
  time(timings: readonly Timing[]): Promise<number[]>;
  /** Largest difference of a way's result from the reference's, of the largest value; infinite where a number is none. */
  difference(config: KernelConfig, reference: KernelConfig): Promise<number>;
  /** Lets go of the shaders of all ways but these: compiled, they take up memory. */
  forgetAllBut(names: readonly string[]): void;
}

/** What earlier works on the same device showed of variants: how often each was timed, and how often it came near the fastest. */
export type Experience = Map<string, { timed: number; near: number }>;

/** The fastest way of each level and its milliseconds; no level: the rule's ways run, unmeasured. */
export type Measured = Partial<Record<KernelLevel, { config: string; ms: number }>>;

/** What runs of kernels are made with. */
export interface KernelChoice {
  level: KernelLevel;
  /** Names of ways by key; what is not in it follows the rule. */
  choices: ReadonlyMap<string, string>;
}

/** So much faster than the rule's way another must be, or the rule's stays: noise does not flip choices. */
const MARGIN = 0.02;
/** So much faster than the level before must a run's products be to be worth float16's rounding. */
const LEVEL_MARGIN = 0.05;
/** Configs slower than the fastest of their level by more are out after one timing, */
const CLOSE = 1.25;
/** and of the others so many a level go on. */
const FINALISTS = 4;
/** Milliseconds of the timing that finds the finalists; then how often each of them is timed, of which the least counts, and for how long. */
const ROUGH_MS = 1;
const ROUNDS = 3;
const TIMING_MS = 3;
const MOST_REPEATS = 128;
/** A variant that was timed so often and never came near is not tried again: compiling is what takes long. */
const CHANCES = 2;
/** Configs that are compiled between two looks at the clock. */
const COMPILED_AT_ONCE = 6;
/** What the first run of a kernel may take longer than the next ones. */
const WARM_UP_MS = 1;

/**
 * Times the ways of a work at each of `levels` and takes the fastest whose result on this device is within its bound of the plain rule's.
 * @param stopped asked between timings @param experience of earlier works, which this one adds to
 * @param late whether there is no time to try more than the ways that are compiled, the rules' first @returns null where it was stopped
 */
export async function measureTask(
  tuningProblem: TuningProblem,
  levels: readonly KernelLevel[],
  settings: KernelSettings,
  benchmark: KernelBenchmark,
  stopped: () => boolean,
  experience: Experience = new Map(),
  late: () => boolean = () => false,
): Promise<Measured | null> {
  const at = (level: KernelLevel): KernelSettings => ({ ...settings, level, choices: undefined });
  const configsAt = new Map(levels.map((level) => [level, tuningProblem.configs(at(level))]));
  const [reference] = tuningProblem.configs(at('plain'));
  const times = new Map<string, { config: KernelConfig; ms: number }>();
  const timed = async (timings: readonly Timing[]) => {
    const ms = await benchmark.time(timings);
    timings.forEach(({ config }, i) =>
      times.set(config.name, { config, ms: Math.min(ms[i], times.get(config.name)?.ms ?? Infinity) }),
    );
  };
  const fastest = (level: KernelLevel) =>
    [...times.values()].filter(({ config }) => allows(level, config)).sort((a, b) => a.ms - b.ms);

  const rules = new Set([...configsAt.values()].map(([{ name }]) => name));
  const hopeful = ({ variant }: KernelConfig) => {
    const { timed: times = 0, near = 0 } = experience.get(variant) ?? {};
    return near > 0 || times < CHANCES;
  };
  const all = unique([
    reference,
    ...[...configsAt.values()].map(([rule]) => rule),
    ...[...configsAt.values()].flat(),
  ]).filter((config) => rules.has(config.name) || hopeful(config));
  const runnable: KernelConfig[] = [];
  for (let at = 0; at < all.length; at += COMPILED_AT_ONCE) {
    runnable.push(...(await benchmark.prepare(all.slice(at, at + COMPILED_AT_ONCE))));
    if (stopped()) return null;
    if (late()) break;
  }
  if (!runnable.some(({ name }) => name === reference.name)) return {};
  await benchmark.warmUp(reference);
  // The first run of a kernel only rules out what is far off.
  const rough = await benchmark.time(runnable.map(once));
  const leastOf = (level: KernelLevel) => Math.min(...rough.filter((_, i) => runnable[i].level === level));
  const close = (config: KernelConfig, i: number) =>
    rules.has(config.name) || rough[i] <= 2 * leastOf(config.level) + WARM_UP_MS;
  if (stopped()) return null;
  await timed(
    runnable.flatMap((config, i) =>
      close(config, i) ? [{ config, repeats: repeatsFor(ROUGH_MS, rough[i]) }] : [],
    ),
  );
  if (stopped()) return null;
  const near = unique(
    levels.flatMap((level) =>
      fastest(level)
        .slice(0, 2)
        .flatMap(({ config }) => tuningProblem.near(config, at(level))),
    ),
  ).filter(({ name }) => !times.has(name));
  const more = late() ? [] : await benchmark.prepare(near);
  if (stopped()) return null;
  await benchmark.warmUp(reference);
  const roughMore = await benchmark.time(more.map(once));
  if (stopped()) return null;
  await timed(more.map((config, i) => ({ config, repeats: repeatsFor(ROUGH_MS, roughMore[i]) })));

  const right = new Map<string, boolean>([[reference.name, true]]);
  const isRight = async (config: KernelConfig) => {
    if (!right.has(config.name))
      right.set(config.name, (await benchmark.difference(config, reference)) <= config.bound);
    return right.get(config.name)!;
  };
  // A wrong way may be fast because it does too little: it must not be what the others are held against.
  for (const level of levels) {
    for (const { config } of fastest(level)) {
      if (stopped()) return null;
      if (await isRight(config)) break;
      times.delete(config.name);
    }
  }
  const finalists = unique(
    levels.flatMap((level) => {
      const [rule] = configsAt.get(level)!;
      const ranked = fastest(level);
      return [
        ...ranked
          .filter(({ ms }) => ms <= ranked[0].ms * CLOSE)
          .slice(0, FINALISTS)
          .map(({ config }) => config),
        rule,
      ];
    }),
  ).filter(({ name }) => times.has(name));
  for (const { variant } of unique([...runnable, ...more])) {
    const { timed: before, near: nearBefore } = experience.get(variant) ?? { timed: 0, near: 0 };
    experience.set(variant, {
      timed: before + 1,
      near: nearBefore + Number(finalists.some((config) => config.variant === variant)),
    });
  }
  const repeats = new Map(finalists.map(({ name }) => [name, repeatsFor(TIMING_MS, times.get(name)!.ms)]));
  times.clear();
  for (let round = 0; round < ROUNDS; round++) {
    if (stopped()) return null;
    await timed(finalists.map((config) => ({ config, repeats: repeats.get(config.name)! })));
  }

  const measured: Measured = {};
  for (const level of levels) {
    const [rule] = configsAt.get(level)!;
    const ruleMs = times.get(rule.name)?.ms;
    const ruleHolds = ruleMs !== undefined && (await isRight(rule));
    for (const { config, ms } of fastest(level)) {
      if (stopped()) return null;
      const chosen = ruleHolds && ms >= ruleMs * (1 - MARGIN) ? { config: rule, ms: ruleMs } : { config, ms };
      if (!(await isRight(chosen.config))) continue;
      measured[level] = { config: chosen.config.name, ms: chosen.ms };
      break;
    }
  }
  return measured;
}

/** The level whose ways take least time in all, over the works measured at every level; a higher one only where it is worth it. */
export function decideLevel(
  tasks: readonly TuningTask[],
  known: ReadonlyMap<string, Measured>,
  levels: readonly KernelLevel[],
): KernelLevel {
  const compared = tasks.flatMap(({ tuningProblem, count }) => {
    const measured = known.get(tuningProblem.key);
    return measured && levels.every((level) => measured[level]) ? [{ measured, count }] : [];
  });
  const total = (level: KernelLevel) =>
    compared.reduce((sum, { measured, count }) => sum + count * measured[level]!.ms, 0);
  return levels.reduce((best, level) => (total(level) < total(best) * (1 - LEVEL_MARGIN) ? level : best));
}

/** The choices of some works at a level. */
export function choicesAt(
  level: KernelLevel,
  tasks: readonly TuningTask[],
  known: ReadonlyMap<string, Measured>,
): Map<string, string> {
  return new Map(
    tasks.flatMap(({ tuningProblem: { key } }) =>
      known.get(key)?.[level] ? [[key, known.get(key)![level]!.config] as const] : [],
    ),
  );
}

function repeatsFor(ms: number, each: number): number {
  return Math.min(MOST_REPEATS, Math.max(1, Math.round(ms / each)));
}

function once(config: KernelConfig): Timing {
  return { config, repeats: 1 };
}

function allows(level: KernelLevel, config: KernelConfig): boolean {
  return LEVELS.indexOf(config.level) <= LEVELS.indexOf(level);
}

function unique(configs: readonly KernelConfig[]): KernelConfig[] {
  return [...new Map(configs.map((config) => [config.name, config])).values()];
}
