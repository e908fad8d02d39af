/**
 * The row of the rotary tables that each token takes where the rotation depends on the length of its sequence
 * (LongRoPE, arXiv:2402.13753): its position, or `positions` rows further down where the sequence is longer
 * than the original maximum.
 */
import { flatGrid, value } from '../../gpu/dispatch.ts';
import type { Graph } from '../../graph/graph.ts';
import { isNodeOf, type Op } from '../../graph/op.ts';
import type { Value } from '../../graph/value.ts';

export interface RopeRows {
  /** Tables hold this many rows for short sequences, then as many for long ones. */
  positions: number;
  /** The length of the longest sequence that counts as short. */
  original: number;
}

interface RopeRowsInputs {
  positions: Value;
  start: Value;
  end: Value;
}

/**
 * @param positions, start, end [T] u32: where each token's sequence begins and where it will end @returns [T]
 * u32
 */
export function ropeRows(
  graph: Graph,
  positions: Value,
  { start, end }: { start: Value; end: Value },
  settings: RopeRows,
): Value {
  return graph.append(ropeRowsOp, { positions, start, end }, { ...settings })[0];
}

/**
 * The length beyond which a graph rotates differently, so that keys cached before are void; null where the
 * length does not matter.
 */
export function switchLength(graph: Graph): number | null {
  for (const node of graph.nodes) if (isNodeOf(node, ropeRowsOp)) return node.attributes.original;
  return null;
}

export const ropeRowsOp: Op<RopeRowsInputs, RopeRows> = {
  name: 'ropeRows',
  outputs: ({ positions }) => [{ shape: positions.shape, dtype: 'u32' }],
  dispatches({ inputs: { positions, start, end }, outputs: [rows], attributes }, settings) {
    const [tokens] = positions.shape;
    return [
      {
        shader: 'rope_rows',
        constants: { T: tokens, P: attributes.positions, ORIGINAL: attributes.original },
        bindings: { rows: value(rows), positions: value(positions), start: value(start), end: value(end) },
        workgroups: flatGrid(tokens, 64, settings),
      },
    ];
  },
  tensorflow(tf, { positions, start, end }, { attributes }) {
    const isLong = tf.cast(tf.greater(tf.sub(end, start), attributes.original), 'int32');
    return [tf.add(positions, tf.mul(isLong, tf.scalar(attributes.positions, 'int32')))];
  },
};
