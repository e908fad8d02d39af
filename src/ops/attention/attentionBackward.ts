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
import { isNodeOf, type Node, type Op } from '../../graph/op.ts';
import type { Value } from '../../graph/value.ts';
import { numberedBindings, numberedConstants } from '../numbered.ts';
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

interface DqInputs extends BackwardInputs {
  documentStart: Value;
}

/** @param statsOf o and lse, where the kernel makes `stats` */
function dqDispatches(
  { q, k, v, dO, stats, documentStart }: DqInputs,
  dq: Value,
  attributes: AttentionAttributes,
  settings: KernelSettings,
  statsOf?: Pick<DeltaInputs, 'o' | 'lse'>,
): Dispatch[] {
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
  const ofStats: Dispatch['bindings'] = statsOf ? { o: value(statsOf.o), lse: value(statsOf.lse) } : {};
  return [
    {
      shader: variant.name === 'matrix' ? 'attention_dq_subgroup_matrix' : 'attention_dq_tiled',
      constants: { ...constants, MAKES_STATS: statsOf !== undefined },
      bindings: { ...bindings, ...ofStats },
      workgroups: [Math.ceil(tokens / variant.blockRows), attributes.heads, 1],
    },
  ];
}

export const attentionDqOp: Op<DqInputs, AttentionAttributes> = {
  name: 'attentionDq',
  outputs: ({ q }) => [{ shape: q.shape }],
  dispatches: ({ inputs, outputs: [dq], attributes }, settings) =>
    dqDispatches(inputs, dq, attributes, settings),
  fuse(previous, node, settings) {
    const { stats, ...inputs } = node.inputs;
    if (!isNodeOf(previous, attentionDeltaOp) || previous.outputs[0] !== stats) return null;
    if (previous.inputs.dO !== inputs.dO || settings.maxStorageBuffers < DELTA_DQ_BUFFERS) return null;
    if (attentionVariant('dq', inputs.q.shape[0], node.attributes, settings).name === 'serial') return null;
    const { o, lse } = previous.inputs;
    const fused: Node<Omit<DqInputs, 'stats'> & DeltaInputs, AttentionAttributes> = {
      ...node,
      op: attentionDeltaDqOp,
      inputs: { ...inputs, o, lse },
      outputs: [stats, ...node.outputs],
      inPlaceOf: [undefined, undefined],
    };
    return fused;
  },
};

/** Storage buffers of the kernel that makes stats and dq. */
const DELTA_DQ_BUFFERS = 9;

/** Outputs: the stats of attentionDeltaOp, and dq. Only plans contain it. */
const attentionDeltaDqOp: Op<Omit<DqInputs, 'stats'> & DeltaInputs, AttentionAttributes> = {
  name: 'attentionDeltaDq',
  outputs() {
    throw new Error('attentionDeltaDq is fused from attentionDelta and attentionDq');
  },
  dispatches({ inputs: { o, lse, ...inputs }, outputs: [stats, dq], attributes }, settings) {
    return dqDispatches({ ...inputs, stats }, dq, attributes, settings, { o, lse });
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
const ENOUGH_WORKGROUPS = 512;

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
  // The partial sums of dk and of dv lie in one binding, where either begins at a multiple of 256 bytes.
  const splits = Array.from({ length: group }, (_, i) => i + 1).filter((count) => {
    const bytes = count * tokens * width * 4;
    return group % count === 0 && bytes % 256 === 0 && 2 * bytes <= settings.maxBindingBytes;
  });
  const split = splits.find((count) => blocks * keyHeads * count >= ENOUGH_WORKGROUPS) ?? splits.at(-1) ?? 1;
  // The partial sums of dk, and after them those of dv.
  const sizeBytes = split * tokens * width * 4;
  const partials = { type: 'scratch' as const, index: 0, bytes: 2 * sizeBytes };
  const halves = gradients.map((_, i) => ({ ...partials, offsetBytes: i * sizeBytes, sizeBytes }));
  const targets = split > 1 ? halves : gradients.map(value);
  const partial: Dispatch = {
    ...dispatch(targets, split),
    workgroups: [blocks, keyHeads, split],
  };
  if (split === 1) return [partial];
  const sum: Dispatch = {
    shader: 'split_k_reduce_vec4',
    constants: {
      M: tokens,
      ALPHA: { f32: 1 },
      ACCUMULATE: false,
      SPLIT_K: split,
      PROBLEMS: gradients.length,
      ...numberedConstants({ SIZE: gradients.map(() => width), FIRST: gradients.map((_, i) => i * width) }),
    },
    bindings: { ...numberedBindings('c', gradients), partial: partials },
    workgroups: flatGrid((gradients.length * tokens * width) / 4, 64, settings),
  };
  return [partial, sum];
}
