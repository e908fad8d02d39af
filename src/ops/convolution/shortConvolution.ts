/**
 * Short causal depthwise convolution over the tokens of each document, as LFM2 has it (modeling_lfm2.py,
 * Lfm2ShortConv): y[t, c] = Σ_k w[c, k] · x[t − (K − 1) + k, c] over the taps that lie in t's own document.
 * It starts again at every document of a packed batch. The gradient is the same sum the other way round:
 * dx[t, c] = Σ_k w[c, k] · dy[t + (K − 1) − k, c].
 */
import { flatGrid, value } from '../../gpu/dispatch.ts';
import type { Graph } from '../../graph/graph.ts';
import type { AccumulatingOp, Accumulator, NoAttributes, Op } from '../../graph/op.ts';
import { elements, type Value } from '../../graph/value.ts';
import { weightBindings, weightKind } from '../weights/weightBindings.ts';

/** First token and one past the last token of each token's document, [T] u32. */
interface Documents {
  start: Value;
  end: Value;
}

/** @param x [T, C] @param weight [C, 1, K], as torch's Conv1d stores it @returns [T, C] */
export function shortConvolution(graph: Graph, x: Value, weight: Value, { start, end }: Documents): Value {
  return graph.append(shortConvolutionOp, { x, weight, start, end }, { transposed: false })[0];
}

interface ShortConvolutionInputs extends Documents, Accumulator {
  /** [T, C]; dy where `transposed`. */
  x: Value;
  /** [C, 1, K] */
  weight: Value;
}

interface ShortConvolutionAttributes {
  /** Sums over the tokens after t: the gradient. */
  transposed: boolean;
}

export const shortConvolutionOp: AccumulatingOp<ShortConvolutionInputs, ShortConvolutionAttributes> = {
  name: 'shortConvolution',
  accumulates: true,
  outputs({ x, weight, sum }) {
    if (weight.shape.length !== 3 || weight.shape[0] !== x.shape[1] || weight.shape[1] !== 1)
      throw new Error(`shortConvolution: taps [${weight.shape}] do not fit [${x.shape}]`);
    return [{ shape: x.shape, inPlaceOf: sum }];
  },
  gradient(backward, { inputs: { x, weight, start, end }, attributes }, [dy]) {
    const transposed = !attributes.transposed;
    if (dy) backward.emit(x, shortConvolutionOp, { x: dy, weight, start, end }, { transposed });
  },
  dispatches({ inputs: { x, weight, start, end, sum }, outputs: [y], attributes: { transposed } }, settings) {
    return [
      {
        shader: 'short_convolution',
        constants: {
          T: x.shape[0],
          C: x.shape[1],
          TAPS: weight.shape[2],
          TRANSPOSED: transposed,
          ACCUMULATE: sum !== undefined,
          WEIGHT_KIND: weightKind(weight),
        },
        bindings: {
          y: value(y),
          x: value(x),
          border: value(transposed ? end : start),
          ...weightBindings(weight),
        },
        workgroups: flatGrid(elements(y), 64, settings),
      },
    ];
  },
  tensorflow(tf, { x, weight }, { inputs: { start }, attributes }, host) {
    if (attributes.transposed) throw new Error('shortConvolution: only the forward sum has a definition');
    const [tokens, channels] = x.shape as [number, number];
    const taps = weight.shape[2]!;
    const first = host(start);
    const columns = tf.unstack(tf.reshape(weight, [channels, taps]), 1);
    const sums = columns.map((column, k) => {
      const back = taps - 1 - k;
      const mask = Float32Array.from(first, (begin, t) => (t - back >= begin ? 1 : 0));
      const rows = Math.max(0, tokens - back);
      const shifted = tf.pad(tf.slice(x, [0, 0], [rows, channels]), [
        [tokens - rows, 0],
        [0, 0],
      ]);
      return tf.mul(tf.mul(shifted, tf.tensor2d(mask, [tokens, 1])), column);
    });
    return [tf.addN(sums)];
  },
};

/**
 * Keeps the last K inputs of each document for decoding: state[slots[t], p mod K] = x[t] for the position p
 * of each of them. @param state [S, K, C] @param slots, positions [T] u32; a slot of S or more drops the
 * token
 */
export function shortConvolutionWrite(
  graph: Graph,
  state: Value,
  x: Value,
  { slots, positions, end }: { slots: Value; positions: Value; end: Value },
): void {
  graph.appendInto([state], shortConvolutionWriteOp, { x, slots, positions, end }, {});
}

interface ShortConvolutionWriteInputs {
  /** [T, C] */
  x: Value;
  /** [T] u32 each. */
  slots: Value;
  positions: Value;
  end: Value;
}

const shortConvolutionWriteOp: Op<ShortConvolutionWriteInputs, NoAttributes> = {
  name: 'shortConvolutionWrite',
  outputs() {
    throw new Error('shortConvolutionWrite writes to state only');
  },
  dispatches({ inputs: { x, slots, positions, end }, outputs: [state] }, settings) {
    return [
      {
        shader: 'short_convolution_write',
        constants: { T: x.shape[0], C: x.shape[1], SLOTS: state.shape[0], TAPS: state.shape[1] },
        bindings: {
          state: value(state),
          x: value(x),
          slots: value(slots),
          positions: value(positions),
          document_end: value(end),
        },
        workgroups: flatGrid(elements(x), 64, settings),
      },
    ];
  },
};

/**
 * One more token a slot: writes x into the state and sums the taps over it. Doing a position twice changes
 * nothing, since an input lies at its position mod K. @param x [S, C] @param state [S, K, C] @param positions
 * [S] u32 @returns [S, C]
 */
export function shortConvolutionDecode(
  graph: Graph,
  x: Value,
  weight: Value,
  state: Value,
  positions: Value,
): Value {
  const y = graph.value('activation', `shortConvolutionDecode.${graph.nodes.length}`, x.shape);
  graph.appendInto([y, state], shortConvolutionDecodeOp, { x, weight, positions }, {});
  return y;
}

interface ShortConvolutionDecodeInputs {
  /** [S, C] */
  x: Value;
  /** [C, 1, K] */
  weight: Value;
  /** [S] u32 */
  positions: Value;
}

const shortConvolutionDecodeOp: Op<ShortConvolutionDecodeInputs, NoAttributes> = {
  name: 'shortConvolutionDecode',
  outputs() {
    throw new Error('shortConvolutionDecode writes to its state');
  },
  dispatches({ inputs: { x, weight, positions }, outputs: [y, state] }, settings) {
    return [
      {
        shader: 'short_convolution_decode',
        constants: {
          SLOTS: state.shape[0],
          C: x.shape[1],
          TAPS: state.shape[1],
          WEIGHT_KIND: weightKind(weight),
        },
        bindings: {
          y: value(y),
          state: value(state),
          x: value(x),
          positions: value(positions),
          ...weightBindings(weight),
        },
        workgroups: flatGrid(elements(x), 64, settings),
      },
    ];
  },
};
