/** Causal grouped-query attention within documents, with optional sliding window and softcap; forward and backward in flash style. */
import {
  flatGrid,
  value,
  type BufferReference,
  type Dispatch,
  type KernelSettings,
} from '../../gpu/dispatch.ts';
import type { Attributes, Graph, Node, Op, Value } from '../../graph/graph.ts';

export interface AttentionSettings {
  heads: number;
  keyHeads: number;
  headDim: number;
  /** Multiplies q·k: 1/√headDim in most families. */
  scale: number;
  /** Keys a query sees, itself included; 0: all of its document. */
  window?: number;
  /** score = cap · tanh(score / cap); 0: none. */
  softcap?: number;
}

/** @param q [T, heads · d] @param k, v [T, keyHeads · d] @param documents documentStart and documentEnd, [T] u32 each @returns [T, heads · d] */
export function attention(
  graph: Graph,
  q: Value,
  k: Value,
  v: Value,
  documents: { start: Value; end: Value },
  settings: AttentionSettings,
): Value {
  return graph.append(attentionOp, [q, k, v, documents.start, documents.end], {
    window: 0,
    softcap: 0,
    ...settings,
  })[0];
}

/** Constants that all attention kernels share. */
export function attentionConstants(attributes: Attributes) {
  const a = attributes as unknown as Required<AttentionSettings>;
  if (a.heads % a.keyHeads !== 0)
    throw new Error(`attention: ${a.heads} heads do not share ${a.keyHeads} key heads evenly`);
  return {
    HEADS: a.heads,
    GROUP_SIZE: a.heads / a.keyHeads,
    D: a.headDim,
    SCALE: { f32: a.scale },
    WINDOW: a.window,
    SOFTCAP: { f32: a.softcap },
    VECTOR_WIDTH: a.headDim % 4 === 0 ? 4 : 2,
  };
}

export const attentionOp: Op = {
  name: 'attention',
  outputs: ([q], attributes) => [{ shape: q.shape }, { shape: [q.shape[0], attributes.heads as number] }],
  gradient(backward, { inputs: [q, k, v, start, end], outputs: [o, lse], attributes }, [dO]) {
    if (!dO) return;
    const stats = backward.graph.append(attentionDeltaOp, [o, dO, lse], attributes)[0];
    backward.emitAll([q], attentionDqOp, [q, k, v, dO, stats, start], attributes);
    backward.emitAll([k, v], attentionDkvOp, [q, k, v, dO, stats, end], attributes);
  },
  dispatches({ inputs: [q, k, v, start], outputs: [o, lse], attributes }, settings) {
    const tokens = q.shape[0];
    const constants = { T: tokens, ...attentionConstants(attributes) };
    if (onMatrixUnits(settings, constants, 1))
      return [
        {
          shader: 'attention_subgroup_matrix',
          constants: matrixConstants(constants),
          bindings: { 0: value(o), 1: value(lse), 2: value(q), 3: value(k), 4: value(v), 5: value(start) },
          workgroups: [Math.ceil(tokens / 64), constants.HEADS, 1],
        },
      ];
    const block = blockRows(
      settings,
      constants.D,
      (rows, head) => 16 * ((rows + COLUMNS) * head + rows * SLOTS) + 8 * rows,
    );
    if (block > 0)
      return [
        {
          shader: 'attention_tiled',
          constants: tiledConstants(constants, block),
          bindings: { 0: value(o), 1: value(lse), 2: value(q), 3: value(k), 4: value(v), 5: value(start) },
          workgroups: [Math.ceil(tokens / block), constants.HEADS, 1],
        },
      ];
    return [
      {
        shader: 'attention_serial',
        constants,
        bindings: { 0: value(o), 1: value(lse), 2: value(q), 3: value(k), 4: value(v), 5: value(start) },
        workgroups: flatGrid(tokens * constants.HEADS, 64, settings),
      },
    ];
  },
  tensorflow(tf, [q, k, v, start], { attributes }: Node) {
    const {
      HEADS: heads,
      GROUP_SIZE: group,
      D: dim,
      SCALE,
      WINDOW: window,
      SOFTCAP,
    } = attentionConstants(attributes);
    const tokens = q.shape[0]!;
    const perHead = (x: typeof q, count: number) =>
      tf.transpose(tf.reshape(x, [tokens, count, dim]), [1, 0, 2]);
    const shared = (x: typeof q) => {
      const keyHeads = perHead(x, heads / group);
      return group === 1
        ? keyHeads
        : tf.reshape(tf.tile(tf.expandDims(keyHeads, 1), [1, group, 1, 1]), [heads, tokens, dim]);
    };
    let scores = tf.mul(tf.matMul(perHead(q, heads), shared(k), false, true), SCALE.f32);
    if (SOFTCAP.f32 > 0) scores = tf.mul(tf.tanh(tf.div(scores, SOFTCAP.f32)), SOFTCAP.f32);
    const query = tf.expandDims(tf.range(0, tokens), 1);
    const key = tf.expandDims(tf.range(0, tokens), 0);
    let seen = tf.logicalAnd(
      tf.lessEqual(key, query),
      tf.greaterEqual(key, tf.expandDims(tf.cast(start, 'float32'), 1)),
    );
    if (window > 0) seen = tf.logicalAnd(seen, tf.greater(key, tf.sub(query, window)));
    const masked = tf.add(scores, tf.expandDims(tf.mul(tf.sub(tf.cast(seen, 'float32'), 1), 1e9), 0));
    const o = tf.reshape(tf.transpose(tf.matMul(tf.softmax(masked), shared(v)), [1, 0, 2]), q.shape);
    return [o, tf.transpose(tf.logSumExp(masked, 2))];
  },
};

