/** The engine on WebGPU: owns the weights, the adapter and the plans, and replays them. One call runs at a time; others wait their turn. */
import type { MicroBatch } from '../../data/types.ts';
import type { GpuContext } from '../../gpu/gpuContext.ts';
import type { KernelSettings } from '../../gpu/dispatch.ts';
import { initialAdapter } from '../../model/adapterTargets.ts';
import { modelOf } from '../../model/families/registry.ts';
import type { Plan } from '../../plan/plan.ts';
import { profilePlan, type KernelTime, type PassSpan } from '../../plan/profile.ts';
import { adapterTensors, fillAdapter } from '../adapterTensors.ts';
import {
  type AdapterTensors,
  type Engine,
  type EngineOptions,
  type GenerationOptions,
  type GenerationWatch,
  type MemoryChoice,
  type MemoryReport,
  type OptimizerState,
  type StepInput,
  type StepOutput,
  type TokenScores,
} from '../engine.ts';
import { generateInSlots } from './generation.ts';
import { GpuReplay } from './planReplay.ts';
import { DeviceBuffers, type AdapterState } from './deviceBuffers.ts';
import { slotRunner, type SlotsHost } from './generationSlots.ts';
import { GpuSteps, type StepsHost } from './optimizerSteps.ts';
import { uploadWeights } from './uploadWeights.ts';
import { settingsWith } from '../../tuning/kernelChoice.ts';
import { chooseMemory } from '../memoryChoice.ts';
import { makeEnginePlans, listPlans, type PlanOptions, type EnginePlans } from '../enginePlans.ts';
import { memoryReport, STEPS_AHEAD, weightGroupsOf, weightNames } from '../memoryReport.ts';
import { settled } from '../../lib/promises.ts';

export class WebGpuEngine implements Engine {
  readonly tokensPerMicroBatch: number;
  readonly stepsAhead = STEPS_AHEAD;
  private turn: Promise<unknown> = Promise.resolve();
  private readonly replay: GpuReplay;
  private readonly training: GpuSteps | null;

  private constructor(
    readonly context: GpuContext,
    private readonly settings: KernelSettings,
    private readonly options: EngineOptions,
    private readonly planOptions: PlanOptions,
    private readonly plans: EnginePlans,
    private readonly deviceBuffers: DeviceBuffers,
    readonly memoryChoice: MemoryChoice | undefined,
  ) {
    this.tokensPerMicroBatch = planOptions.tokensPerMicroBatch;
    this.replay = new GpuReplay(context, deviceBuffers, (done, total) =>
      options.onProgress?.({ phase: 'pipelines', done, total, unit: 'shaders' }),
    );
    this.training = plans.training ? new GpuSteps(this.stepsHost(plans.training)) : null;
  }

  static async create(
    context: GpuContext,
    options: EngineOptions & { logits?: boolean },
  ): Promise<WebGpuEngine> {
    const wanted = { ...options, model: modelOf(options.weights.config), weights: options.weights.tensors };
    const { memoryAim: aim, kernels } = options;
    const settings = kernels ? settingsWith(context.settings, kernels) : { ...context.settings };
    const chosen = aim && chooseMemory({ ...wanted, aim }, settings, context.limits);
    const planOptions: PlanOptions = chosen?.options ?? wanted;
    // The cache that the aim counts is allocated when it is first used.
    const plans = chosen
      ? { ...chosen.plans, generation: undefined }
      : makeEnginePlans(wanted, settings, context.limits);
    const weights = await uploadWeights(
      context,
      options.weights,
      weightNames(listPlans(plans)),
      weightGroupsOf(listPlans(plans)),
      options.onProgress,
    );
    const deviceBuffers = new DeviceBuffers(context, plans.layout, weights);
    deviceBuffers.allocate(listPlans(plans));
    const engine = new WebGpuEngine(
      context,
      settings,
      options,
      planOptions,
      plans,
      deviceBuffers,
      chosen?.choice,
    );
    engine.writeState('adapter', initialAdapter(plans.layout, options.seed));
    await Promise.all(
      [plans.training?.train, plans.score, plans.training?.optimizer].map(
        (plan) => plan && engine.replay.executor(plan),
      ),
    );
    context.check();
    return engine;
  }

