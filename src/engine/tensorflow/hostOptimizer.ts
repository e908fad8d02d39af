/**
 * AdamW on the CPU over one contiguous adapter, as shaders/optimizer/adamw.wgsl has it (arXiv:1711.05101).
 */
import { ADAM, type AdamSettings } from '../../ops/optimizer/adamW.ts';
import type { StepInput } from '../engine.ts';

export class HostOptimizer {
  readonly expAvg: Float32Array;
  readonly expAvgSq: Float32Array;
  /** Updates applied so far. */
  steps = 0;

  /**
   * @param adapter [elements], changed in place
   * @param bStart first element of the B matrices, which LoRA+ gives another learning rate
   */
  constructor(
    private readonly adapter: Float32Array,
    private readonly bStart: number,
    private readonly adam: AdamSettings = ADAM,
  ) {
    this.expAvg = new Float32Array(adapter.length);
    this.expAvgSq = new Float32Array(adapter.length);
  }

  /** @param gradients [elements] before clipping @param gradNorm their global norm */
  update(gradients: Float32Array, gradNorm: number, input: StepInput): void {
    const { adapter, expAvg, expAvgSq, adam } = this;
    const t = ++this.steps;
    const clip = input.maxGradNorm > 0 ? Math.min(1, input.maxGradNorm / (gradNorm + 1e-6)) : 1;
    for (let i = 0; i < gradients.length; i++) {
      const rate = input.learningRate * (i >= this.bStart ? (input.loraPlusLrRatio ?? 1) : 1);
      const g = gradients[i] * clip;
      expAvg[i] += (g - expAvg[i]) * (1 - adam.beta1);
      expAvgSq[i] = expAvgSq[i] * adam.beta2 + g * g * (1 - adam.beta2);
      const step =
        ((rate / (1 - adam.beta1 ** t)) * expAvg[i]) /
        (Math.sqrt(expAvgSq[i]) / Math.sqrt(1 - adam.beta2 ** t) + adam.eps);
      adapter[i] = adapter[i] * (1 - rate * input.weightDecay) - step;
    }
  }
}
