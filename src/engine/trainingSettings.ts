/** Settings of the training step that its kernels depend on, under the names of TrainingArguments. */
import { ADAM, type AdamSettings } from '../ops/optimizer/adamW.ts';

export interface TrainingSettings {
  adam_beta1?: number;
  adam_beta2?: number;
  adam_epsilon?: number;
  /** Share of each label's probability that is spread over the whole vocabulary; 0 where absent. */
  label_smoothing_factor?: number;
  /** Noise on the embeddings while training (arXiv:2310.05914); null or absent: none. */
  neftune_noise_alpha?: number | null;
}

export function adamOf({ adam_beta1, adam_beta2, adam_epsilon }: TrainingSettings = {}): AdamSettings {
  return {
    beta1: adam_beta1 ?? ADAM.beta1,
    beta2: adam_beta2 ?? ADAM.beta2,
    eps: adam_epsilon ?? ADAM.eps,
  };
}

/** What the training graph takes of them. */
export function graphSettings({ label_smoothing_factor, neftune_noise_alpha }: TrainingSettings = {}): {
  labelSmoothing: number;
  neftuneAlpha: number;
} {
  return { labelSmoothing: label_smoothing_factor ?? 0, neftuneAlpha: neftune_noise_alpha ?? 0 };
}
