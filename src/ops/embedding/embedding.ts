/** Token embedding: y[t] = scale · W[ids[t]]. The table is frozen, so nothing flows back. */
import { flatGrid, value } from '../../gpu/dispatch.ts';
import type { Graph } from '../../graph/graph.ts';
import type { Op } from '../../graph/op.ts';
import type { Value } from '../../graph/value.ts';
import { weightBindings, weightKind } from '../weights/weightBindings.ts';
import { weightSlices } from '../weights/weightSlices.ts';

interface EmbeddingInputs {
  ids: Value;
  table: Value;
}

interface EmbeddingAttributes {
  scale: number;
}

/** @param ids [T] u32 @param table [V, H] @returns [T, H] */
export function embedding(graph: Graph, ids: Value, table: Value, scale = 1): Value {
  return graph.append(embeddingOp, { ids, table }, { scale })[0];
}

export const embeddingOp: Op<EmbeddingInputs, EmbeddingAttributes> = {
  name: 'embedding',
  outputs: ({ ids, table }) => [{ shape: [ids.shape[0], table.shape[1]] }],
  dispatches({ inputs: { ids, table }, outputs: [y], attributes: { scale } }, settings) {
    const [tokens, width] = y.shape;
    return weightSlices(table, settings.maxBindingBytes).map(({ first, rows }, slice) => ({
      shader: 'embedding',
      constants: {
        T: tokens,
        H: width,
        FIRST: first,
        ROWS: rows,
        SCALE: { f32: scale },
        WEIGHT_KIND: weightKind(table),
      },
      bindings: { y: value(y), ids: value(ids), ...weightBindings(table, slice) },
      workgroups: flatGrid(tokens * width, 64, settings),
    }));
  },
  tensorflow: (tf, { ids, table }, { attributes: { scale } }) => [
    tf.mul(tf.gather(table, tf.cast(ids, 'int32')), scale),
  ],
};
