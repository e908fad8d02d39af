/**
 * Optimiser steps on the GPU. A step is submitted as a whole, and its scalars are read back through a ring of
 * staging buffers, so that the next step is encoded while it runs. A step with a NaN or an overflow is not
 * applied, nor are the steps submitted after it, until the host has seen the failure: steps are applied in
 * order.
 */
import type { MicroBatch } from '../../data/types.ts';
import type { GpuContext } from '../../gpu/gpuContext.ts';
import type { KernelSettings } from '../../gpu/dispatch.ts';
import { STATS, type AdamSettings } from '../../ops/optimizer/adamW.ts';
import type { Plan } from '../../plan/plan.ts';
import { NonFiniteError, type StepInput, type StepObjective, type StepOutput } from '../engine.ts';
import { supervisedTokens } from '../supervisedTokens.ts';
import type { GpuReplay } from './planReplay.ts';
import type { DeviceBuffers } from './deviceBuffers.ts';
import { STATS_BYTES, STEPS_AHEAD } from '../memoryReport.ts';
import { settled } from '../../lib/promises.ts';

/** On the float16 levels the gradient of a token's loss enters the backward pass as about 2 to this power. */
const SCALE_BITS = 6;
/**
 * After an overflow the scale is lowered by so many bits, at most so often before the step counts as failed.
 */
const RESCALE_BITS = 4;
const MOST_RESCALES = 3;

/** The parts of the engine that training uses. */
export interface StepsHost {
  context: GpuContext;
  settings: KernelSettings;
  deviceBuffers: DeviceBuffers;
  replay: GpuReplay;
  plans: { train: Plan; optimizer: Plan };
  /** How many elements the adapter has. */
  elements: number;
  /** Seeds the dropout masks. */
  seed: number;
  adam: AdamSettings;
  writeBatch(plan: Plan, batch: MicroBatch): Promise<void>;
  /** Cross entropy of each token, [T], by the adapter as it is. */
  tokenLosses(batch: MicroBatch): Promise<Float32Array>;
  /** Runs one call at a time, in the order of the calls. */
  exclusively<T>(call: () => Promise<T>): Promise<T>;
}

interface Submitted {
  /** 1-based, as in AdamW's bias correction. */
  number: number;
  /** The objective's loss; null: what the stats have. */
  loss: number | null;
  /** The loss scale, and the scale bits that it was made from. */
  scale: number;
  bits: number;
  /** How many steps had failed for good when it was submitted. */
  era: number;
  startedMs: number;
  /** Loss, squared gradient norm, and whether this step or an earlier one failed. */
  stats: Promise<Float32Array>;
}

/** How the losses of a step's tokens enter its loss. */
interface LossWeights {
  /** The objective's; null: the weighted sum. */
  loss: number | null;
  /** Of a micro-batch, [T], multiplied by the scale. */
  weights(microBatch: number): Float32Array;
  scale: number;
}

export class GpuSteps {
  /** Steps submitted to the optimiser so far, those not applied left out. */
  taken = 0;
  private scaleBits = SCALE_BITS;
  private readonly ring: { buffer: GPUBuffer; free: Promise<unknown> }[];
  /** Whether the host has handled a failure whose flag is still set on the GPU. */
  private settled = false;
  private readonly failures: NonFiniteError[] = [];
  private doneMs = 0;

  constructor(private readonly host: StepsHost) {
    this.ring = Array.from({ length: STEPS_AHEAD + 1 }, () => ({
      buffer: host.context.createBuffer(
        'batch',
        'step scalars',
        STATS_BYTES,
        GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
      ),
      free: Promise.resolve(),
    }));
  }

  async take(input: StepInput): Promise<StepOutput> {
    const { exclusively, context, replay, plans } = this.host;
    const submitted = await exclusively(() => this.submit(input, this.taken + 1));
    const stats = await submitted.stats.catch(async (error: unknown) => {
      throw await context.causeOf(error);
    });
    const output =
      outputOf(submitted, stats) ?? (await exclusively(() => this.repeat(input, submitted, stats)));
    const now = performance.now();
    replay.took(
      now - Math.max(submitted.startedMs, this.doneMs),
      input.microBatches.length * plans.train.dispatches.length,
    );
    this.doneMs = now;
    return output;
  }

  /**
   * Computes the gradients of all micro-batches and adds them up, multiplied by the loss scale.
   * @returns the scale: a power of two, 1 where nothing is rounded to float16; and the objective's loss
   * @throws Error where no token of the step is supervised
   */
  async accumulateGradients({
    microBatches,
    step,
    objective,
  }: Pick<StepInput, 'microBatches' | 'step' | 'objective'>): Promise<{
    scale: number;
    loss: number | null;
  }> {
    const { context, deviceBuffers, replay, plans, elements, seed } = this.host;
    const { loss, weights, scale } = objective
      ? await this.weightsOf(objective, microBatches)
      : this.equalWeights(microBatches, step);
    const encoder = context.device.createCommandEncoder();
    for (const buffer of deviceBuffers.state('gradients', elements)) encoder.clearBuffer(buffer);
    // The failure flag, the last of the stats, stays set until the host has handled the failure.
    encoder.clearBuffer(this.stats, 0, this.settled ? STATS_BYTES : STATS_BYTES - 4);
    this.settled = false;
    context.device.queue.submit([encoder.finish()]);
    deviceBuffers.write(plans.train, 'random', new Uint32Array([seed, step]));
    for (const [i, batch] of microBatches.entries()) {
      await this.host.writeBatch(plans.train, batch);
      deviceBuffers.write(plans.train, 'lossWeights', weights(i));
      await replay.run(plans.train);
    }
    return { scale, loss };
  }