/** (lse, Σ o·do) a query and head: [T, heads, 2]. Inputs: o, do, lse. */
export const attentionDeltaOp: Op = {
  name: 'attentionDelta',
  outputs: ([, , lse]) => [{ shape: [...lse.shape, 2] }],
  dispatches({ inputs: [o, dO, lse], outputs: [stats], attributes }, settings) {
    const { HEADS, D, VECTOR_WIDTH } = attentionConstants(attributes);
    return [
      {
        shader: 'attention_delta',
        constants: { T: o.shape[0], HEADS, D, VECTOR_WIDTH },
        bindings: { 0: value(stats), 1: value(o), 2: value(dO), 3: value(lse) },
        workgroups: flatGrid(o.shape[0] * HEADS, 64, settings),
      },
    ];
  },
};

export const attentionDqOp: Op = {
  name: 'attentionDq',
  outputs: ([q]) => [{ shape: q.shape }],
  dispatches({ inputs: [q, k, v, dO, stats, start], outputs: [dq], attributes }, settings) {
    const constants = { T: q.shape[0], ...attentionConstants(attributes) };
    if (onMatrixUnits(settings, constants, 2))
      return [
        {
          shader: 'attention_dq_subgroup_matrix',
          constants: matrixConstants(constants),
          bindings: {
            0: value(dq),
            1: value(q),
            2: value(k),
            3: value(v),
            4: value(dO),
            5: value(stats),
            6: value(start),
          },
          workgroups: [Math.ceil(constants.T / 64), constants.HEADS, 1],
        },
      ];
    const block = blockRows(
      settings,
      constants.D,
      (rows, head) => 16 * (2 * (rows + COLUMNS) * head + rows * SLOTS) + 12 * rows,
    );
    if (block > 0)
      return [
        {
          shader: 'attention_dq_tiled',
          constants: tiledConstants(constants, block),
          bindings: {
            0: value(dq),
            1: value(q),
            2: value(k),
            3: value(v),
            4: value(dO),
            5: value(stats),
            6: value(start),
          },
          workgroups: [Math.ceil(constants.T / block), constants.HEADS, 1],
        },
      ];
    return [
      {
        shader: 'attention_dq_serial',
        constants,
        bindings: {
          0: value(dq),
          1: value(q),
          2: value(k),
          3: value(v),
          4: value(dO),
          5: value(stats),
          6: value(start),
        },
        workgroups: flatGrid(q.shape[0] * constants.HEADS, 64, settings),
      },
    ];
  },
};

export const attentionDkvOp: Op = {
  name: 'attentionDkv',
  outputs: ([, k, v]) => [{ shape: k.shape }, { shape: v.shape }],
  dispatches({ inputs: [q, k, v, dO, stats, end], outputs: [dk, dv], attributes }, settings) {
    const constants = { T: q.shape[0], ...attentionConstants(attributes) };
    const block = blockRows(
      settings,
      constants.D,
      (rows, head) => 16 * (2 * (rows + COLUMNS) * head + 2 * rows * SLOTS) + 4 * rows + 8 * COLUMNS,
    );
    if (onMatrixUnits(settings, constants, 3))
      return slicedDkv(
        'attention_dkv_subgroup_matrix',
        matrixConstants(constants),
        { q, k, v, dO, stats, end, dk, dv },
        constants,
        64,
        settings,
      );
    if (block > 0)
      return slicedDkv(
        'attention_dkv_tiled',
        tiledConstants(constants, block),
        { q, k, v, dO, stats, end, dk, dv },
        constants,
        block,
        settings,
      );
    return [
      {
        shader: 'attention_dkv_serial',
        constants,
        bindings: {
          0: value(dk),
          1: value(dv),
          2: value(q),
          3: value(k),
          4: value(v),
          5: value(dO),
          6: value(stats),
          7: value(end),
        },
        workgroups: flatGrid((q.shape[0] * constants.HEADS) / constants.GROUP_SIZE, 64, settings),
      },
    ];
  },
};

