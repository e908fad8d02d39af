/** Picks the next id of each row: greedy, or temperature and top-p. */
import { value, type BufferReference, type Dispatch } from '../../gpu/dispatch.ts';
import type { Graph, Op, Value } from '../../graph/graph.ts';

/**
 * @param logits [B, V] @param options [3] f32: mode (0 greedy, 1 sampled), temperature, top_p
 * @param random [2 + B] u32: seed, draw, then a stream for each row @returns ids [B] u32
 */
export function sample(graph: Graph, logits: Value, options: Value, random: Value, softcap = 0): Value {
  return graph.append(sampleOp, [logits, options, random], { softcap })[0];
}

/** Invocations of a workgroup, and logits of each. */
const WORKGROUP = 256;
const PER = 8;
/** Bits of the least probability that are kept, found a level at a time, and those of a level. */
const LEVELS = 5;
const LEVEL_BITS = 6;

export const sampleOp: Op = {
  name: 'sample',
  outputs: ([logits]) => [{ shape: [logits.shape[0]], dtype: 'u32' }],
  dispatches({ inputs: [logits, options, random], outputs: [ids], attributes }, settings) {
    const [rows, vocabulary] = logits.shape;
    const shape = { V: vocabulary, SOFTCAP: { f32: attributes.softcap as number } };
    if (settings.target === 'cpu') {
      const bindings = { 0: value(ids), 1: value(logits), 2: value(options), 3: value(random) };
      return [
        {
          shader: 'sample_serial',
          constants: { ...shape, ROUNDS: LEVELS * LEVEL_BITS },
          bindings,
          workgroups: [rows, 1, 1],
        },
      ];
    }
    const parts = Math.ceil(vocabulary / (WORKGROUP * PER));
    const thresholds = 2 ** LEVEL_BITS;
    const best: BufferReference = { type: 'scratch', index: 0, bytes: rows * parts * 8 };
    /** What level `index` leaves behind. */
    const kept = (index: number): BufferReference => ({
      type: 'scratch',
      index: 1 + index,
      bytes: rows * parts * (thresholds + 3) * 4,
    });
    const constants = { ...shape, WORKGROUP, PER, PARTS: parts };
    /** A kernel that begins where a level, if there is one before, has left the bisection. @param own its bindings beside those of lib/sampling/top_p.wgsl */
    const after = (
      level: number,
      shader: string,
      own: Record<number, BufferReference>,
      workgroups: [number, number, number],
    ): Dispatch => {
      const before: Record<number, BufferReference> = level > 0 ? { 4: kept(level - 1) } : {};
      return {
        shader,
        constants: {
          ...constants,
          PER_VECTORS: PER / 4,
          THRESHOLDS: thresholds,
          HAS_PREVIOUS: level > 0,
          UNROLLED: 4,
        },
        bindings: { 1: value(logits), 2: value(options), 3: best, ...before, ...own },
        workgroups,
      };
    };
    return [
      {
        shader: 'sample_argmax',
        constants,
        bindings: { 0: best, 1: value(logits) },
        workgroups: [parts, rows, 1],
      },
      ...Array.from({ length: LEVELS }, (_, level) =>
        after(level, 'sample_top_p', { 0: kept(level) }, [parts, rows, 1]),
      ),
      after(LEVELS, 'sample', { 0: value(ids), 5: value(random) }, [rows, 1, 1]),
    ];
  },
};
