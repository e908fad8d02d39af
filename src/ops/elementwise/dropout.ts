/** Dropout with a counter-based mask keyed by (seed, step, site, document, position, column): recomputation and packing see the same mask. */
import { flatGrid, value } from '../../gpu/dispatch.ts';
import { dropoutMask } from '../../lib/counterRandom.ts';
import { elements, type Graph, type Op, type Value } from '../../graph/graph.ts';

export interface DropoutKeys {
  /** [2] u32: seed, step. */
  random: Value;
  /** [T] u32 each. */
  documentIndex: Value;
  positions: Value;
}

/** @param x [T, N] @param probability of a zero, in (0, 1) @param site distinguishes the places of one model @returns as x */
export function dropout(graph: Graph, x: Value, keys: DropoutKeys, probability: number, site: number): Value {
  return graph.append(dropoutOp, [x, keys.random, keys.documentIndex, keys.positions], {
    probability,
    site,
  })[0];
}

export const dropoutOp: Op = {
  name: 'dropout',
  outputs: ([x, , , , sum]) => [{ shape: x.shape, inPlaceOf: sum ? 4 : undefined }],
  gradient(backward, { inputs: [x, ...keys], attributes }, [dy]) {
    if (dy) backward.emit(x, dropoutOp, [dy, ...keys], attributes);
  },
  dispatches({ inputs: [x, random, documentIndex, positions], outputs: [y], attributes }, settings) {
    return [
      {
        shader: 'dropout',
        constants: {
          T: x.shape[0],
          WIDTH: x.shape[1],
          SITE: attributes.site as number,
          P: { f32: attributes.probability as number },
          ACCUMULATE: attributes.accumulate === true,
        },
        bindings: {
          0: value(y),
          1: value(x),
          2: value(random),
          3: value(documentIndex),
          4: value(positions),
        },
        workgroups: flatGrid(elements(x), 64, settings),
      },
    ];
  },
  tensorflow(tf, [x], { inputs: [, random, documentIndex, positions], attributes }, host) {
    const [seed, step] = host(random);
    const key = {
      seed,
      step,
      site: attributes.site as number,
      probability: attributes.probability as number,
    };
    return [
      tf.mul(x, tf.tensor(dropoutMask(key, host(documentIndex), host(positions), x.shape[1]!), x.shape)),
    ];
  },
};
