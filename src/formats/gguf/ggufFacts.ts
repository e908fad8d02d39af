/** What a configuration is made from beside a GGUF's metadata. */

/** Facts about the tensors, and the small ones that are settings. */
export interface GgufFacts {
  vocabulary: number;
  has(tensor: string): boolean;
  /** `rope_freqs.weight`: what each rotary frequency is divided by. */
  ropeDivisors: number[] | null;
  /** `rope_factors_long.weight` and `rope_factors_short.weight`. */
  longRope: { long: number[]; short: number[] } | null;
}
