/**
 * The gated delta rule and the gradient of its state by chunks of tokens, for GPUs: within a chunk all tokens
 * are computed at once, and only the state goes from chunk to chunk (arXiv:2406.06484 and arXiv:2412.06464).
 *
 * With d(s, t) what is left at t of a state at s, the errors e of a chunk that begins with the state S are
 *
 *   e_t + Σ_{s<t} d(s, t) (k_t·k_s) β_s e_s = v_t − d(begin, t) Sᵀk_t
 *
 * so (1 + P) e = v − Sᵀk' is solved for v and k' at once, ahead of S; and o_t = d(begin, t) Sᵀq_t +
 * Σ_{s≤t} d(s, t) (q_t·k_s) β_s e_s. The gradient of the state obeys the same equations from the end.
 */
import { value, type BufferReference, type Dispatch, type KernelSettings } from '../../gpu/dispatch.ts';
import type { Value } from '../../graph/value.ts';
import {
  CHUNK,
  deltaConstants,
  stateElements,
  type DeltaHeads,
  type GatedDeltaInputs,
} from './deltaOperands.ts';
import { flatKernels, scratch } from './deltaDispatches.ts';

/** Columns of the state that a workgroup takes from chunk to chunk. */
const TILE = 8;
/** A tile of larger keys would not fit into workgroup memory. */
const MOST_KEY_DIM = 256;

/**
 * Whether the rule runs by chunks. On a CPU adapter token after token is as fast: it has as many products,
 * and no barriers.
 */
export function runsInChunks({ keyDim }: DeltaHeads, { target }: KernelSettings): boolean {
  return target === 'gpu' && keyDim <= MOST_KEY_DIM;
}

/** @param kept errors and states where the backward pass needs them */
export function chunkedForward(
  { q, k, v, gates, start }: Omit<GatedDeltaInputs, 'end'>,
  o: Value,
  kept: { errors?: Value; states?: Value },
  heads: DeltaHeads,
  settings: KernelSettings,
): Dispatch[] {
  const [tokens, width] = v.shape;
  const { valueHeads, keyDim } = heads;
  const factors = scratch(0, tokens * valueHeads * 2);
  const pairs = scratch(1, tokens * valueHeads * CHUNK);
  const keys = scratch(2, tokens * valueHeads * keyDim);
  const errors = kept.errors ? value(kept.errors) : scratch(3, tokens * width);
  const states = kept.states ? value(kept.states) : scratch(4, stateElements(heads, tokens));
  const kernels = kernelsOf(heads, tokens, settings);
  const places = { factors, document_start: value(start) };
  return [
    kernels.flat('gated_delta_rule_factors', kernels.chunks * valueHeads, {
      factors,
      gates: value(gates),
      document_start: value(start),
    }),
    kernels.pairs(
      { pairs, a: value(k), b: value(k), ...places },
      { AFTER: false, HAS_SELF: false, HAS_BETA: true },
    ),
    kernels.solve({ y: errors, keys, rows: value(v), pairs, k: value(k), ...places }, false),
    kernels.chunkwise({ y: errors, states, keys, k: value(k), ...places }, false),
    kernels.pairs(
      { pairs, a: value(q), b: value(k), ...places },
      { AFTER: false, HAS_SELF: true, HAS_BETA: true },
    ),
    kernels.flat(
      'gated_delta_rule_mix',
      tokens * width,
      { y: value(o), rows: errors, pairs, q: value(q), states, ...places },
      { HAS_STATE: true },
    ),
  ];
}

interface ReverseScratch {
  /** [T, valueHeads · valueDim] */
  dchange: BufferReference;
  /** The gradient of the state at the end of each chunk. */
  dstates: BufferReference;
  /** Written before. */
  factors: BufferReference;
  /** [T, valueHeads, CHUNK] */
  pairs: BufferReference;
  /** [T, valueHeads · keyDim] */
  keys: BufferReference;
}

/** Computes dchange and dstates. What it leaves in dv is not its value. */
export function chunkedReverse(
  { q, k, start }: Omit<GatedDeltaInputs, 'v' | 'end'>,
  { dO, dv }: { dO: Value; dv: Value },
  { dchange, dstates, factors, pairs, keys }: ReverseScratch,
  heads: DeltaHeads,
  settings: KernelSettings,
): Dispatch[] {
  const [tokens, width] = dO.shape;
  const kernels = kernelsOf(heads, tokens, settings);
  const places = { factors, document_start: value(start) };
  return [
    kernels.pairs(
      { pairs, a: value(k), b: value(q), ...places },
      { AFTER: true, HAS_SELF: true, HAS_BETA: false },
    ),
    kernels.flat(
      'gated_delta_rule_mix',
      tokens * width,
      { y: value(dv), rows: value(dO), pairs },
      { HAS_STATE: false },
    ),
    kernels.pairs(
      { pairs, a: value(k), b: value(k), ...places },
      { AFTER: true, HAS_SELF: false, HAS_BETA: true },
    ),
    kernels.solve({ y: dchange, keys, rows: value(dv), pairs, k: value(k), ...places }, true),
    kernels.chunkwise(
      { y: dchange, states: dstates, keys, k: value(k), q: value(q), do_: value(dO), ...places },
      true,
    ),
  ];
}

function kernelsOf(heads: DeltaHeads, tokens: number, settings: KernelSettings) {
  const constants = deltaConstants(heads, tokens);
  const { valueHeads, keyDim, valueDim } = heads;
  const flat = flatKernels(constants, settings);
  const tiles = Math.ceil(valueDim / TILE);
  return {
    chunks: constants.CHUNKS,
    flat,
    pairs: (bindings: Dispatch['bindings'], more: Dispatch['constants']) =>
      flat('gated_delta_rule_pairs', tokens * valueHeads * CHUNK, bindings, more),
    solve: (bindings: Dispatch['bindings'], AFTER: boolean) =>
      flat('gated_delta_rule_solve', constants.CHUNKS * valueHeads * (valueDim + keyDim), bindings, {
        AFTER,
      }),
    chunkwise: (bindings: Dispatch['bindings'], AFTER: boolean): Dispatch => ({
      shader: 'gated_delta_rule_chunks',
      constants: { ...constants, TILE, TILES: tiles, AFTER },
      bindings,
      workgroups: [valueHeads * tiles, 1, 1],
    }),
  };
}
