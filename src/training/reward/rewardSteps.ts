/**
 * Optimiser steps of grpo: answers are sampled, rewarded, and learned from for `num_iterations` steps before
 * the next are sampled.
 */
import { endsWithStop } from '../../data/tokenizer/answerText.ts';
import type { MicroBatch } from '../../data/types.ts';
import type { BatchShape } from '../../data/packing.ts';
import { answerTokens, type ScoredSequence } from '../preference/answerScores.ts';
import { grpoObjective } from '../preference/grpoObjective.ts';
import type { PreferenceObjective } from '../preference/preferenceObjective.ts';
import { packSequences, sequenceOf } from '../preference/sequences.ts';
import { grpoSettings } from './rewardSettings.ts';
import {
  sampleAnswers,
  type AnswerGroup,
  type SampledBatch,
  type SamplingContext,
} from './sampledAnswers.ts';
import { IGNORE_INDEX } from '../../data/types.ts';

export interface RewardStepsOptions extends SamplingContext {
  shape: BatchShape;
  /** Rows of the 0-based sampling. */
  rowsOf(number: number): Iterable<number>;
  /** @param step that is made with them first, 1-based */
  onSampled(step: number, groups: AnswerGroup[]): void;
}

interface StepBatch {
  sampled: SampledBatch;
  sequences: ScoredSequence[];
  microBatches: MicroBatch[];
  reference: number[][] | null;
}

export class RewardSteps {
  private current: StepBatch | null = null;

  constructor(private readonly options: RewardStepsOptions) {}

  /** Answers that further steps are made with, for a checkpoint. @param step 0-based, the next one */
  held(step: number): SampledBatch | undefined {
    const { num_iterations } = this.options.recipe.training;
    const isHalfway = step % num_iterations !== 0;
    return isHalfway ? this.current?.sampled : undefined;
  }

  /** Takes over the answers of a checkpoint. */
  async restore(sampled: SampledBatch): Promise<void> {
    this.current = await this.batchOf(sampled);
  }

  /** @param step 0-based */
  async make(step: number): Promise<{
    microBatches: MicroBatch[];
    objective: PreferenceObjective;
    /** Of the answers. */
    figures: Record<string, number>;
    tokens: number;
  }> {
    const { recipe, rowsOf, onSampled } = this.options;
    const { num_iterations } = recipe.training;
    const number = Math.floor(step / num_iterations);
    if (this.current?.sampled.number !== number) {
      const { batch, groups } = await sampleAnswers(number, rowsOf(number), this.options);
      onSampled(step + 1, groups);
      this.current = await this.batchOf(batch);
    }
    const { sampled, sequences, microBatches, reference } = this.current;
    const isFirst = sampled.old === null;
    const objective = grpoObjective({
      settings: grpoSettings(recipe),
      microBatches,
      sequences,
      advantages: sampled.advantages,
      old: sampled.old,
      reference,
      ...(isFirst && num_iterations > 1 ? { onTokens: (logps) => (sampled.old = logps) } : {}),
    });
    const tokens = sequences.reduce((sum, { inputIds }) => sum + inputIds.length, 0);
    return { microBatches, objective, figures: sampled.figures, tokens };
  }

  private async batchOf(sampled: SampledBatch): Promise<StepBatch> {
    const { recipe, promptOf, stopTokenIds, shape, engine } = this.options;
    const { mask_truncated_completions, beta } = recipe.training;
    const sequences = sampled.ids.map((ids, i) => {
      const sequence = sequenceOf(promptOf(sampled.rows[i]), ids);
      const isCut = !endsWithStop(ids, stopTokenIds);
      if (!mask_truncated_completions || !isCut) return sequence;
      return { ...sequence, labels: Array.from(sequence.labels, () => IGNORE_INDEX) };
    });
    const microBatches = packSequences(sequences, shape);
    let reference: number[][] | null = null;
    if (beta > 0) {
      const losses: Float32Array[] = [];
      for (const batch of microBatches) losses.push((await engine.score(batch, 0)).loss);
      reference = answerTokens(microBatches, sequences, losses);
    }
    return { sampled, sequences, microBatches, reference };
  }
}
