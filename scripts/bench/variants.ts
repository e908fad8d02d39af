/**
 * Times and checks every variant of every tuning problem of a model's plans: what the matmul heuristic is
 * judged by.
 */
import { makeEnginePlans } from '../../src/engine/enginePlans.ts';
import type { GpuContext } from '../../src/gpu/gpuContext.ts';
import type { KernelConfig, KernelLevel, KernelSettings, TuningProblem } from '../../src/gpu/dispatch.ts';
import type { Graph } from '../../src/graph/graph.ts';
import type { Plan } from '../../src/plan/plan.ts';
import type { Program } from '../../src/tuning/autotuner.ts';
import { KernelBenchmark } from '../../src/tuning/kernelBenchmark.ts';
import { randomPlanOptions } from '../lib/randomPlanOptions.ts';
import { type BenchHost, type BenchOptions } from './measuring.ts';

export interface VariantBench {
  model: string;
  level: KernelLevel;
  /** The tuning problem's key: shape, layout, kind of weight. */
  problem: string;
  /** How often one replay of the training plan has it; 0 where only generation does. */
  count: number;
  /** By time; the heuristic's config is one of them. Configs that the adapter refuses are left out. */
  variants: VariantTime[];
  heuristic: string;
}

export interface VariantTime {
  config: string;
  ms: number;
  /**
   * Largest difference from the plain heuristic's result, over the largest value; it must not exceed `bound`.
   */
  difference: number;
  bound: number;
}

/** A tuning problem of some plans. */
export interface FoundProblem {
  problem: TuningProblem;
  /** The graph that has its values. */
  graph: Graph;
  /** How often one replay of the first plan has it. */
  count: number;
}

const SIZES = {
  tiny: { models: ['2 layers of width 32'], tokens: 64, generation: { slots: 2, maxLength: 64 } },
  real: { models: ['Llama-3.2-1B'], tokens: 2048, generation: { slots: 8, maxLength: 512 } },
};
/** Each variant is timed so often, for so long, and the shortest time counts. */
const ROUNDS = 3;
const TIMING_MS = 5;

export async function benchVariants(
  context: GpuContext,
  host: BenchHost,
  options: BenchOptions,
): Promise<VariantBench[]> {
  const rows: VariantBench[] = [];
  const { models, tokens, generation } = SIZES[options.size];
  for (const model of options.models ?? models) {
    const plans = makeEnginePlans(
      { ...randomPlanOptions(model, tokens, false), generation },
      context.settings,
      context.limits,
    );
    const found = tuningProblems([plans.training!.train, plans.generation!.decode]);
    for (const level of context.levels.filter((each) => !options.levels || options.levels.includes(each))) {
      for (const [i, { problem, graph, count }] of found.entries()) {
        const row = await measureVariants(context, graph, problem, level);
        rows.push({ model, level, problem: problem.key, count, ...row });
        host.log(`${model} ${level}, problem ${i + 1} of ${found.length}: ${summaryOf(row)}`);
      }
    }
  }
  return rows;
}

/** The distinct tuning problems of some plans, those first that cost the first plan most. */
export function tuningProblems(plans: readonly Plan[]): FoundProblem[] {
  const found = new Map<string, FoundProblem>();
  for (const [index, { dispatches, graph }] of plans.entries()) {
    for (const { tuningProblem: problem } of dispatches) {
      if (!problem) continue;
      const known = found.get(problem.key) ?? { problem, graph, count: 0 };
      if (index === 0) known.count++;
      found.set(problem.key, known);
    }
  }
  const cost = ({ problem, count }: FoundProblem) => problem.operations * count;
  return [...found.values()].sort((a, b) => cost(b) - cost(a) || b.problem.operations - a.problem.operations);
}

/** All configs of a level, and for the heuristic's also half and twice its split-K. */
export function configsAt(problem: TuningProblem, settings: KernelSettings): KernelConfig[] {
  const configs = problem.configs(settings);
  const heuristic = configs[0];
  const [variant, splitK] = heuristic.name.split(' / ');
  const kernelsOf = (config: KernelConfig) => JSON.stringify(problem.dispatches(config, settings));
  const near = [Number(splitK) / 2, Number(splitK) * 2]
    .map((parts) => ({ ...heuristic, name: `${variant} / ${parts}` }))
    .filter((config) => kernelsOf(config) !== kernelsOf(heuristic));
  return [...configs, ...near];
}

/** @throws where even the plain heuristic's config cannot run */
export async function measureVariants(
  context: GpuContext,
  graph: Graph,
  problem: TuningProblem,
  level: KernelLevel,
): Promise<Pick<VariantBench, 'variants' | 'heuristic'>> {
  const plain: KernelSettings = { ...context.settings, level: 'plain', choices: undefined };
  const settings = { ...plain, level };
  return KernelBenchmark.with(context, graph, async (benchmark) => {
    const reference = await benchmark.compile(problem.dispatches(problem.configs(plain)[0], plain));
    if (!reference) throw new Error(`${problem.key}: the plain heuristic's config does not compile`);
    const configs = configsAt(problem, settings);
    const compiled: { config: KernelConfig; program: Program; ms: number }[] = [];
    for (const config of configs) {
      const program = await benchmark.compile(problem.dispatches(config, settings));
      if (program) compiled.push({ config, program, ms: Infinity });
    }
    await benchmark.warmUp(reference);
    const first = await benchmark.time(compiled.map(({ program }) => ({ program, repeats: 1 })));
    const timings = compiled.map(({ program }, i) => ({
      program,
      repeats: Math.min(128, Math.max(1, Math.round(TIMING_MS / first[i]))),
    }));
    for (let round = 0; round < ROUNDS; round++) {
      const times = await benchmark.time(timings);
      compiled.forEach((each, i) => (each.ms = Math.min(each.ms, times[i])));
    }
    const variants: VariantTime[] = [];
    for (const { config, program, ms } of compiled) {
      const difference = await benchmark.difference(program, reference, problem.outputs);
      variants.push({ config: config.name, ms, difference, bound: config.bound });
      benchmark.forget(program);
    }
    return { heuristic: configs[0].name, variants: variants.sort((a, b) => a.ms - b.ms) };
  });
}

export function heuristicOf({
  variants,
  heuristic,
}: Pick<VariantBench, 'variants' | 'heuristic'>): VariantTime {
  return variants.find(({ config }) => config === heuristic)!;
}

/** The fastest variant whose result is right. */
export function fastestOf({ variants }: Pick<VariantBench, 'variants'>): VariantTime {
  return variants.find(({ difference, bound }) => difference <= bound)!;
}

function summaryOf(row: Pick<VariantBench, 'variants' | 'heuristic'>): string {
  const { config, ms } = fastestOf(row);
  const own = heuristicOf(row);
  const wrong = row.variants.filter(({ difference, bound }) => !(difference <= bound)).length;
  return `heuristic ${row.heuristic} ${own.ms.toFixed(3)} ms; fastest ${config} ${ms.toFixed(3)} ms; ${wrong} of ${row.variants.length} wrong`;
}
