/**
 * Picks the next id of each row: the argmax, or a draw at a temperature from the top-p tokens (nucleus
 * sampling, arXiv:1904.09751).
 */
import { value, type BufferReference, type Dispatch } from '../../gpu/dispatch.ts';
import type { Graph } from '../../graph/graph.ts';
import type { Op } from '../../graph/op.ts';
import type { Value } from '../../graph/value.ts';

interface SampleInputs {
  logits: Value;
  options: Value;
  random: Value;
}

interface SampleAttributes {
  /** Of the logits; 0: none. */
  softcap: number;
}

/**
 * @param logits [B, V] @param options [3] f32: mode (0 greedy, 1 sampled), temperature, top_p
 * @param random [2 + B] u32: seed, draw, then a stream for each row @returns ids [B] u32
 */
export function sample(graph: Graph, logits: Value, options: Value, random: Value, softcap = 0): Value {
  return graph.append(sampleOp, { logits, options, random }, { softcap })[0];
}

/** Invocations of a workgroup, and logits of each invocation. */
const WORKGROUP = 256;
const PER_INVOCATION = 8;
/**
 * The least probability of the top-p tokens is determined so many bits at a time: in kernels over the whole
 * row, each of which has a threshold an invocation, then in rounds of the last kernel, which reads what is
 * left.
 */
const PASSES = 2;
const BITS_PER_PASS = Math.log2(WORKGROUP);
const ROUNDS = 2;
const BITS_PER_ROUND = 7;

export const sampleOp: Op<SampleInputs, SampleAttributes> = {
  name: 'sample',
  outputs: ({ logits }) => [{ shape: [logits.shape[0]], dtype: 'u32' }],
  dispatches({ inputs: { logits, options, random }, outputs: [ids], attributes: { softcap } }, settings) {
    const [rows, vocabulary] = logits.shape;
    const shape = { V: vocabulary, SOFTCAP: { f32: softcap } };
    const inputs = { logits: value(logits), options: value(options) };
    if (settings.target === 'cpu')
      return [
        {
          shader: 'sample_serial',
          constants: { ...shape, ROUNDS: PASSES * BITS_PER_PASS + ROUNDS * BITS_PER_ROUND },
          bindings: { ids: value(ids), ...inputs, random: value(random) },
          workgroups: [rows, 1, 1],
        },
      ];
    const parts = Math.ceil(vocabulary / (WORKGROUP * PER_INVOCATION));
    const best: BufferReference = { type: 'scratch', index: 0, bytes: rows * parts * 8 };
    /** What a pass writes: for each part of a row the sum of the probabilities above each threshold. */
    const sums = (pass: number): BufferReference => ({
      type: 'scratch',
      index: 1 + pass,
      bytes: rows * parts * (WORKGROUP + 3) * 4,
    });
    const constants = { ...shape, WORKGROUP, PER: PER_INVOCATION, PARTS: parts };
    /**
     * A kernel that continues the search after `pass` passes. @param own its bindings beside those of all
     * passes
     */
    const afterPasses = (
      pass: number,
      shader: string,
      own: Dispatch['bindings'],
      workgroups: [number, number, number],
    ): Dispatch => {
      const previous: Dispatch['bindings'] = pass > 0 ? { previous: sums(pass - 1) } : {};
      return {
        shader,
        constants: {
          ...constants,
          THRESHOLDS: WORKGROUP,
          HAS_PREVIOUS: pass > 0,
          UNROLLED: 16,
          STEPS: 2 ** BITS_PER_ROUND,
          ROUNDS,
        },
        bindings: { ...inputs, best, ...previous, ...own },
        workgroups,
      };
    };
    return [
      {
        shader: 'sample_argmax',
        constants,
        bindings: { best, logits: value(logits) },
        workgroups: [parts, rows, 1],
      },
      ...Array.from({ length: PASSES }, (_, pass) =>
        afterPasses(pass, 'sample_top_p', { records: sums(pass) }, [parts, rows, 1]),
      ),
      afterPasses(PASSES, 'sample', { ids: value(ids), random: value(random) }, [rows, 1, 1]),
    ];
  },
};
