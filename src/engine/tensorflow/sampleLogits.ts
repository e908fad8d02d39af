/** Draws the next token from logits on the CPU, as the GPU's sampling kernels do. */
import type { GenerationOptions } from '../engine.ts';

/**
 * Greedy, or by temperature and top-p: the most probable tokens whose probabilities reach topP together are
 * drawn from.
 * @param logits [vocabulary]
 * @param draw uniform in [0, 1)
 * @returns a token id
 */
export function sampleLogits(
  logits: Float32Array,
  { doSample, temperature, topP }: Pick<GenerationOptions, 'doSample' | 'temperature' | 'topP'>,
  draw: number,
): number {
  const order = Array.from(logits.keys()).sort((a, b) => logits[b] - logits[a] || a - b);
  if (!doSample) return order[0];
  const weights = order.map((id) => Math.exp((logits[id] - logits[order[0]]) / temperature));
  const total = weights.reduce((a, b) => a + b, 0);
  let kept = 0;
  let mass = 0;
  while (kept < order.length && mass < topP * total) mass += weights[kept++];
  let left = draw * mass;
  for (let i = 0; i < kept; i++) if ((left -= weights[i]) < 0) return order[i];
  return order[kept - 1];
}
