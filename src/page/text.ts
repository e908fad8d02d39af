/** Numbers as people read them. */
import type { EngineProgress, MemoryChoice } from '../worker/trainer/trainerProtocol.ts';

const UNITS = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];

export function bytes(count: number): string {
  let value = count;
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${value.toLocaleString('en', { maximumFractionDigits: unit === 0 ? 0 : value < 10 ? 2 : 1 })} ${UNITS[unit]}`;
}

/** How a model's weights are stored, by the recipe's `quantization`. */
export const WEIGHTS = { nf4: '4-bit (NF4)', none: 'unquantised', gguf: "the GGUF's own blocks" } as const;

/** What is computed again so that a run fits. */
export function choiceText({ none, cheap, attention, full, packed, reason }: MemoryChoice): string {
  const parts = [
    [none, 'kept whole'],
    [cheap, 'with norms and gated products recomputed'],
    [attention, 'with queries, keys and values recomputed'],
    [full, 'recomputed'],
  ] as const;
  const layers = parts.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`);
  const storage = packed ? '; what waits for the backward pass has 16 bits' : '';
  return `Layers: ${layers.join(', ')}${storage} (${reason}).`;
}

/** What happens before the first step, in words. */
export function preparingText({ phase, done, total }: EngineProgress): string {
  switch (phase) {
    case 'measuring':
      return 'Measuring which kernels are fastest on this GPU';
    case 'weights':
      return `Loading weights, ${Math.round((100 * done) / total)} %`;
    case 'pipelines':
      return `Compiling ${done} of ${total} shaders`;
  }
}

export function integer(value: number): string {
  return value.toLocaleString('en', { maximumFractionDigits: 0 });
}

/** Part of a whole in per cent; small ones are not rounded away. */
export function share(part: number, whole: number): string {
  const percent = whole === 0 ? 0 : (100 * part) / whole;
  return `${percent.toLocaleString('en', percent < 10 ? { maximumSignificantDigits: 2 } : { maximumFractionDigits: 0 })} %`;
}

/** 1,234,567 → 1.2 M */
export function compact(value: number): string {
  return new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 }).format(value);
}

export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return '…';
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}