  get device(): string {
    return `webgpu: ${this.context.name}`;
  }

  get memory(): MemoryReport {
    return memoryReport(this.plans);
  }

  async trainStep(input: StepInput): Promise<StepOutput> {
    return this.steps.take(input);
  }

  /** Loss and gradients of a step without the update, under PEFT's names: for references and checks. */
  gradients(microBatches: MicroBatch[], step = 0): Promise<{ loss: number; gradients: AdapterTensors }> {
    return this.exclusively(async () => {
      const scale = await this.steps.accumulateGradients(microBatches, step);
      const [loss] = new Float32Array(await this.deviceBuffers.read(this.steps.stats, 4));
      const gradients = await this.readRegion('gradients');
      for (const { data } of gradients.values()) data.forEach((value, i) => (data[i] = value / scale));
      return { loss: loss / scale, gradients };
    });
  }

  score(batch: MicroBatch, adapterScale = 1): Promise<TokenScores> {
    return this.exclusively(async () => {
      const loss = await this.forward(this.plans.score, batch, 'tokenLoss', batch.tokens * 4, adapterScale);
      return { loss, correct: await this.readOutput(this.plans.score, 'correct', batch.tokens * 4) };
    });
  }

  /** [T, vocab] of a small model; the engine must have been created with `logits`. */
  logits(batch: MicroBatch): Promise<Float32Array> {
    const { logits } = this.plans;
    if (!logits) throw new Error('the engine was created without logits');
    return this.exclusively(() =>
      this.forward(logits, batch, 'logits', batch.tokens * this.planOptions.model.config.vocab_size * 4),
    );
  }

  generate(prompts: number[][], options: GenerationOptions, watch?: GenerationWatch): Promise<number[][]> {
    return this.exclusively(() =>
      generateInSlots(slotRunner(this.slotsHost, prompts, options), prompts, options, watch),
    );
  }

  readAdapter(): Promise<AdapterTensors> {
    return this.exclusively(() => this.readRegion('adapter'));
  }

  loadAdapter(tensors: AdapterTensors): Promise<void> {
    return this.exclusively(async () => this.writeRegion('adapter', tensors));
  }

  readOptimizer(): Promise<OptimizerState> {
    return this.exclusively(async () => ({
      expAvg: await this.readRegion('expAvg'),
      expAvgSq: await this.readRegion('expAvgSq'),
      steps: this.steps.taken,
    }));
  }

  loadOptimizer(state: OptimizerState): Promise<void> {
    return this.exclusively(async () => {
      this.writeRegion('expAvg', state.expAvg);
      this.writeRegion('expAvgSq', state.expAvgSq);
      this.steps.taken = state.steps;
    });
  }

  /**
   * Milliseconds of one replay of the training plan in one piece, for measurements: `encodeMs` of JavaScript until the command buffer is finished,
   * `submitMs` of the driver's translation inside submit. Gradients and stats are spoilt.
   */
  measureEncode(): Promise<{ encodeMs: number; submitMs: number; dispatches: number }> {
    return this.exclusively(async () => {
      const { device } = this.context;
      const executor = await this.replay.executor(this.steps.trainPlan);
      const started = performance.now();
      const encoder = device.createCommandEncoder();
      const pass = encoder.beginComputePass();
      executor.encode(pass);
      pass.end();
      const commands = encoder.finish();
      const encodeMs = performance.now() - started;
      device.queue.submit([commands]);
      const submitMs = performance.now() - started - encodeMs;
      await device.queue.onSubmittedWorkDone();
      return { encodeMs, submitMs, dispatches: executor.length };
    });
  }