  /** Cross entropy over supervised tokens. */
  private equalWeights(microBatches: readonly MicroBatch[], step: number): LossWeights {
    const supervised = supervisedTokens(microBatches, step);
    const scale = this.lossScale(Math.ceil(Math.log2(supervised)));
    return {
      loss: null,
      scale,
      weights: (i) =>
        Float32Array.from(microBatches[i].targets, (target) => (target < 0 ? 0 : scale / supervised)),
    };
  }

  private async weightsOf(
    objective: StepObjective,
    microBatches: readonly MicroBatch[],
  ): Promise<LossWeights> {
    const losses: Float32Array[] = [];
    for (const batch of [...microBatches, ...(objective.extra ?? [])])
      losses.push(
        objective.readsLosses === false ? new Float32Array(batch.tokens) : await this.host.tokenLosses(batch),
      );
    const { loss, weights } = objective.evaluate(losses);
    let most = 0;
    for (const each of weights) for (const weight of each) most = Math.max(most, Math.abs(weight));
    const scale = this.lossScale(most > 0 && Number.isFinite(most) ? -Math.floor(Math.log2(most)) : 0);
    return { loss, scale, weights: (i) => weights[i].map((weight) => weight * scale) };
  }

  /** @param bits of the largest weight's inverse */
  private lossScale(bits: number): number {
    return this.host.settings.level === 'plain' ? 1 : 2 ** (bits + this.scaleBits);
  }

  /** The plan of one micro-batch's forward and backward pass. */
  get trainPlan(): Plan {
    return this.host.plans.train;
  }

  /** The buffer of loss, squared gradient norm and failure flag. */
  get stats(): GPUBuffer {
    return this.host.deviceBuffers.state('stats', STATS)[0];
  }

  private async submit(input: StepInput, number: number): Promise<Submitted> {
    const { deviceBuffers, replay, plans } = this.host;
    const place = this.ring[number % this.ring.length];
    await place.free;
    const startedMs = performance.now();
    const bits = this.scaleBits;
    const { scale, loss } = await this.accumulateGradients(input);
    const { learningRate, loraPlusLrRatio = 1, weightDecay, maxGradNorm } = input;
    const { beta1, beta2 } = this.host.adam;
    const corrections = [1 - beta1 ** number, Math.sqrt(1 - beta2 ** number)];
    deviceBuffers.write(
      plans.optimizer,
      'scalars',
      new Float32Array([
        learningRate,
        learningRate * loraPlusLrRatio,
        weightDecay,
        maxGradNorm,
        ...corrections,
        1 / scale,
      ]),
    );
    await replay.run(plans.optimizer, {
      after: (encoder) => encoder.copyBufferToBuffer(this.stats, 0, place.buffer, 0, STATS_BYTES),
    });
    replay.adapterChanged();
    this.taken = number;
    const stats = deviceBuffers.mapped(place.buffer, STATS_BYTES).then((bytes) => new Float32Array(bytes));
    place.free = settled(stats);
    return { number, loss, scale, bits, era: this.failures.length, startedMs, stats };
  }

  /**
   * Submits a step again that was not applied: with a smaller loss scale where its own operands overflowed,
   * unchanged where only an earlier step had failed.
   * @throws NonFiniteError where no scale helps, and for the steps that were submitted after such a step
   */
  private async repeat(input: StepInput, submitted: Submitted, stats: Float32Array): Promise<StepOutput> {
    if (submitted.era !== this.failures.length) throw this.failures[submitted.era];
    for (let rescales = 0; ;) {
      this.settled = true;
      const failed = !Number.isFinite(stats[0])
        ? 'loss'
        : !Number.isFinite(stats[1])
          ? 'gradient norm'
          : null;
      if (failed && submitted.bits === this.scaleBits) {
        if (this.host.settings.level === 'plain' || rescales === MOST_RESCALES) {
          this.taken = submitted.number - 1;
          this.failures.push(new NonFiniteError(failed, input.step));
          throw this.failures.at(-1)!;
        }
        rescales++;
        this.scaleBits -= RESCALE_BITS;
      }
      submitted = await this.submit(input, submitted.number);
      stats = await submitted.stats;
      const output = outputOf(submitted, stats);
      if (output) return output;
    }
  }
}

/** @returns null where the step was not applied */
function outputOf({ loss, scale }: Submitted, [weighted, squares, failed]: Float32Array): StepOutput | null {
  return failed ? null : { loss: loss ?? weighted / scale, gradNorm: Math.sqrt(squares) / scale };
}
