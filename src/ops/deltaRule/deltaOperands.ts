/** Operands and attributes of the gated delta rule. */
import type { Value } from '../../graph/value.ts';

export interface DeltaHeads {
  /** Heads of q and k, each of which `valueHeads / keyHeads` neighbouring value heads share. */
  keyHeads: number;
  valueHeads: number;
  keyDim: number;
  valueDim: number;
}

export interface GatedDeltaInputs {
  /** [T, keyHeads · keyDim] each, normalised and scaled. */
  q: Value;
  k: Value;
  /** [T, valueHeads · valueDim] */
  v: Value;
  /** [T, 2 · valueHeads]: the logarithms of the decays, then beta (deltaGates.ts). */
  gates: Value;
  /** [T] u32 each: the first token of each token's document, and the one after its last. */
  start: Value;
  end: Value;
}

export interface GatedDeltaAttributes extends DeltaHeads {
  /** Writes what the backward pass needs. */
  keeps: boolean;
}
