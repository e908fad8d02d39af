/**
 * The gradients of attention in the style of FlashAttention-2 (arXiv:2307.08691): scores are recomputed from
 * q, k and the log-sum-exp of the forward pass. One kernel computes Σ o·do of each query, one dq, and one dk
 * and dv.
 */
import {
  flatGrid,
  value,
  type BufferReference,
  type Dispatch,
  type KernelSettings,
} from '../../gpu/dispatch.ts';
import type { Op } from '../../graph/op.ts';
import type { Value } from '../../graph/value.ts';
import { attentionConstants, attentionVariant, type AttentionAttributes } from './attentionVariants.ts';

interface DeltaInputs {
  /** [T, heads · d] each. */
  o: Value;
  dO: Value;
  /** [T, heads] */
  lse: Value;
}

/** The pair (lse, Σ o·do) of each query and head: [T, heads, 2]. */
export const attentionDeltaOp: Op<DeltaInputs, AttentionAttributes> = {
  name: 'attentionDelta',
  outputs: ({ lse }) => [{ shape: [...lse.shape, 2] }],
  dispatches({ inputs: { o, dO, lse }, outputs: [stats], attributes }, settings) {
    const { HEADS, D, VECTOR_WIDTH } = attentionConstants(attributes);
    return [
      {
        shader: 'attention_delta',
        constants: { T: o.shape[0], HEADS, D, VECTOR_WIDTH },
        bindings: { stats: value(stats), o: value(o), d_o: value(dO), lse: value(lse) },
        workgroups: flatGrid(o.shape[0] * HEADS, 64, settings),
      },
    ];
  },
};

interface BackwardInputs {
  q: Value;
  k: Value;
  v: Value;
  dO: Value;
  /** Of attentionDeltaOp. */
  stats: Value;
}

export const attentionDqOp: Op<BackwardInputs & { documentStart: Value }, AttentionAttributes> = {
  name: 'attentionDq',
  outputs: ({ q }) => [{ shape: q.shape }],
  dispatches({ inputs: { q, k, v, dO, stats, documentStart }, outputs: [dq], attributes }, settings) {
    const tokens = q.shape[0];
    const variant = attentionVariant('dq', tokens, attributes, settings);
    const { constants } = variant;
    const bindings = {
      dq: value(dq),
      q: value(q),
      k: value(k),
      v: value(v),
      d_o: value(dO),
      stats: value(stats),
      document_start: value(documentStart),
    };
    if (variant.name === 'serial') {
      const workgroups = flatGrid(tokens * attributes.heads, 64, settings);
      return [{ shader: 'attention_dq_serial', constants, bindings, workgroups }];
    }
    return [
      {
        shader: variant.name === 'matrix' ? 'attention_dq_subgroup_matrix' : 'attention_dq_tiled',
        constants,
        bindings,
        workgroups: [Math.ceil(tokens / variant.blockRows), attributes.heads, 1],
      },
    ];
  },
};

export const attentionDkvOp: Op<BackwardInputs & { documentEnd: Value }, AttentionAttributes> = {
  name: 'attentionDkv',
  outputs: ({ k, v }) => [{ shape: k.shape }, { shape: v.shape }],
  dispatches({ inputs: { q, k, v, dO, stats, documentEnd }, outputs: [dk, dv], attributes }, settings) {
    const tokens = q.shape[0];
    const variant = attentionVariant('dkv', tokens, attributes, settings);
    const { constants } = variant;
    const inputs = {
      q: value(q),
      k: value(k),
      v: value(v),
      d_o: value(dO),
      stats: value(stats),
      document_end: value(documentEnd),
    };
    if (variant.name === 'serial') {
      const bindings = { dk: value(dk), dv: value(dv), ...inputs };
      const workgroups = flatGrid(tokens * attributes.keyHeads, 64, settings);
      return [{ shader: 'attention_dkv_serial', constants, bindings, workgroups }];
    }
    const shader = variant.name === 'matrix' ? 'attention_dkv_subgroup_matrix' : 'attention_dkv_tiled';
    return splitOverHeads([dk, dv], attributes, variant.blockRows, settings, (targets, split) => ({
      shader,
      constants: { ...constants, SPLIT_HEADS: split },
      bindings: { dk: targets[0], dv: targets[1], ...inputs },
    }));
  },
};

/** Workgroups below which the query heads that share a key head are spread over several workgroups. */
const ENOUGH_WORKGROUPS = 1024;

/**
 * Where there are few key heads and tokens, each workgroup sums over only some of the query heads that share
 * a key head. The partial sums go to scratch, and a second kernel adds them up in order, so that results
 * repeat.
 * @param gradients dk and dv, [T, keyHeads · d]
 */
function splitOverHeads(
  gradients: readonly Value[],
  { heads, keyHeads, headDim }: AttentionAttributes,
  blockRows: number,
  settings: KernelSettings,
  dispatch: (targets: BufferReference[], split: number) => Omit<Dispatch, 'workgroups'>,
): Dispatch[] {
  const tokens = gradients[0].shape[0];
  const group = heads / keyHeads;
  const blocks = Math.ceil(tokens / blockRows);
  const width = keyHeads * headDim;
  const splits = Array.from({ length: group }, (_, i) => i + 1).filter(
    (count) => group % count === 0 && count * tokens * width * 4 <= settings.maxBindingBytes,
  );
  const split = splits.find((count) => blocks * keyHeads * count >= ENOUGH_WORKGROUPS) ?? splits.at(-1) ?? 1;
  const scratch = (index: number): BufferReference => ({
    type: 'scratch',
    index,
    bytes: split * tokens * width * 4,
  });
  const targets = split > 1 ? [scratch(0), scratch(1)] : gradients.map(value);
  const workgroups = [blocks, keyHeads, split] as const;
  const partial: Dispatch = { ...dispatch(targets, split), workgroups };
  if (split === 1) return [partial];
  const sums = gradients.map((gradient, i): Dispatch => ({
    shader: 'split_k_reduce',
    constants: {
      M: tokens,
      N: width,
      C_OFFSET: 0,
      C_ROW: width,
      ALPHA: { f32: 1 },
      ACCUMULATE: false,
      SPLIT_K: split,
    },
    bindings: { c: value(gradient), partial: targets[i] },
    workgroups: flatGrid(tokens * width, 64, settings),
  }));
  return [partial, ...sums];
}
