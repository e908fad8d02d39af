/**
 * The engine on TensorFlow.js for browsers without WebGPU: the same graphs, gradients by tf.grads. It is
 * slow, for small models.
 */
import type { MicroBatch } from '../../data/types.ts';
import { elements } from '../../graph/value.ts';
import { magnitudeName, normName, type AdapterLayout } from '../../model/adapterLayout.ts';
import { initialAdapter } from '../../model/initialAdapter.ts';
import { modelOf } from '../../model/families/registry.ts';
import type { Graph } from '../../graph/graph.ts';
import type { TensorFlow, TensorFlowTensor } from '../../graph/tensorflowTypes.ts';
import { TensorFlowExecutor } from '../../plan/tensorflow/tensorflowExecutor.ts';
import { loadTensorFlow, type TensorFlowBackend } from '../../plan/tensorflow/loadTensorflow.ts';
import { adapterTensors, fillAdapter } from '../adapterTensors.ts';
import {
  NonFiniteError,
  type AdapterTensors,
  type Engine,
  type EngineOptions,
  type GenerationOptions,
  type GenerationWatch,
  type MemoryReport,
  type OptimizerState,
  type StepInput,
  type StepOutput,
  type TokenScores,
} from '../engine.ts';
import type { PlanOptions } from '../enginePlans.ts';
import { supervisedTokens } from '../supervisedTokens.ts';
import { continuePrompt, type LogitsOf } from './continuePrompt.ts';
import { asPlanned, withHead } from '../headDtype.ts';
import { batchFeeds, fallbackGraphs, fallbackMemory, type FallbackGraphs } from './fallbackGraphs.ts';
import { HostNorms } from './hostNorms.ts';
import { adamOf } from '../trainingSettings.ts';
import { HostOptimizer } from './hostOptimizer.ts';
import { weightTensors } from './weightValues.ts';
import { Turns } from '../../lib/promises.ts';

export class TensorFlowEngine implements Engine {
  readonly tokensPerMicroBatch: number;
  readonly stepsAhead = 0;
  private readonly layout: AdapterLayout;
  private readonly adapter: Float32Array;
  private readonly optimizer: HostOptimizer;
  private readonly norms: HostNorms;
  private readonly turns = new Turns();

  private constructor(
    private readonly tf: TensorFlow,
    readonly device: string,
    readonly memory: MemoryReport,
    private readonly options: EngineOptions,
    private readonly graphs: FallbackGraphs,
    private readonly weights: ReadonlyMap<string, TensorFlowTensor>,
  ) {
    this.tokensPerMicroBatch = options.tokensPerMicroBatch;
    this.layout = graphs.train.layout;
    this.adapter = initialAdapter(this.layout, options.seed, options.lora.init_lora_weights);
    this.optimizer = new HostOptimizer(this.adapter, this.layout.bStart, adamOf(options.settings));
    this.norms = new HostNorms(tf, this.layout, options.weights.tensors, weights);
  }

  /** @param backends tried in order; webgl, then cpu where absent */
  static async create(
    { weights: stored, ...rest }: EngineOptions,
    backends?: readonly TensorFlowBackend[],
  ): Promise<TensorFlowEngine> {
    const { tf, backend } = await loadTensorFlow(backends);
    const model = modelOf(stored.config);
    const planned = withHead(rest.headDtype, model, stored.tensors);
    const options = { ...rest, weights: asPlanned(stored, planned) };
    const planOptions: PlanOptions = { ...options, model, weights: planned };
    const weights = await weightTensors(tf, options);
    const engine = new TensorFlowEngine(
      tf,
      `TensorFlow.js: ${backend}`,
      fallbackMemory(planOptions),
      options,
      fallbackGraphs(planOptions),
      weights,
    );
    await engine.normsToMagnitudes();
    return engine;
  }

  trainStep(input: StepInput): Promise<StepOutput> {
    return this.exclusively(async () => {
      const gradients = new Float32Array(this.layout.elements);
      const made = await this.lossWeights(input);
      let weighted = 0;
      for (const [i, batch] of input.microBatches.entries())
        weighted += await this.addGradients(batch, made.weights[i], input.step, gradients);
      const loss = made.loss ?? weighted;
      const gradNorm = Math.sqrt(gradients.reduce((sum, g) => sum + g * g, 0));
      if (!Number.isFinite(loss)) throw new NonFiniteError('loss', input.step);
      if (!Number.isFinite(gradNorm)) throw new NonFiniteError('gradient norm', input.step);
      this.optimizer.update(gradients, gradNorm, input);
      this.norms.adapterChanged();
      return { loss, gradNorm };
    });
  }

  score(batch: MicroBatch, scale = 1): Promise<TokenScores> {
    return this.exclusively(async () => {
      const [loss, correct] = await this.forward(this.graphs.score, ['tokenLoss', 'correct'], batch, scale);
      return { loss, correct };
    });
  }

