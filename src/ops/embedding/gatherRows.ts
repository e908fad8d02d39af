/**
 * y[b] = x[rows[b]]: picks the positions whose next token is generated. Inference only: nothing flows back.
 */
import { flatGrid, value } from '../../gpu/dispatch.ts';
import type { Graph } from '../../graph/graph.ts';
import type { NoAttributes, Op } from '../../graph/op.ts';
import type { Value } from '../../graph/value.ts';

interface GatherRowsInputs {
  x: Value;
  rows: Value;
}

/** @param x [T, H] @param rows [B] u32 @returns [B, H] */
export function gatherRows(graph: Graph, x: Value, rows: Value): Value {
  return graph.append(gatherRowsOp, { x, rows })[0];
}

export const gatherRowsOp: Op<GatherRowsInputs, NoAttributes> = {
  name: 'gatherRows',
  outputs: ({ x, rows }) => [{ shape: [rows.shape[0], x.shape[1]] }],
  dispatches({ inputs: { x, rows }, outputs: [y] }, settings) {
    const [tokens, width] = x.shape;
    const count = rows.shape[0];
    return [
      {
        shader: 'gather_rows',
        constants: { T: tokens, H: width, B: count },
        bindings: { y: value(y), x: value(x), rows: value(rows) },
        workgroups: flatGrid(count * width, 64, settings),
      },
    ];
  },
  tensorflow: (tf, { x, rows }) => [tf.gather(x, tf.cast(rows, 'int32'))],
};
