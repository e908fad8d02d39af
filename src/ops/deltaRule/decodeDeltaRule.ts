/** The gated delta rule in generation: its state after a prompt, and one more token a slot. No gradients. */
import { flatGrid, value } from '../../gpu/dispatch.ts';
import type { Graph } from '../../graph/graph.ts';
import type { Op } from '../../graph/op.ts';
import { elements, type Value } from '../../graph/value.ts';
import { checkDeltaShapes, deltaConstants, type DeltaHeads } from './deltaOperands.ts';

interface Operands {
  /** [T, keyHeads · keyDim] each. */
  q: Value;
  k: Value;
  /** [T, valueHeads · valueDim] */
  v: Value;
  /** [T, 2 · valueHeads] */
  gates: Value;
}

interface PrefillInputs extends Operands {
  /** [T] u32 each: the first token of each token's document, and its slot; S or more: none. */
  start: Value;
  slots: Value;
}

/**
 * The rule over whole documents, which leaves the state after each in its slot.
 * @param state [S, valueHeads, valueDim, keyDim]
 * @returns [T, valueHeads · valueDim]
 */
export function gatedDeltaPrefill(
  graph: Graph,
  state: Value,
  inputs: PrefillInputs,
  heads: DeltaHeads,
): Value {
  const o = graph.value('activation', `gatedDeltaPrefill.${graph.nodes.length}`, inputs.v.shape);
  checkDeltaShapes(inputs, heads);
  graph.appendInto([o, state], gatedDeltaPrefillOp, inputs, heads);
  return o;
}

const gatedDeltaPrefillOp: Op<PrefillInputs, DeltaHeads> = {
  name: 'gatedDeltaPrefill',
  outputs() {
    throw new Error('gatedDeltaPrefill writes to its state');
  },
  dispatches({ inputs: { q, k, v, gates, start, slots }, outputs: [o, state], attributes }, settings) {
    const constants = deltaConstants(attributes, v.shape[0]);
    return [
      {
        shader: 'gated_delta_rule',
        constants: { ...constants, KEEPS: false, WRITES_STATE: true, SLOTS: state.shape[0] },
        bindings: {
          o: value(o),
          q: value(q),
          k: value(k),
          v: value(v),
          gates: value(gates),
          document_start: value(start),
          state: value(state),
          slots: value(slots),
        },
        workgroups: flatGrid(constants.CHUNKS * v.shape[1], 64, settings),
      },
    ];
  },
};

interface DecodeInputs extends Operands {
  /** [S] u32; at 0 a slot's state counts as zero. */
  positions: Value;
}

/**
 * One more token a slot. A slot's state is updated each time, so each of its positions must come once.
 * @param state [S, valueHeads, valueDim, keyDim] @returns [S, valueHeads · valueDim]
 */
export function gatedDeltaDecode(graph: Graph, state: Value, inputs: DecodeInputs, heads: DeltaHeads): Value {
  const o = graph.value('activation', `gatedDeltaDecode.${graph.nodes.length}`, inputs.v.shape);
  checkDeltaShapes(inputs, heads);
  graph.appendInto([o, state], gatedDeltaDecodeOp, inputs, heads);
  return o;
}

const gatedDeltaDecodeOp: Op<DecodeInputs, DeltaHeads> = {
  name: 'gatedDeltaDecode',
  outputs() {
    throw new Error('gatedDeltaDecode writes to its state');
  },
  dispatches({ inputs: { q, k, v, gates, positions }, outputs: [o, state], attributes }, settings) {
    const { HEADS, GROUP, DK, DV } = deltaConstants(attributes, v.shape[0]);
    return [
      {
        shader: 'gated_delta_rule_decode',
        constants: { SLOTS: v.shape[0], HEADS, GROUP, DK, DV },
        bindings: {
          o: value(o),
          q: value(q),
          k: value(k),
          v: value(v),
          gates: value(gates),
          positions: value(positions),
          state: value(state),
        },
        workgroups: flatGrid(elements(v), 64, settings),
      },
    ];
  },
};
