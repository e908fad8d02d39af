/**
 * Which row of the rotary tables each token takes where rotation depends on the length of its sequence (LongRoPE, arXiv:2402.13753): its position, or
 * `positions` rows further down where the sequence is longer than the original maximum.
 */
import { flatGrid, value } from '../../gpu/dispatch.ts';
import type { Graph, Op, Value } from '../../graph/graph.ts';

export interface RopeRows {
  /** Tables hold this many rows for short sequences, then as many for long ones. */
  positions: number;
  /** The longest sequence that is short. */
  original: number;
}

/** @param positions, start, end [T] u32: where each token's sequence begins, and where it will have ended @returns [T] u32 */
export function ropeRows(
  graph: Graph,
  positions: Value,
  documents: { start: Value; end: Value },
  settings: RopeRows,
): Value {
  return graph.append(ropeRowsOp, [positions, documents.start, documents.end], { ...settings })[0];
}

/** Length past which a graph rotates otherwise, so that keys cached before are void; null where length does not matter. */
export function switchLength(graph: Graph): number | null {
  return (graph.nodes.find(({ op }) => op === ropeRowsOp)?.attributes.original as number | undefined) ?? null;
}

export const ropeRowsOp: Op = {
  name: 'ropeRows',
  outputs: ([positions]) => [{ shape: positions.shape, dtype: 'u32' }],
  dispatches({ inputs: [positions, start, end], outputs: [rows], attributes }, settings) {
    const [tokens] = positions.shape;
    return [
      {
        shader: 'rope_rows',
        constants: { T: tokens, P: attributes.positions as number, ORIGINAL: attributes.original as number },
        bindings: { 0: value(rows), 1: value(positions), 2: value(start), 3: value(end) },
        workgroups: flatGrid(tokens, 64, settings),
      },
    ];
  },
  tensorflow(tf, [positions, start, end], { attributes }) {
    const long = tf.greater(tf.sub(end, start), attributes.original as number);
    return [
      tf.add(positions, tf.mul(tf.cast(long, 'int32'), tf.scalar(attributes.positions as number, 'int32'))),
    ];
  },
};
