/** The sizes that all LoRA kernels are shaped by. */
import type { Value } from '../../graph/value.ts';

export interface LoraSizes {
  tokens: number;
  /** Features of the input. */
  width: number;
  rank: number;
  /** Features of each projection's output; B's rows lie one projection after the other. */
  outs: readonly number[];
}

/** @param x [T, in] @param b [Σ out, r] @param outputs [T, out] of each projection */
export function loraSizes(x: Value, b: Value, outputs: readonly Value[]): LoraSizes {
  return {
    tokens: x.shape[0],
    width: x.shape[1],
    rank: b.shape[1],
    outs: outputs.map(({ shape }) => shape[1]),
  };
}
