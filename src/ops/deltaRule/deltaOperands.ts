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

/** Tokens of a chunk. */
export const CHUNK = 64;

/** Constants of every kernel. */
export function deltaConstants({ keyHeads, valueHeads, keyDim, valueDim }: DeltaHeads, tokens: number) {
  return {
    T: tokens,
    HEADS: valueHeads,
    GROUP: valueHeads / keyHeads,
    DK: keyDim,
    DV: valueDim,
    CHUNK,
    CHUNKS: Math.ceil(tokens / CHUNK),
  };
}

/** @throws Error where the operands are not of these heads */
export function checkDeltaShapes(
  { q, k, v, gates }: Pick<GatedDeltaInputs, 'q' | 'k' | 'v' | 'gates'>,
  { keyHeads, valueHeads, keyDim, valueDim }: DeltaHeads,
): void {
  const fits =
    valueHeads % keyHeads === 0 &&
    [q, k].every(({ shape }) => shape[1] === keyHeads * keyDim) &&
    v.shape[1] === valueHeads * valueDim &&
    gates.shape[1] === 2 * valueHeads;
  if (!fits)
    throw new Error(
      `gatedDeltaRule: [${q.shape}], [${v.shape}] and [${gates.shape}] are not ${keyHeads} heads of ${keyDim} and ${valueHeads} of ${valueDim}`,
    );
}

/** Shape of the states at the beginning of each chunk. */
export function stateShape({ valueHeads, valueDim, keyDim }: DeltaHeads, tokens: number): number[] {
  return [Math.ceil(tokens / CHUNK), valueHeads, valueDim, keyDim];
}

export function stateElements(heads: DeltaHeads, tokens: number): number {
  return stateShape(heads, tokens).reduce((a, b) => a * b, 1);
}
