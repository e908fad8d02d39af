/** What a model's weights, a plan and a start are, in words. */
import type { EngineProgress, MemoryChoice } from '../worker/trainer/trainerProtocol.ts';

export { bytes, compact, duration, integer, share } from './language/numbers.ts';

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
