/** Which kernels a run has: what was asked for, what was decided, and both in words. */
import type { KernelLevel, KernelSettings } from '../gpu/dispatch.ts';

/** What the page's address asks for (`?tune=off`, `?level=f16`). */
export interface KernelRequest {
  /** false: the rule's kernels, nothing is measured. */
  tune: boolean;
  /** auto: the level that was measured fastest; plain where nothing is measured. */
  level: KernelLevel | 'auto';
}

/** Plain data: it is kept with the run, which goes on with the same kernels to the same bytes. */
export interface KernelChoice {
  level: KernelLevel;
  /** Names of the ways that were measured fastest, by shape; others follow the rule. */
  choices: Record<string, string>;
  /** Shapes that were measured, of how many; 0 of 0 where nothing is. */
  measured: number;
  of: number;
}

export function settingsWith(
  settings: KernelSettings,
  { level, choices }: Pick<KernelChoice, 'level' | 'choices'>,
): KernelSettings {
  return { ...settings, level, choices: new Map(Object.entries(choices)) };
}
