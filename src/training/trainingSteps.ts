/** The optimiser steps of a run: which rows each trains, at what rate, and with which objective. */
import type { DocumentTable } from '../data/documentTable.ts';
import type { Engine } from '../engine/engine.ts';
import { Turns } from '../lib/promises.ts';
import { BatchSampler, microBatchesOf } from './batches.ts';
import { preferenceSettings } from './preference/method.ts';
import { PreferenceSteps } from './preference/preferenceSteps.ts';
import { stepsOf, type Recipe } from './recipe.ts';
import type { AnswerGroup, SampledBatch, SamplingContext } from './reward/sampledAnswers.ts';
import { RewardSteps } from './reward/rewardSteps.ts';
import { rowMix } from './batching/rowMix.ts';
import { learningRate, warmupSteps, type Schedule } from './schedule.ts';

export interface StepMade {
  /** Tokens of its rows. */
  tokens: number;
  figures: { loss: number; grad_norm: number; learning_rate: number } & Record<string, number>;
}

export interface TrainingStepsOptions {
  engine: Engine;
  recipe: Recipe;
  documents: DocumentTable;
  /** Of kto: 1 where a document's answer is wanted. */
  labels?: Uint8Array | null;
  /** Of grpo. */
  rewards?: RewardContext | null;
  padTokenId: number;
}

/** What grpo needs beside the engine and the documents, which are prompts. */
export type RewardContext = Pick<SamplingContext, 'rows' | 'stopTokenIds' | 'decode' | 'scorer' | 'onFault'>;

export class TrainingSteps {
  readonly total: number;
  private readonly schedule: Schedule;
  private readonly sampler: BatchSampler;
  private readonly preferences: PreferenceSteps | null;
  private readonly rewards: RewardSteps | null;
  /** Ends when the step before has its objective: steps reach the engine in their order. */
  private readonly turns = new Turns();

  /** @param onSampled is given the answers of a step, 1-based, before it is made */
  constructor(
    private readonly options: TrainingStepsOptions,
    onSampled: (step: number, groups: AnswerGroup[]) => void = () => undefined,
  ) {
    const { recipe, documents } = options;
    const { training } = recipe;
    const mix = rowMix(documents.files, documents.length, recipe.mix_ratios);
    this.sampler = new BatchSampler(documents.lengths, recipe, mix);
    this.total = stepsOf(recipe, documents.lengths);
    this.schedule = {
      ...training,
      warmupSteps: warmupSteps(this.total, training),
      totalSteps: this.total,
    };
    this.preferences = this.preferenceSteps();
    this.rewards = this.rewardSteps(onSampled);
  }

  get perEpoch(): number {
    return this.sampler.stepsPerEpoch * (this.rewards ? this.options.recipe.training.num_iterations : 1);
  }

  /** Steps that may be asked for before the previous one has ended; none where its adapter samples. */
  get ahead(): number {
    return this.rewards ? 0 : this.options.engine.stepsAhead;
  }

  /** Answers that the steps after `step` are still made with, for its checkpoint. */
  sampledAt(step: number): SampledBatch | undefined {
    return this.rewards?.held(step);
  }

  /** Takes over what a checkpoint holds. */
  async restore(sampled: SampledBatch | undefined): Promise<void> {
    if (sampled) await this.rewards?.restore(sampled);
  }

  /** What a method needs before the first step: the scores of its reference. */
  async prepare(onProgress: (done: number, total: number) => void): Promise<void> {
    await this.preferences?.prepare(onProgress);
  }

  /** Trains a step. May be called before the step ahead of it has ended. @param step 0-based */
  async train(step: number): Promise<StepMade> {
    const { engine, documents, padTokenId } = this.options;
    if (this.rewards) return this.trainRewarded(step, this.rewards);
    const rows = this.sampler.rowsOf(step);
    const shape = { tokens: engine.tokensPerMicroBatch, padTokenId };
    const numbers = this.numbersOf(step);
    const preferences = this.preferences && (await this.inTurn(this.preferences, rows));
    const { loss, gradNorm } = await engine.trainStep({
      ...(preferences ?? { microBatches: microBatchesOf(documents, rows, shape) }),
      ...numbers,
    });
    return {
      tokens: rows.reduce((sum, row) => sum + documents.lengths[row], 0),
      figures: {
        loss,
        grad_norm: gradNorm,
        learning_rate: numbers.learningRate,
        ...preferences?.objective.figures,
      },
    };
  }

  private async trainRewarded(step: number, rewards: RewardSteps): Promise<StepMade> {
    const { microBatches, objective, figures, tokens } = await rewards.make(step);
    const numbers = this.numbersOf(step);
    const { loss, gradNorm } = await this.options.engine.trainStep({ microBatches, objective, ...numbers });
    const made = { loss, grad_norm: gradNorm, learning_rate: numbers.learningRate };
    return { tokens, figures: { ...made, ...figures, ...objective.figures } };
  }

  private numbersOf(step: number) {
    const { weight_decay, max_grad_norm, loraplus_lr_ratio } = this.options.recipe.training;
    return {
      step,
      learningRate: learningRate(step, this.schedule),
      weightDecay: weight_decay,
      maxGradNorm: max_grad_norm,
      loraPlusLrRatio: loraplus_lr_ratio,
    };
  }

  private rewardSteps(onSampled: (step: number, groups: AnswerGroup[]) => void): RewardSteps | null {
    const { engine, recipe, documents, rewards, padTokenId } = this.options;
    if (recipe.method !== 'grpo') return null;
    if (!rewards) throw new Error('a run of rewards needs its prompts and what scores answers');
    return new RewardSteps({
      ...rewards,
      engine,
      recipe,
      promptOf: (row) => [...documents.at(row).inputIds],
      shape: { tokens: engine.tokensPerMicroBatch, padTokenId },
      rowsOf: (number) => this.sampler.rowsOf(number),
      onSampled,
    });
  }

  /** Making an objective may wait for the engine: another step's must not overtake it. */
  private inTurn(preferences: PreferenceSteps, rows: Uint32Array): ReturnType<PreferenceSteps['make']> {
    return this.turns.take(() => preferences.make(rows));
  }

  private preferenceSteps(): PreferenceSteps | null {
    const { engine, recipe, documents, labels = null, padTokenId } = this.options;
    const settings = preferenceSettings(recipe);
    return (
      settings &&
      new PreferenceSteps(
        { documents, labels },
        {
          settings,
          examplesPerMean: recipe.training.per_device_train_batch_size,
          shape: { tokens: engine.tokensPerMicroBatch, padTokenId },
          score: (batch, adapterScale) => engine.score(batch, adapterScale),
        },
      )
    );
  }
}
