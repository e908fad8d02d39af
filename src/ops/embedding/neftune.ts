/**
 * NEFTune (arXiv:2310.05914): uniform noise of ±alpha / √(L · width) on the embeddings while training, L
 * being the length of the token's document. Keyed as dropout is, so that neither packing nor recomputation
 * changes it.
 */
import { flatGrid, value } from '../../gpu/dispatch.ts';
import type { Graph } from '../../graph/graph.ts';
import type { Op } from '../../graph/op.ts';
import { elements, type Value } from '../../graph/value.ts';
import { randomKey, randomUnit, tokenKey } from '../../lib/counterRandom.ts';
import type { DropoutKeys } from '../elementwise/dropout.ts';

interface NeftuneInputs extends DropoutKeys {
  /** [T, width] */
  x: Value;
  /** Where each token's document begins and ends, [T] u32. */
  start: Value;
  end: Value;
}

/** No place that has dropout has this number. */
const SITE = 0x4e454654;

/** @returns as x */
export function neftune(graph: Graph, inputs: NeftuneInputs, alpha: number): Value {
  return graph.append(neftuneOp, inputs, { alpha })[0];
}

/** Nothing flows back: embeddings are frozen. */
export const neftuneOp: Op<NeftuneInputs, { alpha: number }> = {
  name: 'neftune',
  outputs: ({ x }) => [{ shape: x.shape }],
  dispatches(
    { inputs: { x, random, documentIndex, positions, start, end }, outputs: [y], attributes: { alpha } },
    settings,
  ) {
    return [
      {
        shader: 'neftune',
        constants: { T: x.shape[0], WIDTH: x.shape[1], SITE, NOISE: { f32: alpha } },
        bindings: {
          y: value(y),
          x: value(x),
          random: value(random),
          document_index: value(documentIndex),
          positions: value(positions),
          document_start: value(start),
          document_end: value(end),
        },
        workgroups: flatGrid(elements(x), 64, settings),
      },
    ];
  },
  tensorflow(tf, { x }, { inputs, attributes: { alpha } }, host) {
    const [tokens, width] = x.shape as [number, number];
    const [documentIndex, positions, start, end] = [
      inputs.documentIndex,
      inputs.positions,
      inputs.start,
      inputs.end,
    ].map((input) => host(input));
    const [seed, step] = host(inputs.random);
    const noise = new Float32Array(tokens * width);
    for (let t = 0; t < tokens; t++) {
      const key = tokenKey({ seed, step, site: SITE }, documentIndex[t], positions[t]);
      const size = alpha / Math.sqrt((end[t] - start[t]) * width);
      for (let i = 0; i < width; i++) noise[t * width + i] = (2 * randomUnit(randomKey(key, i)) - 1) * size;
    }
    return [tf.add(x, tf.tensor(noise, x.shape))];
  },
};
