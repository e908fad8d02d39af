/** Which kernels a run has: what was asked for, what was decided, and both in words. */
import { LEVELS, type KernelLevel, type KernelSettings } from '../gpu/dispatch.ts';

/** What the page's address asks for (`?tune=off`, `?level=f16`). */
export interface KernelRequest {
  /** false: the rule's kernels, nothing is measured. */
  tune: boolean;
  /** auto: the level that was measured fastest; plain where nothing is measured. */
  level: KernelLevel | 'auto';
}

/** Plain data: it is kept with the run, which goes on with the same kernels to the same bytes. */
export interface RunKernels {
  level: KernelLevel;
  /** Names of the ways that were measured fastest, by shape; others follow the rule. */
  choices: Record<string, string>;
  /** Shapes that were measured, of how many; 0 of 0 where nothing is. */
  measured: number;
  of: number;
}

export function settingsWith(settings: KernelSettings, { level, choices }: Pick<RunKernels, 'level' | 'choices'>): KernelSettings {
  return { ...settings, level, choices: new Map(Object.entries(choices)) };
}

/** @param address the page's @throws Error that says what it may hold */
export function kernelRequestOf(address: string): KernelRequest {
  const parameters = new URL(address).searchParams;
  const tune = parameters.get('tune') ?? 'on';
  const level = parameters.get('level') ?? 'auto';
  if (tune !== 'on' && tune !== 'off') throw new Error(`The page's address says tune=${tune}: write tune=on or tune=off, or take it out.`);
  if (level !== 'auto' && !(LEVELS as readonly string[]).includes(level))
    throw new Error(`The page's address says level=${level}: write level=${LEVELS.join(', level=')} or level=auto, or take it out.`);
  return { tune: tune === 'on', level: level as KernelRequest['level'] };
}

const ARITHMETIC: Record<KernelLevel, string> = {
  plain: 'float32 kernels (level plain)',
  f16: 'products of operands rounded to float16, sums in float32 (level f16)',
  matrix: 'products and attention on matrix units, operands rounded to float16, sums in float32 (level matrix)',
};

export function kernelText({ level, measured, of }: Omit<RunKernels, 'choices'>): string {
  if (of === 0) return `${ARITHMETIC[level]}; none were measured.`;
  return `${ARITHMETIC[level]}; ${measured === of ? `for all ${of} shapes` : `for ${measured} of ${of} shapes`} the fastest of several, as measured on this GPU.`;
}
