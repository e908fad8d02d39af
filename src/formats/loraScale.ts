/** The keys of adapter_config.json that decide a scale. */
export interface LoraScaling {
  r: number;
  lora_alpha: number;
  use_rslora: boolean;
}

/** α/r, or α/√r with rank stabilisation (arXiv:2312.03732): the factor of B A x. */
export function loraScale({ r, lora_alpha, use_rslora }: LoraScaling): number {
  return use_rslora ? lora_alpha / Math.sqrt(r) : lora_alpha / r;
}