/** Columns of a block of scores, and the vec4 that a row of them takes in workgroup memory, padding included. */
const COLUMNS = 32;
const SLOTS = 9;
/** Rows of a block: more were slower where they were tried. */
const MOST_ROWS = 32;
/** Workgroups below which the heads that share a key head are spread over slices. */
const ENOUGH_WORKGROUPS = 1024;

/**
 * Rows of a block of the tiled kernels: the most, up to MOST_ROWS, whose tiles fit the adapter's workgroup memory. 0: the adapter does better without
 * barriers, or a head does not fit. @param bytes of the tiles, given the rows and the vec4 of a padded head
 */
function blockRows(
  settings: KernelSettings,
  dim: number,
  bytes: (rows: number, head: number) => number,
): number {
  if (settings.target === 'cpu' || dim % 4 !== 0) return 0;
  for (let rows = MOST_ROWS; rows >= 8; rows /= 2)
    if (bytes(rows, (dim / 4) | 1) <= settings.workgroupBytes) return rows;
  return 0;
}

/** @param block rows of a block */
function tiledConstants(
  { VECTOR_WIDTH: _, ...constants }: ReturnType<typeof attentionConstants> & { T: number },
  block: number,
) {
  const across = Math.min(block, 16);
  const vectors = constants.D / 4;
  const threads = 8 * across;
  return {
    ...constants,
    BLOCK: block,
    ACROSS: across,
    THREADS: threads,
    ROWS_PER_THREAD: block / across,
    VECTORS_PER_THREAD: Math.ceil(vectors / 8),
    LOADS: Math.ceil((COLUMNS * vectors) / threads),
  };
}

/** Bytes of workgroup memory of the kernels on matrix units: 64 rows of a head in float16, scores (twice going back), and one or two float16 tiles of them. */
function onMatrixUnits(
  settings: KernelSettings,
  { T, D }: { T: number; D: number },
  kernel: 1 | 2 | 3,
): boolean {
  if (settings.level !== 'matrix' || T % 16 !== 0 || D % 16 !== 0 || D > 128) return false;
  const tiles = kernel === 3 ? 2 : 1;
  return (
    64 * ((D + 8) * 2 + (kernel === 1 ? 1 : 2) * 36 * 4 + tiles * 40 * 2 + 12) <= settings.workgroupBytes
  );
}

function matrixConstants({
  VECTOR_WIDTH: _,
  ...constants
}: ReturnType<typeof attentionConstants> & { T: number }) {
  return { ...constants, FD: constants.D / 16 };
}

/** Where there are few key heads and tokens, slices of the heads make sums of their own, which are added up in order. */
function slicedDkv(
  shader: string,
  shape: Dispatch['constants'],
  { q, k, v, dO, stats, end, dk, dv }: Record<'q' | 'k' | 'v' | 'dO' | 'stats' | 'end' | 'dk' | 'dv', Value>,
  { T, HEADS, GROUP_SIZE, D }: ReturnType<typeof attentionConstants> & { T: number },
  block: number,
  settings: KernelSettings,
): Dispatch[] {
  const blocks = Math.ceil(T / block);
  const keyHeads = HEADS / GROUP_SIZE;
  const width = keyHeads * D;
  const splits = Array.from({ length: GROUP_SIZE }, (_, i) => i + 1).filter(
    (count) => GROUP_SIZE % count === 0 && count * T * width * 4 <= settings.maxBindingBytes,
  );
  const split = splits.find((count) => blocks * keyHeads * count >= ENOUGH_WORKGROUPS) ?? splits.at(-1) ?? 1;
  const scratch = (index: number): BufferReference => ({
    type: 'scratch',
    index,
    bytes: split * T * width * 4,
  });
  const targets = split > 1 ? [scratch(0), scratch(1)] : [value(dk), value(dv)];
  const dispatches: Dispatch[] = [
    {
      shader,
      constants: { ...shape, SPLIT_HEADS: split },
      bindings: {
        0: targets[0],
        1: targets[1],
        2: value(q),
        3: value(k),
        4: value(v),
        5: value(dO),
        6: value(stats),
        7: value(end),
      },
      workgroups: [blocks, keyHeads, split],
    },
  ];
  if (split > 1)
    [dk, dv].forEach((gradient, i) =>
      dispatches.push({
        shader: 'split_k_reduce',
        constants: {
          M: T,
          N: width,
          C_OFFSET: 0,
          C_ROW: width,
          ALPHA: { f32: 1 },
          ACCUMULATE: false,
          SPLIT_K: split,
        },
        bindings: { 0: value(gradient), 1: targets[i] },
        workgroups: flatGrid(T * width, 64, settings),
      }),
    );
  return dispatches;
}
