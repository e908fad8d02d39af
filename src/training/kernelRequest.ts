/** What the page's address asks of the kernels, and the kernels of a run in words. */
import { LEVELS, type KernelLevel } from '../gpu/dispatch.ts';
import type { KernelRequest, KernelChoice } from '../tuning/kernelChoice.ts';

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

const ARITHMETIC: Record<KernelLevel, string> = {
  plain: 'float32 kernels (level plain)',
  f16: 'products of operands rounded to float16, sums in float32 (level f16)',
  matrix:
    'products and attention on matrix units, operands rounded to float16, sums in float32 (level matrix)',
};

export function kernelText({ level, measured, of }: Omit<KernelChoice, 'choices'>): string {
  if (of === 0) return `${ARITHMETIC[level]}; none were measured.`;
  return `${ARITHMETIC[level]}; ${measured === of ? `for all ${of} shapes` : `for ${measured} of ${of} shapes`} the fastest of several, as measured on this GPU.`;
}
