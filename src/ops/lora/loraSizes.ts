/** The sizes that all LoRA kernels are shaped by, and the operands of ops that several files share. */
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
export function loraSizes(x: Pick<Value, 'shape'>, b: Value, outputs: readonly Value[]): LoraSizes {
  return {
    tokens: x.shape[0],
    width: x.shape[1],
    rank: b.shape[1],
    outs: outputs.map(({ shape }) => shape[1]),
  };
}

/** Of loraDx. */
export interface LoraDxInputs {
  /** [G · r, in] */
  a: Value;
  /** [Σ out, r] */
  b: Value;
  /** [T, out] of each projection. */
  dys: readonly Value[];
}

export interface LoraDxAttributes {
  scale: number;
  /** Whether output 1, the gradient with respect to x, is computed. */
  wantsDx: boolean;
}

/** Of the kernels of loraDx. */
export function loraDxSizes({ a, b, dys }: LoraDxInputs): LoraSizes {
  return loraSizes({ shape: [dys[0].shape[0], a.shape[1]] }, b, dys);
}

/** Of lora. */
export interface LoraInputs {
  /** [T, in] */
  x: Value;
  /** [G · r, in], parameter. */
  a: Value;
  /** [Σ out, r], parameter. */
  b: Value;
  /** W x of each projection, [T, out]; their storage is taken over. */
  ys: readonly Value[];
  /**
   * The scale of the adapter for each token, [T]: 1 is the adapter as trained, 0 the base model. Forward
   * only.
   */
  adapterScale?: Value;
}
