/** Which kernels a run has: what was asked for, what was decided, and why. */
import { LEVELS, type KernelLevel } from '../gpu/dispatch.ts';

/** What the page's address asks for (`?tune=off`, `?level=f16`). */
export interface KernelRequest {
  /** false: nothing is measured, and the level is plain unless `level` names one. */
  tune: boolean;
  /** auto: the level that was measured fastest; plain where nothing is measured. */
  level: KernelLevel | 'auto';
}

/**
 * Why a run has its level. requested: the page's address names it · only: the adapter offers no other ·
 * measured: it was the fastest of those whose results are right · off: the address says tune=off · pending:
 * it is measured when the run starts · unknown: the levels could not be compared.
 */
export type KernelBasis = 'requested' | 'only' | 'measured' | 'off' | 'pending' | 'unknown';

/**
 * Plain data. It is stored with the run, which keeps its level to its end, so that it resumes to the same
 * bytes.
 */
export interface KernelChoice {
  level: KernelLevel;
  basis: KernelBasis;
  /**
   * Products whose kernels an earlier version chose one by one; they follow the heuristic now. Absent where
   * none.
   */
  ignoredChoices?: number;
}

/**
 * Reads the choice that is stored with a run. Earlier versions stored a kernel for each shape too. Those
 * names belong to the version that measured them, so they are not used: the run keeps its level, each product
 * follows the heuristic, and `ignoredChoices` says how many there were. The results differ from the earlier
 * ones by the order of sums.
 * @returns null where what is stored is no choice
 */
export function readKernelChoice(stored: unknown): KernelChoice | null {
  const { level, basis, ignoredChoices, choices, of } = (stored ?? {}) as Partial<KernelChoice> & {
    choices?: Record<string, string>;
    of?: number;
  };
  if (level === undefined || !LEVELS.includes(level)) return null;
  const ignored = ignoredChoices ?? Object.keys(choices ?? {}).length;
  return {
    level,
    basis: basis ?? (of ? 'measured' : 'off'),
    ...(ignored > 0 && { ignoredChoices: ignored }),
  };
}
