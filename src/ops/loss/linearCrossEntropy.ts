/**
 * Output head and loss in one op: loss[t] = cross entropy of softmax(h[t] Wᵀ) against targets[t], 0 where the
 * target is negative; correct[t] = 1 where the target is the argmax (the first one of equal logits), else 0.
 * The rows are processed in chunks, so that logits of [T, vocabulary] never exist. In a training graph the
 * same sweep computes the gradient with respect to h, while a chunk's logits are there.
 */
import { rowSlice, type BufferReference, type Dispatch, type KernelSettings } from '../../gpu/dispatch.ts';
import type { Graph } from '../../graph/graph.ts';
import type { Op } from '../../graph/op.ts';
import type { Value } from '../../graph/value.ts';
import { scaleRowsOp } from '../elementwise/scaleRows.ts';
import { matmul } from '../matmul/matmul.ts';
import { rowGrid } from '../norm/rowGrid.ts';

/** Bytes of logits of one chunk, unless the smallest chunk takes more. */
const CHUNK_BYTES = 2 ** 27;
/** Rows of the smallest chunk: its slice of the loss then starts at a multiple of 256 bytes. */
const CHUNK_ROWS = 64;
/** The gradients of logits are at most 1, and most of them are probabilities of unlikely tokens. */
const LOGIT_GRADIENT_SCALE = 4096;
/** Invocations that share a row of logits, which is long. */
const WORKGROUP = 256;

interface LinearCrossEntropyInputs {
  h: Value;
  head: Value;
  targets: Value;
}

interface LinearCrossEntropyAttributes {
  /** Of the logits; 0: none. */
  softcap: number;
  /** Share of each label that is spread over the vocabulary (transformers' LabelSmoother); 0: none. */
  smoothing: number;
  /** Whether output 2 is the gradient with respect to h of each row's own loss. */
  gradient: boolean;
}

/**
 * @param h [T, H] @param head [V, H] @param targets [T] i32
 * @param settings softcap of the logits, and label smoothing; 0: none
 * @returns loss and correct, both [T]
 */
export function linearCrossEntropy(
  graph: Graph,
  h: Value,
  head: Value,
  targets: Value,
  { softcap = 0, smoothing = 0 }: { softcap?: number; smoothing?: number } = {},
): { loss: Value; correct: Value } {
  const attributes = { softcap, smoothing, gradient: graph.training };
  const [loss, correct] = graph.append(linearCrossEntropyOp, { h, head, targets }, attributes);
  return { loss, correct };
}

/** Rows of a chunk, a multiple of 64. */
function chunkRows(vocabulary: number, { maxBindingBytes, logitBytes }: KernelSettings): number {
  return Math.max(
    CHUNK_ROWS,
    Math.floor(Math.min(logitBytes ?? CHUNK_BYTES, maxBindingBytes) / (vocabulary * 4) / CHUNK_ROWS) *
      CHUNK_ROWS,
  );
}

export const linearCrossEntropyOp: Op<LinearCrossEntropyInputs, LinearCrossEntropyAttributes> = {
  name: 'linearCrossEntropy',
  outputs({ h, head }, { gradient }) {
    if (h.shape[1] !== head.shape[1])
      throw new Error(`linearCrossEntropy: hidden of ${h.shape[1]} for a head of [${head.shape}]`);
    const perToken = { shape: [h.shape[0]] };
    return gradient ? [perToken, perToken, { shape: h.shape }] : [perToken, perToken];
  },
  gradient(backward, { inputs: { h }, outputs: [, , dUnit] }, [dLoss]) {
    if (dLoss) backward.emit(h, scaleRowsOp, { x: dUnit, s: dLoss }, {});
  },
  dispatches({ inputs: { h, head, targets }, outputs: [loss, correct, dUnit], attributes }, settings) {
    const { softcap, smoothing, gradient } = attributes;
    const [tokens, width] = h.shape;
    const vocabulary = head.shape[0];
    const rows = Math.min(tokens, chunkRows(vocabulary, settings));
    const logits: BufferReference = { type: 'scratch', index: 0, bytes: rows * vocabulary * 4 };
    const dispatches: Dispatch[] = [];
    for (let first = 0; first < tokens; first += rows) {
      const count = Math.min(rows, tokens - first);
      dispatches.push(
        ...matmul(
          {
            m: count,
            n: vocabulary,
            k: width,
            a: { value: h, slice: rowSlice(h, first, count, width), rowStride: width, columnStride: 1 },
            b: { value: head, rowStride: 1, columnStride: width },
            c: { value: loss, slice: logits, rowStride: vocabulary },
          },
          settings,
          1,
        ),
        {
          shader: 'cross_entropy',
          constants: {
            ROWS: count,
            V: vocabulary,
            SOFTCAP: { f32: softcap },
            SMOOTHED: smoothing > 0,
            SMOOTHING: { f32: smoothing },
            GRADIENT: gradient,
            WORKGROUP: settings.target === 'gpu' ? WORKGROUP : 1,
          },
          bindings: {
            logits,
            loss: rowSlice(loss, first, count, 1),
            targets: rowSlice(targets, first, count, 1),
            correct: rowSlice(correct, first, count, 1),
          },
          workgroups: rowGrid(count, settings),
        },
      );
      if (!dUnit) continue;
      dispatches.push(
        ...matmul(
          {
            m: count,
            n: width,
            k: vocabulary,
            a: { value: loss, slice: logits, rowStride: vocabulary, columnStride: 1 },
            b: { value: head, rowStride: width, columnStride: 1 },
            c: { value: dUnit, slice: rowSlice(dUnit, first, count, width), rowStride: width },
            scaleA: LOGIT_GRADIENT_SCALE,
          },
          settings,
          1,
        ),
      );
    }
    return dispatches;
  },
  tensorflow(tf, { h, head, targets }, { attributes: { softcap, smoothing } }) {
    let logits = tf.matMul(h, head, false, true);
    if (softcap > 0) logits = tf.mul(tf.tanh(tf.div(logits, softcap)), softcap);
    const picked = tf.sum(
      tf.mul(logits, tf.oneHot(tf.cast(tf.maximum(targets, 0), 'int32'), head.shape[0])),
      1,
    );
    const total = tf.logSumExp(logits, 1);
    const label =
      smoothing > 0 ? tf.add(tf.mul(picked, 1 - smoothing), tf.mul(tf.mean(logits, 1), smoothing)) : picked;
    const correct = tf.cast(tf.equal(tf.argMax(logits, 1), tf.cast(targets, 'int32')), 'float32');
    return [tf.mul(tf.sub(total, label), tf.cast(tf.greaterEqual(targets, 0), 'float32')), correct];
  },
};
