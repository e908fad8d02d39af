/**
 * The gated delta rule (arXiv:2412.06464), the linear attention of Qwen3.5: a state S [dk, dv] a value head
 * is kept from token to token within a document, which begins with zero.
 *
 *   S ← exp(g) S;  S ← S + β k (v − Sᵀk)ᵀ;  o = Sᵀq
 *
 * On a CPU adapter the forward pass goes through the tokens one after the other, each column of S on its own,
 * and the gradient G of S goes the same way in reverse. On a GPU both go from chunk to chunk
 * (chunkedDeltaRule.ts). What sums over columns (the gradients of q and k) is computed
 * from both by chunks of tokens: within a chunk S = (what the chunk began with) + Σ decay · k uᵀ with
 * u = β (v − Sᵀk), so that no S but that at each chunk's beginning is stored. The decay's gradient needs no
 * S either: G·S changes from a token to the one before by do·o − dv·v.
 */
import { flatGrid, value, type BufferReference, type Dispatch } from '../../gpu/dispatch.ts';
import type { Graph } from '../../graph/graph.ts';
import type { Op } from '../../graph/op.ts';
import type { Value } from '../../graph/value.ts';
import { chunkedForward, chunkedReverse, runsInChunks } from './chunkedDeltaRule.ts';
import {
  CHUNK,
  checkDeltaShapes,
  deltaConstants,
  stateElements,
  stateShape,
  type DeltaHeads,
  type GatedDeltaAttributes,
  type GatedDeltaInputs,
} from './deltaOperands.ts';
import { flatKernels, scratch } from './deltaDispatches.ts';
import { deltaRuleInTensorflow } from './deltaRuleInTensorflow.ts';

/** @returns [T, valueHeads · valueDim] */
export function gatedDeltaRule(graph: Graph, inputs: GatedDeltaInputs, heads: DeltaHeads): Value {
  return graph.append(gatedDeltaRuleOp, inputs, { ...heads, keeps: graph.training })[0];
}

/**
 * Outputs: o [T, valueHeads · valueDim]; where `keeps`, also the errors v − Sᵀk, as o, and S at the beginning
 * of each chunk.
 */
export const gatedDeltaRuleOp: Op<GatedDeltaInputs, GatedDeltaAttributes> = {
  name: 'gatedDeltaRule',
  outputs(inputs, attributes) {
    checkDeltaShapes(inputs, attributes);
    const { shape } = inputs.v;
    return [{ shape }, ...(attributes.keeps ? [{ shape }, { shape: stateShape(attributes, shape[0]) }] : [])];
  },
  gradient(backward, { inputs, outputs: [o, errors, states], attributes }, [dO]) {
    if (!dO) return;
    const { q, k, v, gates } = inputs;
    backward.emitAll([q, k, v, gates], gatedDeltaRuleDxOp, { ...inputs, o, errors, states, dO }, attributes);
  },
  dispatches({ inputs: { q, k, v, gates, start }, outputs: [o, errors, states], attributes }, settings) {
    const constants = deltaConstants(attributes, v.shape[0]);
    if (runsInChunks(attributes, settings))
      return chunkedForward({ q, k, v, gates, start }, o, { errors, states }, attributes, settings);
    const kept: Dispatch['bindings'] = attributes.keeps
      ? { errors: value(errors), states: value(states) }
      : {};
    return [
      {
        shader: 'gated_delta_rule',
        constants: { ...constants, KEEPS: attributes.keeps, WRITES_STATE: false, SLOTS: 0 },
        bindings: {
          o: value(o),
          q: value(q),
          k: value(k),
          v: value(v),
          gates: value(gates),
          document_start: value(start),
          ...kept,
        },
        workgroups: flatGrid(constants.CHUNKS * v.shape[1], 64, settings),
      },
    ];
  },
  tensorflow: deltaRuleInTensorflow,
};

interface GatedDeltaDxInputs extends GatedDeltaInputs {
  o: Value;
  errors: Value;
  states: Value;
  dO: Value;
}

/** Outputs: dq, dk, dv, dgates. */
export const gatedDeltaRuleDxOp: Op<GatedDeltaDxInputs, GatedDeltaAttributes> = {
  name: 'gatedDeltaRuleDx',
  outputs: ({ q, k, v, gates }) => [q, k, v, gates].map(({ shape }) => ({ shape })),
  dispatches({ inputs, outputs: [dq, dk, dv, dgates], attributes }, settings) {
    const { q, k, v, gates, start, end, o, errors, states, dO } = inputs;
    const [tokens, width] = v.shape;
    const { valueHeads } = attributes;
    const constants = deltaConstants(attributes, tokens);
    const dchange = scratch(0, tokens * width);
    const dstates = scratch(1, stateElements(attributes, tokens));
    const factors = scratch(2, tokens * valueHeads * 2);
    const scores = scratch(3, 2 * tokens * valueHeads * CHUNK);
    const kernel = flatKernels(constants, settings);
    const columns = constants.CHUNKS * width;
    const heads = constants.CHUNKS * valueHeads;
    const keys = tokens * k.shape[1];
    const past = (y: Value, rows: BufferReference, SCORES: number) =>
      kernel(
        'gated_delta_rule_past',
        keys,
        {
          y: value(y),
          k: value(k),
          rows,
          states: value(states),
          scores,
          factors,
          document_start: value(start),
        },
        { SCORES },
      );
    const isChunked = runsInChunks(attributes, settings);
    const reversed = isChunked
      ? chunkedReverse(
          { q, k, gates, start },
          { dO, dv },
          {
            dchange,
            dstates,
            factors,
            pairs: scores,
            keys: scratch(4, tokens * valueHeads * attributes.keyDim),
          },
          attributes,
          settings,
        )
      : [
          kernel('gated_delta_rule_reverse', columns, {
            dv: value(dv),
            dchange,
            dstates,
            do_: value(dO),
            q: value(q),
            k: value(k),
            gates: value(gates),
            document_end: value(end),
          }),
        ];
    return [
      kernel('gated_delta_rule_factors', heads, {
        factors,
        gates: value(gates),
        document_start: value(start),
      }),
      ...reversed,
      kernel('gated_delta_rule_scores', tokens * valueHeads * CHUNK, {
        scores,
        do_: value(dO),
        errors: value(errors),
        dchange,
        factors,
        document_start: value(start),
      }),
      past(dq, value(dO), 0),
      past(dk, dchange, 1),
      kernel('gated_delta_rule_future', keys, {
        dk: value(dk),
        q: value(q),
        k: value(k),
        errors: value(errors),
        dstates,
        scores,
        factors,
        document_end: value(end),
      }),
      kernel(
        'gated_delta_rule_dgates',
        tokens * valueHeads,
        {
          dgates: value(dgates),
          gates: value(gates),
          do_: value(dO),
          o: value(o),
          dchange,
          v: value(v),
          errors: value(errors),
          ...(isChunked && { dv: value(dv) }),
        },
        { WRITES_DV: isChunked },
      ),
      kernel('gated_delta_rule_ddecay', heads, { dgates: value(dgates), document_end: value(end) }),
    ];
  },
};
