/**
 * Dropout with a counter-based mask keyed by (seed, step, site, document, position, column), so that
 * recomputation and packing see the same mask.
 */
import { flatGrid, value } from '../../gpu/dispatch.ts';
import type { Graph } from '../../graph/graph.ts';
import type { AccumulatingOp, Accumulator } from '../../graph/op.ts';
import { elements, type Value } from '../../graph/value.ts';
import { dropoutMask } from '../../lib/counterRandom.ts';

export interface DropoutKeys {
  /** [2] u32: seed, step. */
  random: Value;
  /** [T] u32 each. */
  documentIndex: Value;
  positions: Value;
}

interface DropoutInputs extends DropoutKeys, Accumulator {
  x: Value;
}

interface DropoutAttributes {
  /** Of a zero, in (0, 1). */
  probability: number;
  /** Distinguishes the places of one model that have dropout. */
  site: number;
}

/**
 * @param x [T, N] @param probability of a zero, in (0, 1) @param site distinguishes the places of one model
 * @returns as x
 */
export function dropout(graph: Graph, x: Value, keys: DropoutKeys, probability: number, site: number): Value {
  return graph.append(dropoutOp, { x, ...keys }, { probability, site })[0];
}

/** The gradient is the same op: the mask that was multiplied with x is multiplied with dy. */
export const dropoutOp: AccumulatingOp<DropoutInputs, DropoutAttributes> = {
  name: 'dropout',
  accumulates: true,
  outputs: ({ x, sum }) => [{ shape: x.shape, inPlaceOf: sum }],
  gradient(backward, { inputs: { x, random, documentIndex, positions }, attributes }, [dy]) {
    if (dy) backward.emit(x, dropoutOp, { x: dy, random, documentIndex, positions }, attributes);
  },
  dispatches(
    { inputs: { x, random, documentIndex, positions, sum }, outputs: [y], attributes: { site, probability } },
    settings,
  ) {
    return [
      {
        shader: 'dropout',
        constants: {
          T: x.shape[0],
          WIDTH: x.shape[1],
          SITE: site,
          P: { f32: probability },
          ACCUMULATE: sum !== undefined,
        },
        bindings: {
          y: value(y),
          x: value(x),
          random: value(random),
          document_index: value(documentIndex),
          positions: value(positions),
        },
        workgroups: flatGrid(elements(x), 64, settings),
      },
    ];
  },
  tensorflow(tf, { x }, { inputs: { random, documentIndex, positions }, attributes }, host) {
    const [seed, step] = host(random);
    const mask = dropoutMask(
      { seed, step, ...attributes },
      host(documentIndex),
      host(positions),
      x.shape[1]!,
    );
    return [tf.mul(x, tf.tensor(mask, x.shape))];
  },
};