  /** GPU time of one replay of the training plan by kernel. Gradients and stats are spoilt. @throws where the adapter has no timestamps */
  profile(): Promise<KernelTime[]> {
    return this.exclusively(async () =>
      profilePlan(this.context, await this.replay.executor(this.steps.trainPlan)),
    );
  }

  /** When the passes of the replays that `work` asks for ran on the GPU. @throws where the adapter has no timestamps */
  timePasses(work: () => Promise<unknown>): Promise<PassSpan[]> {
    return this.replay.timePasses(work);
  }

  /** Frees the buffers; the device stays its owner's. */
  dispose(): void {
    this.context.releaseBuffers();
  }

  private async forward(
    plan: Plan,
    batch: MicroBatch,
    output: string,
    bytes: number,
    adapterScale = 1,
  ): Promise<Float32Array> {
    this.writeBatch(plan, batch);
    this.deviceBuffers.write(plan, 'adapterScale', new Float32Array(batch.tokens).fill(adapterScale));
    await this.replay.run(plan);
    return this.readOutput(plan, output, bytes);
  }

  private async readOutput(plan: Plan, output: string, bytes: number): Promise<Float32Array> {
    return new Float32Array(await this.deviceBuffers.read(this.deviceBuffers.output(plan, output), bytes));
  }

  private writeBatch(plan: Plan, batch: MicroBatch): void {
    if (batch.tokens !== this.tokensPerMicroBatch)
      throw new Error(`a batch of ${batch.tokens} tokens for a plan of ${this.tokensPerMicroBatch}`);
    for (const name of [
      'inputIds',
      'positions',
      'documentStart',
      'documentEnd',
      'documentIndex',
      'targets',
    ] as const)
      this.deviceBuffers.write(plan, name, batch[name]);
  }

  private get slotsHost(): SlotsHost {
    const { plans, planOptions, settings, deviceBuffers, replay, context } = this;
    return {
      plans,
      planOptions,
      asked: this.options.generation,
      settings,
      limits: context.limits,
      deviceBuffers,
      replay,
    };
  }

  private region(name: AdapterState): readonly GPUBuffer[] {
    return this.deviceBuffers.state(name, this.plans.layout.elements);
  }

  private async readRegion(name: AdapterState): Promise<AdapterTensors> {
    const { layout } = this.plans;
    const flat = new Float32Array(layout.elements);
    for (const [i, { first, elements }] of layout.pieces.entries())
      flat.set(new Float32Array(await this.deviceBuffers.read(this.region(name)[i], elements * 4)), first);
    return adapterTensors(layout, flat);
  }

  private writeRegion(name: AdapterState, tensors: AdapterTensors): void {
    this.writeState(name, fillAdapter(this.plans.layout, tensors));
  }

  private writeState(name: AdapterState, flat: Float32Array): void {
    for (const [i, { first, elements }] of this.plans.layout.pieces.entries())
      this.context.device.queue.writeBuffer(
        this.region(name)[i],
        0,
        flat as Float32Array<ArrayBuffer>,
        first,
        elements,
      );
  }

  private stepsHost(plans: NonNullable<EnginePlans['training']>): StepsHost {
    const { context, settings, deviceBuffers, replay, options } = this;
    return {
      context,
      settings,
      deviceBuffers,
      replay,
      plans,
      elements: this.plans.layout.elements,
      seed: options.seed,
      writeBatch: (plan, batch) => this.writeBatch(plan, batch),
      exclusively: (call) => this.exclusively(call),
    };
  }

  private get steps(): GpuSteps {
    if (!this.training) throw new Error('the engine was created for answering only');
    return this.training;
  }

  /** Runs one call at a time: they share the arenas. @throws DeviceLostError where that is what made it fail */
  private exclusively<T>(call: () => Promise<T>): Promise<T> {
    const result = this.turn.then(call).catch(async (error: unknown) => {
      throw await this.context.causeOf(error);
    });
    this.turn = settled(result);
    return result;
  }
}
