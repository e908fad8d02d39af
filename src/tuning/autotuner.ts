/**
 * Chooses the level of a run's kernels by timing a few representative nodes of its training plan at each
 * level.
 */
import {
  LEVEL_BOUNDS,
  value,
  type BufferReference,
  type Dispatch,
  type KernelLevel,
  type KernelSettings,
} from '../gpu/dispatch.ts';
import type { Node } from '../graph/op.ts';
import type { Plan } from '../plan/plan.ts';

/** A node whose kernels stand for all nodes of its shape. */
export interface RepresentativeNode {
  node: Node;
  /** How many nodes of the plan have this shape. */
  count: number;
}

/** Dispatches that are compiled on a device. */
export interface Program {
  readonly dispatches: readonly Dispatch[];
}

/** Compiles, times and compares programs on a device, over random data of their own. */
export interface KernelTimer {
  /** @returns null where the device refuses one of the shaders */
  compile(dispatches: readonly Dispatch[]): Promise<Program | null>;
  /** Repeats a program until the GPU has raised its clock. */
  warmUp(program: Program): Promise<void>;
  /** @returns milliseconds of one run of each program, measured one after the other */
  time(timings: readonly { program: Program; repeats: number }[]): Promise<number[]>;
  /**
   * @returns the largest difference of the outputs over the largest value; Infinity where a result is not
   * finite
   */
  difference(program: Program, reference: Program, outputs: readonly BufferReference[]): Promise<number>;
}

/**
 * Milliseconds of the measured nodes, each times its count, by level; a level without a time must not be
 * taken.
 */
export type LevelTimes = Partial<Record<KernelLevel, number>>;

/**
 * A level must be this much faster than the level below to be worth the rounding of its operands to float16.
 */
const LEVEL_MARGIN = 0.05;
/** How many shapes of products are timed. */
const PRODUCTS = 3;
/** After this time, compiling included, no further node is begun. */
const BUDGET_MS = 1200;
/** Each program is timed so often, and the shortest time counts. */
const ROUNDS = 3;
/** Milliseconds of one timing: short programs are repeated until the clock resolves them. */
const TIMING_MS = 3;
const MOST_REPEATS = 64;

/**
 * The product shapes that cost the plan most, and its attention. A shape that occurs once, such as the output
 * head, is left out where others repeat from layer to layer: it would take the most time and memory to
 * measure.
 */
export function representativeNodes({ nodes, dispatches }: Plan): RepresentativeNode[] {
  const problems = nodes.map((): { key: string; operations: number }[] => []);
  for (const { node, tuningProblem } of dispatches) if (tuningProblem) problems[node].push(tuningProblem);
  const groups = new Map<string, RepresentativeNode & { operations: number }>();
  for (const [index, node] of nodes.entries()) {
    const own = problems[index];
    if (own.length === 0 && node.op.name !== 'attention') continue;
    const key = `${node.op.name} ${own.map((problem) => problem.key).join('; ')}`;
    const group = groups.get(key) ?? { node, count: 0, operations: 0 };
    group.count++;
    group.operations += own.reduce((sum, { operations }) => sum + operations, 0);
    groups.set(key, group);
  }
  const all = [...groups.values()].sort((a, b) => b.operations - a.operations);
  const products = all.filter(({ operations }) => operations > 0);
  const repeated = products.filter(({ count }) => count > 1);
  return [
    ...(repeated.length > 0 ? repeated : products).slice(0, PRODUCTS),
    ...all.filter(({ operations }) => operations === 0),
  ].map(({ node, count }) => ({ node, count }));
}

/**
 * Times the nodes at each level, by the configs that the heuristic takes there. A level gets no time where
 * its kernels do not compile, where a result differs from the plain level's by more than the level's bound,
 * and where its kernels are those of the level below.
 * @param levels from plain upwards
 * @param stopped asked between measurements
 * @returns null where it was stopped; no time at all where there is nothing to compare
 */
export async function measureLevels(
  nodes: readonly RepresentativeNode[],
  levels: readonly KernelLevel[],
  settings: KernelSettings,
  timer: KernelTimer,
  stopped: () => boolean,
): Promise<LevelTimes | null> {
  const until = performance.now() + BUDGET_MS;
  const distinct: { level: KernelLevel; lists: Dispatch[][] }[] = [];
  for (const level of levels) {
    const lists = nodes.map(({ node }) => node.op.dispatches(node, { ...settings, level }));
    if (JSON.stringify(lists) !== JSON.stringify(distinct.at(-1)?.lists)) distinct.push({ level, lists });
  }
  if (distinct.length < 2) return {};
  let usable = distinct.map((each) => ({ ...each, ms: 0 }));
  let measured = 0;
  for (const [i, { node, count }] of nodes.entries()) {
    if (i > 0 && performance.now() > until) break;
    // Shaders are compiled node by node, since they take most of the time where no driver has them stored.
    const programs = await Promise.all(usable.map(({ lists }) => timer.compile(lists[i])));
    const compiled = usable.flatMap((each, at) => {
      const program = programs[at];
      return program ? [{ each, program }] : [];
    });
    if (compiled[0]?.each.level !== 'plain') return {};
    if (stopped()) return null;
    const reference = compiled[0].program;
    if (i === 0) await timer.warmUp(reference);
    const right: typeof compiled = [];
    for (const made of compiled) {
      const difference =
        made === compiled[0] ? 0 : await timer.difference(made.program, reference, node.outputs.map(value));
      if (stopped()) return null;
      if (difference <= LEVEL_BOUNDS[made.each.level]) right.push(made);
    }
    const times = await shortestTimes(
      timer,
      right.map(({ program }) => program),
    );
    right.forEach(({ each }, at) => (each.ms += count * times[at]));
    usable = right.map(({ each }) => each);
    measured = i + 1;
    if (stopped()) return null;
  }
  const timesOf = () => Object.fromEntries(usable.map(({ level, ms }) => [level, ms])) as LevelTimes;
  // The run needs the other kernels of its level anyway: a level that lacks one must not be taken.
  for (let best = decideLevel(timesOf(), levels); best !== 'plain'; best = decideLevel(timesOf(), levels)) {
    const rest = usable.find(({ level }) => level === best)!.lists.slice(measured);
    const programs = await Promise.all(rest.map((list) => timer.compile(list)));
    if (programs.every((program) => program !== null)) break;
    usable = usable.filter(({ level }) => level !== best);
  }
  return timesOf();
}

/** The level to run at: the fastest, where it is worth its rounding. */
export function decideLevel(times: LevelTimes, levels: readonly KernelLevel[]): KernelLevel {
  return levels.reduce((best, level) => {
    const [ms, bestMs] = [times[level], times[best]];
    return ms !== undefined && bestMs !== undefined && ms < bestMs * (1 - LEVEL_MARGIN) ? level : best;
  }, 'plain');
}

async function shortestTimes(timer: KernelTimer, programs: readonly Program[]): Promise<number[]> {
  const first = await timer.time(programs.map((program) => ({ program, repeats: 1 })));
  const timings = programs.map((program, i) => ({
    program,
    repeats: Math.min(MOST_REPEATS, Math.max(1, Math.round(TIMING_MS / first[i]))),
  }));
  let times = first;
  for (let round = 0; round < ROUNDS; round++) {
    // The first run of a kernel may be slow: it counts only where a kernel is too long to be run again.
    const next = await timer.time(timings);
    times = round === 0 ? next : times.map((ms, i) => Math.min(ms, next[i]));
  }
  return times;
}
