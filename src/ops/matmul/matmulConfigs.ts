/**
 * The configs of a product: its key, by which choices and measurements are stored; the config that runs; and
 * the candidates that are worth a measurement.
 */
import type { KernelSettings } from '../../gpu/dispatch.ts';
import { heuristicConfig, type MatmulConfig } from './matmulHeuristic.ts';
import { readsWords, type MatmulProblem } from './matmulProblem.ts';
import { weightKind } from '../weights/weightBindings.ts';
import { isTiled, variantNamed, VARIANTS, type MatmulVariant } from './matmulVariants.ts';
import { fitsSplitK, splitKHeuristic } from './splitK.ts';
import { fits } from './variantFits.ts';

/**
 * What decides how fast each config is. The number of tokens is rounded up, so that another file's rows need
 * no measurement of their own.
 */
export function matmulKey(problem: MatmulProblem): string {
  const { m, n, k, a, b, alpha = 1, accumulate = false, scaleA = 1, group } = problem;
  const isOverTokens = a.columnStride !== 1;
  const size = isOverTokens ? `${m}x${n}x${roundedTokens(k)}` : `${roundedTokens(m)}x${n}x${k}`;
  const kind = b.value.role === 'weight' ? weightKind(b.value) : 'value';
  const details = [
    `A along ${isOverTokens ? 'm' : 'k'}`,
    `B along ${b.rowStride === 1 ? 'k' : 'n'}`,
    group && `${group.along} ${group.problems.map((problem) => problem.size).join(' + ')}`,
    accumulate && 'accumulated',
    alpha !== 1 && 'multiplied',
    scaleA !== 1 && 'scaled',
    !readsWords(problem) && 'unaligned',
  ];
  return [`matmul ${size} ${kind}`, ...details.filter(Boolean)].join(', ');
}

/** Up to the next of four sizes in each octave: 512, 640, 768, 896, 1024, 1280 … */
function roundedTokens(tokens: number): number {
  const granule = Math.max(1, 2 ** (Math.ceil(Math.log2(tokens)) - 3));
  return Math.ceil(tokens / granule) * granule;
}

/** Unique among the configs of a product; what `KernelSettings.choices` holds. */
export function configName({ variant, splitK }: MatmulConfig): string {
  return `${variant.name} / ${splitK}`;
}

/** The chosen config where there is a choice that fits; else the heuristic's. */
export function selectedConfig(problem: MatmulProblem, settings: KernelSettings): MatmulConfig {
  const [name, parts] = settings.choices?.get(matmulKey(problem))?.split(' / ') ?? [];
  const variant = name === undefined ? undefined : variantNamed(name);
  const splitK = Number(parts);
  return variant && fits(variant, problem, settings) && fitsSplitK(variant, splitK, problem, settings)
    ? { variant, splitK }
    : heuristicConfig(problem, settings);
}

/**
 * The heuristic's config, then each other variant that fits and wastes less than half of its tile, with the
 * split-K that the heuristic gives it.
 */
export function candidateConfigs(problem: MatmulProblem, settings: KernelSettings): MatmulConfig[] {
  const first = heuristicConfig(problem, settings);
  const others = VARIANTS.filter(
    (variant) =>
      variant !== first.variant && fits(variant, problem, settings) && suitsSides(variant, problem),
  );
  return [
    first,
    ...others.map((variant) => ({ variant, splitK: splitKHeuristic(variant, problem, settings) })),
  ];
}

function suitsSides(variant: MatmulVariant, { m, n }: MatmulProblem): boolean {
  // Tiles of 16 and 48 are for sides that short.
  const suits = (tile: number, side: number) =>
    tile === 16 || tile === 48 ? side <= tile : tile / 2 < side || tile <= 32;
  return !isTiled(variant) || (suits(variant.tileM, m) && suits(variant.tileN, n));
}
