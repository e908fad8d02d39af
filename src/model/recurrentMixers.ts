/**
 * What mixes tokens through a state of fixed size instead of attention. Each begins again at every document,
 * and in generation each slot keeps its state beside the KV cache.
 */
import {
  shortConvolution as convolve,
  shortConvolutionDecode,
  shortConvolutionWrite,
} from '../ops/convolution/shortConvolution.ts';
import { gatedDeltaDecode, gatedDeltaPrefill } from '../ops/deltaRule/decodeDeltaRule.ts';
import type { DeltaHeads } from '../ops/deltaRule/deltaOperands.ts';
import { gatedDeltaRule } from '../ops/deltaRule/gatedDeltaRule.ts';
import type { Value } from '../graph/value.ts';
import type { ModelBuilder } from './builder.ts';

/**
 * Short causal convolution within each document; in generation a slot stores its last inputs.
 * @param x [T, C] @param module has the taps, [C, 1, K], and may have a bias @returns [T, C]
 */
export function shortConvolution(m: ModelBuilder, layer: number, x: Value, module: string): Value {
  const { mode } = m.options;
  const taps = m.weight(`${module}.weight`);
  const biased = (y: Value) => m.biased([y], [module])[0];
  if (mode === 'train' || mode === 'score') return biased(convolve(m.graph, x, taps, m.documents()));
  const state = slotState(m, `cache.${layer}.convolution`, [taps.shape[2], x.shape[1]]);
  if (mode === 'decode') return biased(shortConvolutionDecode(m.graph, x, taps, state, m.positions()));
  const { end } = m.documents();
  shortConvolutionWrite(m.graph, state, x, { slots: m.slots(), positions: m.positions(), end });
  return biased(convolve(m.graph, x, taps, m.documents()));
}

/**
 * The gated delta rule within each document (ops/deltaRule/gatedDeltaRule.ts).
 * @param inputs q and k [T, keyHeads · keyDim] normalised and scaled, v [T, valueHeads · valueDim], gates
 * [T, 2 · valueHeads]
 * @returns as v
 */
export function gatedDelta(
  m: ModelBuilder,
  layer: number,
  inputs: { q: Value; k: Value; v: Value; gates: Value },
  heads: DeltaHeads,
): Value {
  const { mode } = m.options;
  m.graph.markAttentionInputs();
  if (mode === 'train' || mode === 'score')
    return gatedDeltaRule(m.graph, { ...inputs, ...m.documents() }, heads);
  const state = slotState(m, `cache.${layer}.delta`, [heads.valueHeads, heads.valueDim, heads.keyDim]);
  if (mode === 'decode')
    return gatedDeltaDecode(m.graph, state, { ...inputs, positions: m.positions() }, heads);
  const { start } = m.documents();
  return gatedDeltaPrefill(m.graph, state, { ...inputs, start, slots: m.slots() }, heads);
}

/** A state of this shape for every slot. */
function slotState(m: ModelBuilder, name: string, shape: readonly number[]): Value {
  const { cache, mode } = m.options;
  if (!cache) throw new Error(`${mode} needs a cache`);
  return m.graph.state(name, [cache.slots, ...shape]);
}
