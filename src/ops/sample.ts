/** Picks the next id of each row: greedy, or temperature and top-p. */
import { value } from '../gpu/dispatch.ts';
import type { Graph, Op, Value } from './graph.ts';

/**
 * @param logits [B, V] @param options [3] f32: mode (0 greedy, 1 sampled), temperature, top_p
 * @param random [2 + B] u32: seed, draw, then a stream for each row @returns ids [B] u32
 */
export function sample(graph: Graph, logits: Value, options: Value, random: Value, softcap = 0): Value {
  return graph.append(sampleOp, [logits, options, random], { softcap })[0];
}

export const sampleOp: Op = {
  name: 'sample',
  outputs: ([logits]) => [{ shape: [logits.shape[0]], dtype: 'u32' }],
  dispatches({ inputs: [logits, options, random], outputs: [ids], attributes }, settings) {
    const [rows, vocabulary] = logits.shape;
    return [
      {
        shader: 'sample',
        constants: { V: vocabulary, SOFTCAP: { f32: attributes.softcap as number }, WORKGROUP: settings.rowWorkgroup === 1 ? 1 : 256 },
        bindings: { 0: value(ids), 1: value(logits), 2: value(options), 3: value(random) },
        workgroups: [rows, 1, 1],
      },
    ];
  },
};
