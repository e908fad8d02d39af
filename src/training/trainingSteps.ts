/** The optimiser steps of a run: which rows each trains, at what rate, and with which objective. */
import type { DocumentTable } from '../data/documentTable.ts';
import type { Engine } from '../engine/engine.ts';
import { settled } from '../lib/promises.ts';
import { BatchSampler, microBatchesOf } from './batches.ts';
import { documentsPerExample, preferenceSettings } from './preference/method.ts';
import { PreferenceSteps } from './preference/preferenceSteps.ts';
import { examplesPerStep, type Recipe } from './recipe.ts';
import { learningRate, totalSteps, warmupSteps, type Schedule } from './schedule.ts';

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
  padTokenId: number;
}

export class TrainingSteps {
  readonly total: number;
  private readonly schedule: Schedule;
  private readonly sampler: BatchSampler;
  private readonly preferences: PreferenceSteps | null;
  /** Ends when the step before has its objective: steps reach the engine in their order. */
  private turn: Promise<unknown> = Promise.resolve();

  constructor(private readonly options: TrainingStepsOptions) {
    const { recipe, documents } = options;
    const { training } = recipe;
    this.sampler = new BatchSampler(documents.lengths, recipe);
    this.total = totalSteps(
      documents.length / documentsPerExample(recipe.method),
      examplesPerStep(recipe),
      training.num_train_epochs,
      training.max_steps,
    );
    this.schedule = {
      ...training,
      warmupSteps: warmupSteps(this.total, training),
      totalSteps: this.total,
    };
    this.preferences = this.preferenceSteps();
  }

  get perEpoch(): number {
    return this.sampler.stepsPerEpoch;
  }

  /** What a method needs before the first step: the scores of its reference. */
  async prepare(onProgress: (done: number, total: number) => void): Promise<void> {
    await this.preferences?.prepare(onProgress);
  }

  /** Trains a step. May be called before the step ahead of it has ended. @param step 0-based */
  async train(step: number): Promise<StepMade> {
    const { engine, recipe, documents, padTokenId } = this.options;
    const { weight_decay, max_grad_norm, loraplus_lr_ratio } = recipe.training;
    const rate = learningRate(step, this.schedule);
    const rows = this.sampler.rowsOf(step);
    const shape = { tokens: engine.tokensPerMicroBatch, padTokenId };
    const preferences = this.preferences && (await this.inTurn(this.preferences, rows));
    const { loss, gradNorm } = await engine.trainStep({
      ...(preferences ?? { microBatches: microBatchesOf(documents, rows, shape) }),
      step,
      learningRate: rate,
      weightDecay: weight_decay,
      maxGradNorm: max_grad_norm,
      loraPlusLrRatio: loraplus_lr_ratio,
    });
    return {
      tokens: rows.reduce((sum, row) => sum + documents.lengths[row], 0),
      figures: { loss, grad_norm: gradNorm, learning_rate: rate, ...preferences?.objective.figures },
    };
  }

  /** Making an objective may wait for the engine: another step's must not overtake it. */
  private inTurn(preferences: PreferenceSteps, rows: Uint32Array): ReturnType<PreferenceSteps['make']> {
    const made = this.turn.then(() => preferences.make(rows));
    this.turn = settled(made);
    return made;
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
