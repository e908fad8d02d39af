/** Token embedding: y[t] = scale · W[ids[t]]. The table is frozen, so nothing flows back. */
import { flatGrid, value } from '../../gpu/dispatch.ts';
import type { Graph, Op, Value } from '../../graph/graph.ts';
import { weightBindings, weightKind } from '../matmul/matmulProblem.ts';
import { weightSlices } from '../matmul/weightSlices.ts';

/** @param ids [T] u32 @param table [V, H] @returns [T, H] */
export function embedding(graph: Graph, ids: Value, table: Value, scale = 1): Value {
  return graph.append(embeddingOp, [ids, table], { scale })[0];
}

export const embeddingOp: Op = {
  name: 'embedding',
  outputs: ([ids, table]) => [{ shape: [ids.shape[0], table.shape[1]] }],
  dispatches({ inputs: [ids, table], outputs: [y], attributes }, settings) {
    const [tokens, width] = y.shape;
    return weightSlices(table, settings.maxBindingBytes).map(({ first, rows }, slice) => ({
      shader: 'embedding',
      constants: {
        T: tokens,
        H: width,
        FIRST: first,
        ROWS: rows,
        SCALE: { f32: attributes.scale as number },
        WEIGHT_KIND: weightKind(table),
      },
      bindings: { 0: value(y), 1: value(ids), ...weightBindings(table, slice) },
      workgroups: flatGrid(tokens * width, 64, settings),
    }));
  },
  tensorflow: (tf, [ids, table], node) => [
    tf.mul(tf.gather(table, tf.cast(ids, 'int32')), node.attributes.scale as number),
  ],
};