  generate(
    prompts: number[][],
    options: GenerationOptions,
    watch: GenerationWatch = {},
  ): Promise<number[][]> {
    return this.exclusively(async () => {
      const model: LogitsOf = {
        tokens: this.tokensPerMicroBatch,
        logits: async (batch, scale) => (await this.forward(this.graphs.logits, ['logits'], batch, scale))[0],
      };
      const results: number[][] = [];
      for (const [index, prompt] of prompts.entries())
        results.push(await continuePrompt(model, prompt, index, options, watch));
      return results;
    });
  }

  readAdapter(): Promise<AdapterTensors> {
    return this.exclusively(async () => adapterTensors(this.layout, this.adapter));
  }

  loadAdapter(tensors: AdapterTensors): Promise<void> {
    return this.exclusively(async () => {
      this.adapter.set(fillAdapter(this.layout, tensors));
      this.norms.adapterChanged();
    });
  }

  readOptimizer(): Promise<OptimizerState> {
    return this.exclusively(async () => ({
      expAvg: adapterTensors(this.layout, this.optimizer.expAvg),
      expAvgSq: adapterTensors(this.layout, this.optimizer.expAvgSq),
      steps: this.optimizer.steps,
    }));
  }

  loadOptimizer(state: OptimizerState): Promise<void> {
    return this.exclusively(async () => {
      this.optimizer.expAvg.set(fillAdapter(this.layout, state.expAvg));
      this.optimizer.expAvgSq.set(fillAdapter(this.layout, state.expAvgSq));
      this.optimizer.steps = state.steps;
    });
  }

  dispose(): void {
    for (const tensor of this.weights.values()) tensor.dispose();
  }

  /** How the losses of a step's tokens enter its loss; null: as their weighted sum. */
  private async lossWeights({
    microBatches,
    step,
    objective,
  }: StepInput): Promise<{ loss: number | null; weights: Float32Array[] }> {
    if (!objective) {
      const supervised = supervisedTokens(microBatches, step);
      const weights = microBatches.map(({ targets }) =>
        Float32Array.from(targets, (target) => (target < 0 ? 0 : 1 / supervised)),
      );
      return { loss: null, weights };
    }
    const losses: Float32Array[] = [];
    for (const batch of [...microBatches, ...(objective.extra ?? [])])
      losses.push((await this.forward(this.graphs.score, ['tokenLoss'], batch, 1))[0]);
    return objective.evaluate(losses);
  }

  private async addGradients(
    batch: MicroBatch,
    lossWeights: Float32Array,
    step: number,
    into: Float32Array,
  ): Promise<number> {
    const { graph, seeds } = this.graphs.train;
    const parameters = this.parameterTensors();
    const norms = await this.norms.feeds(parameters);
    const feeds = await batchFeeds(graph, this.options.weights, batch);
    const executor = new TensorFlowExecutor(this.tf, graph, this.weights);
    const { loss, gradients } = executor.gradients(
      seeds,
      { ...feeds, ...norms, lossWeights, random: new Uint32Array([this.options.seed, step]) },
      parameters,
    );
    for (const [name, gradient] of gradients) {
      const values = await gradient.data();
      const { offset } = this.layout.find(name);
      for (let i = 0; i < values.length; i++) into[offset + i] += values[i];
    }
    const [value] = await loss.data();
    this.tf.dispose([loss, ...gradients.values(), ...parameters.values()]);
    executor.dispose();
    return value;
  }

  private async forward(
    graph: Graph,
    outputs: readonly string[],
    batch: MicroBatch,
    adapterScale: number,
  ): Promise<Float32Array[]> {
    const parameters = this.parameterTensors();
    const norms = await this.norms.feeds(parameters);
    const feeds = await batchFeeds(graph, this.options.weights, batch);
    const executor = new TensorFlowExecutor(this.tf, graph, this.weights);
    const values = executor.run(
      outputs.map((output) => graph.find('output', output)),
      { ...feeds, ...norms, adapterScale: new Float32Array(batch.tokens).fill(adapterScale) },
      parameters,
    );
    const data = await Promise.all(values.map(async (value) => Float32Array.from(await value.data())));
    this.tf.dispose([...values, ...parameters.values()]);
    executor.dispose();
    return data;
  }

  /** DoRA's first magnitudes: the norms of each module's rows. */
  private async normsToMagnitudes(): Promise<void> {
    if (!this.layout.magnitudes) return;
    const parameters = this.parameterTensors();
    const norms = await this.norms.feeds(parameters);
    this.tf.dispose([...parameters.values()]);
    for (const module of this.layout.groups.flatMap(({ modules }) => modules))
      this.adapter.set(norms[normName(module)], this.layout.find(magnitudeName(module)).offset);
  }

  private parameterTensors(): Map<string, TensorFlowTensor> {
    return new Map(
      [...this.layout.parameters.values()].map(({ name, shape, offset }) => [
        name,
        this.tf.tensor(this.adapter.slice(offset, offset + elements({ shape })), shape),
      ]),
    );
  }

  private exclusively<T>(call: () => Promise<T>): Promise<T> {
    return this.turns.take(call);
  }
}
