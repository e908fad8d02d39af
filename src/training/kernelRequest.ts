/** Reads what the page's address asks of the kernels, and says in words which kernels a run has. */
import { LEVELS, type KernelLevel } from '../gpu/dispatch.ts';
import type { KernelBasis, KernelChoice, KernelRequest } from '../tuning/kernelChoice.ts';

/** @param address the page's @throws Error that says what it may hold */
export function kernelRequestOf(address: string): KernelRequest {
  const parameters = new URL(address).searchParams;
  const tune = parameters.get('tune') ?? 'on';
  const level = parameters.get('level') ?? 'auto';
  if (tune !== 'on' && tune !== 'off')
    throw new Error(`The page's address says tune=${tune}: write tune=on or tune=off, or take it out.`);
  if (level !== 'auto' && !(LEVELS as readonly string[]).includes(level))
    throw new Error(
      `The page's address says level=${level}: write level=${LEVELS.join(', level=')} or level=auto, or take it out.`,
    );
  return { tune: tune === 'on', level: level as KernelRequest['level'] };
}

/** How many cases of each op "Check this GPU" takes: all, unless the page's address says fewer (?check=1). */
export function checkedCases(address: string): number {
  const asked = new URL(address).searchParams.get('check') ?? '';
  return /^\d+$/.test(asked) ? Number(asked) : Infinity;
}

const ARITHMETIC: Record<KernelLevel, string> = {
  plain: 'float32 kernels (level plain)',
  f16: 'products of operands rounded to float16, sums in float32 (level f16)',
  matrix:
    'products and attention on matrix units, operands rounded to float16, sums in float32 (level matrix)',
};

const REASON: Record<KernelBasis, string> = {
  requested: "the page's address asks for them",
  only: 'this GPU offers no others in this browser',
  measured: 'the fastest on this GPU, as measured',
  off: 'nothing was measured',
  pending: 'which kernels are fastest on this GPU has not been measured yet',
  unknown: 'which kernels are fastest on this GPU could not be measured',
};

export function kernelText({ level, basis, ignoredChoices = 0 }: KernelChoice): string {
  const text = `${ARITHMETIC[level]}: ${REASON[basis]}.`;
  return ignoredChoices === 0
    ? text
    : `${text} Kernels that an earlier version chose shape by shape (${ignoredChoices}) follow the general rule now: sums are made in another order, and figures may differ in their last digits.`;
}
