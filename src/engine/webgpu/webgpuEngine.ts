/**
 * The engine on WebGPU: it owns the weights, the adapter and the plans, and replays them. Calls run one after
 * the other.
 */
import type { MicroBatch } from '../../data/types.ts';
import type { GpuContext } from '../../gpu/gpuContext.ts';
import { initialAdapter } from '../../model/initialAdapter.ts';
import type {
  AdapterTensors,
  Engine,
  EngineOptions,
  GenerationOptions,
  GenerationWatch,
  MemoryChoice,
  MemoryReport,
  OptimizerState,
  StepInput,
  StepObjective,
  StepOutput,
  TokenScores,
} from '../engine.ts';
import { checkIds } from '../checkIds.ts';
import { generateInSlots } from './generation.ts';
import { AdapterStates } from './adapterStates.ts';
import { ForwardPass } from './forwardPass.ts';
import { GpuReplay } from './planReplay.ts';
import { EngineTiming } from './engineTiming.ts';
import { prepareParts, type EngineParts } from './engineParts.ts';
import { slotRunner, type SlotsHost } from './generationSlots.ts';
import { GpuSteps, type StepsHost } from './optimizerSteps.ts';
import type { PlannedEngine } from '../memoryChoice.ts';
import type { EnginePlans } from '../enginePlans.ts';
import { memoryReport, STEPS_AHEAD } from '../memoryReport.ts';
import { adamOf } from '../trainingSettings.ts';
import { Turns } from '../../lib/promises.ts';

export class WebGpuEngine implements Engine {
  readonly tokensPerMicroBatch: number;
  readonly stepsAhead = STEPS_AHEAD;
  readonly timing: EngineTiming;
  private readonly turns = new Turns();
  private readonly replay: GpuReplay;
  private readonly training: GpuSteps | null;
  private readonly states: AdapterStates;
  private readonly pass: ForwardPass;

  private constructor(
    readonly context: GpuContext,
    private readonly options: EngineOptions,
    private readonly parts: EngineParts,
  ) {
    const { planOptions, plans, deviceBuffers } = parts;
    this.tokensPerMicroBatch = planOptions.tokensPerMicroBatch;
    this.replay = new GpuReplay(
      context,
      deviceBuffers,
      (done, total) => options.onProgress?.({ phase: 'pipelines', done, total, unit: 'shaders' }),
      plans.norms,
    );
    this.pass = new ForwardPass(
      deviceBuffers,
      this.replay,
      planOptions.tokensPerMicroBatch,
      planOptions.model.config.vocab_size,
      options.weights,
    );
    this.states = new AdapterStates(context, plans.layout, deviceBuffers, () => this.replay.adapterChanged());
    this.timing = new EngineTiming(
      context,
      this.replay,
      () => this.steps.trainPlan,
      (call) => this.exclusively(call),
    );
    this.training = plans.training ? new GpuSteps(this.stepsHost(plans.training)) : null;
  }

  /**
   * Uploads the weights, allocates what the plans need and compiles the kernels of training and scoring.
   * @param planned plans that were made for these options; without them they are made here
   * @throws UserError where the adapter settings do not fit the model or a memory limit cannot be kept
   */
  static async create(
    context: GpuContext,
    options: EngineOptions & { logits?: boolean },
    planned?: PlannedEngine,
  ): Promise<WebGpuEngine> {
    const parts = await prepareParts(context, options, planned);
    const { plans } = parts;
    const engine = new WebGpuEngine(context, options, parts);
    engine.states.writeFlat(
      'adapter',
      initialAdapter(plans.layout, options.seed, options.lora.init_lora_weights),
    );
    await Promise.all(
      [plans.training?.train, plans.score, plans.training?.optimizer, plans.norms].map(
        async (plan) => plan && engine.replay.executor(plan),
      ),
    );
    await engine.replay.updateNorms();
    engine.states.normsToMagnitudes();
    context.check();
    return engine;
  }

  get memoryChoice(): MemoryChoice | undefined {
    return this.parts.memoryChoice;
  }

  get device(): string {
    return `webgpu: ${this.context.name}`;
  }

  get memory(): MemoryReport {
    return memoryReport(this.parts.plans);
  }

  async trainStep(input: StepInput): Promise<StepOutput> {
    return this.steps.take(input);
  }

