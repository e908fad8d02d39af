/** y[b] = x[rows[b]]: picks the positions that generation looks at. Inference only: nothing flows back. */
import { flatGrid, value } from '../../gpu/dispatch.ts';
import type { Graph, Op, Value } from '../../graph/graph.ts';

/** @param x [T, H] @param rows [B] u32 @returns [B, H] */
export function gatherRows(graph: Graph, x: Value, rows: Value): Value {
  return graph.append(gatherRowsOp, [x, rows])[0];
}

export const gatherRowsOp: Op = {
  name: 'gatherRows',
  outputs: ([x, rows]) => [{ shape: [rows.shape[0], x.shape[1]] }],
  dispatches({ inputs: [x, rows], outputs: [y] }, settings) {
    const [tokens, width] = x.shape;
    const count = rows.shape[0];
    return [
      {
        shader: 'gather_rows',
        constants: { T: tokens, H: width, B: count },
        bindings: { 0: value(y), 1: value(x), 2: value(rows) },
        workgroups: flatGrid(count * width, 64, settings),
      },
    ];
  },
  tensorflow: (tf, [x, rows]) => [tf.gather(x, tf.cast(rows, 'int32'))],
};