  /** Loss and gradients of a step without the update, for references and checks. */
  gradients(
    microBatches: MicroBatch[],
    step = 0,
    objective?: StepObjective,
  ): Promise<{ loss: number; gradients: AdapterTensors }> {
    return this.exclusively(async () => {
      const { scale, loss: made } = await this.steps.accumulateGradients({ microBatches, step, objective });
      const [loss] = new Float32Array(await this.parts.deviceBuffers.read(this.steps.stats, 4));
      const gradients = await this.states.read('gradients');
      for (const { data } of gradients.values()) data.forEach((value, i) => (data[i] = value / scale));
      return { loss: made ?? loss / scale, gradients };
    });
  }

  score(batch: MicroBatch, adapterScale = 1): Promise<TokenScores> {
    const bytes = batch.tokens * 4;
    return this.exclusively(async () => {
      const outputs = { tokenLoss: bytes, correct: bytes };
      const { tokenLoss, correct } = await this.pass.run(
        this.parts.plans.score,
        batch,
        adapterScale,
        outputs,
      );
      return { loss: tokenLoss, correct };
    });
  }

  /** @returns [T, vocab] of a small model; the engine must have been created with `logits` */
  logits(batch: MicroBatch): Promise<Float32Array> {
    const { logits: plan } = this.parts.plans;
    if (!plan) throw new Error('the engine was created without logits');
    const bytes = batch.tokens * this.parts.planOptions.model.config.vocab_size * 4;
    return this.exclusively(async () => (await this.pass.run(plan, batch, 1, { logits: bytes })).logits);
  }

  generate(prompts: number[][], options: GenerationOptions, watch?: GenerationWatch): Promise<number[][]> {
    return this.exclusively(async () => {
      for (const prompt of prompts) checkIds(prompt, this.parts.planOptions.model.config.vocab_size);
      return generateInSlots(slotRunner(this.slotsHost, prompts, options), prompts, options, watch);
    });
  }

  readAdapter(): Promise<AdapterTensors> {
    return this.exclusively(() => this.states.read('adapter'));
  }

  loadAdapter(tensors: AdapterTensors): Promise<void> {
    return this.exclusively(async () => this.states.write('adapter', tensors));
  }

  readOptimizer(): Promise<OptimizerState> {
    return this.exclusively(async () => ({
      expAvg: await this.states.read('expAvg'),
      expAvgSq: await this.states.read('expAvgSq'),
      steps: this.steps.taken,
    }));
  }

  loadOptimizer(state: OptimizerState): Promise<void> {
    return this.exclusively(async () => {
      this.states.write('expAvg', state.expAvg);
      this.states.write('expAvgSq', state.expAvgSq);
      this.steps.taken = state.steps;
    });
  }

  /** Frees the buffers. The device belongs to the caller. */
  dispose(): void {
    this.context.releaseBuffers();
  }

  private get slotsHost(): SlotsHost {
    const { parts, replay, context, options } = this;
    return {
      ...parts,
      weights: options.weights,
      asked: options.generation,
      limits: context.limits,
      replay,
    };
  }

  private stepsHost(plans: NonNullable<EnginePlans['training']>): StepsHost {
    const { context, replay, options } = this;
    const { settings, deviceBuffers } = this.parts;
    return {
      context,
      settings,
      deviceBuffers,
      replay,
      plans,
      elements: this.parts.plans.layout.elements,
      seed: options.seed,
      adam: adamOf(options.settings),
      writeBatch: (plan, batch) => this.pass.writeBatch(plan, batch),
      tokenLosses: async (batch) =>
        (await this.pass.run(this.parts.plans.score, batch, 1, { tokenLoss: batch.tokens * 4 })).tokenLoss,
      exclusively: (call) => this.exclusively(call),
    };
  }

  private get steps(): GpuSteps {
    if (!this.training) throw new Error('the engine was created for answering only');
    return this.training;
  }

  /**
   * Runs one call at a time, because all plans share the arenas.
   * @throws DeviceLostError where the loss made it fail
   */
  private exclusively<T>(call: () => Promise<T>): Promise<T> {
    return this.turns.take(async () => {
      try {
        return await call();
      } catch (error) {
        throw await this.context.causeOf(error);
      }
    });
  }
}
