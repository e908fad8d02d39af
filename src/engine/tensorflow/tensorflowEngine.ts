/** The engine on TensorFlow.js, where a browser has no WebGPU: the same graphs, gradients by tf.grads. For small models; slow. */
import { packDocuments } from '../../data/packing.ts';
import type { MicroBatch } from '../../data/types.ts';
import { mix32, randomKey, randomUnit } from '../../lib/counterRandom.ts';
import type { AdapterLayout } from '../../model/adapterLayout.ts';
import { initialAdapter } from '../../model/adapterTargets.ts';
import { logitsGraph, scoreGraph, trainGraph, type TrainGraph } from '../../model/planGraphs.ts';
import { modelOf } from '../../model/families/registry.ts';
import { ADAM } from '../../ops/optimizer/adamW.ts';
import type { Graph } from '../../graph/graph.ts';
import { valueBytes } from '../../graph/value.ts';
import type { HostData, TensorFlow, TensorFlowTensor } from '../../graph/tensorflowTypes.ts';
import { TensorFlowExecutor, type Feeds } from '../../plan/tensorflow/tensorflowExecutor.ts';
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
import { weightValues } from './weightValues.ts';
import { settled } from '../../lib/promises.ts';

/** What the fallback holds, estimated: weights in float32, and every forward value of a step twice (itself and its gradient). */
export function fallbackMemory(options: PlanOptions): MemoryReport {
  const { graph, layout } = graphsOf(options).train;
  const weights = [...options.weights.values()].reduce((sum, info) => sum + valueBytes(info), 0);
  const forward = graph.nodes.filter((node) => node.op.tensorflow).flatMap((node) => node.outputs);
  const activations = 2 * forward.reduce((sum, value) => sum + valueBytes(value), 0);
  const adapter = layout.elements * 4;
  return {
    weights,
    adapter,
    optimizer: 3 * adapter,
    activations,
    batch: 0,
    kvCache: 0,
    total: weights + 4 * adapter + activations,
  };
}

function graphsOf(options: PlanOptions): { train: TrainGraph; score: Graph; logits: Graph } {
  const shared = {
    tokens: options.tokensPerMicroBatch,
    positions: options.tokensPerMicroBatch,
    lora: options.lora,
    weights: options.weights,
  };
  return {
    train: trainGraph(options.model, shared, false),
    score: scoreGraph(options.model, shared),
    logits: logitsGraph(options.model, shared),
  };
}

export class TensorFlowEngine implements Engine {
  readonly tokensPerMicroBatch: number;
  readonly stepsAhead = 0;
  private readonly layout: AdapterLayout;
  private readonly adapter: Float32Array;
  private readonly expAvg: Float32Array;
  private readonly expAvgSq: Float32Array;
  private steps = 0;
  private turn: Promise<unknown> = Promise.resolve();

  private constructor(
    private readonly tf: TensorFlow,
    readonly device: string,
    readonly memory: MemoryReport,
    private readonly options: EngineOptions,
    private readonly graphs: ReturnType<typeof graphsOf>,
    private readonly weights: ReadonlyMap<string, TensorFlowTensor>,
  ) {
    this.tokensPerMicroBatch = options.tokensPerMicroBatch;
    this.layout = graphs.train.layout;
    this.adapter = initialAdapter(this.layout, options.seed);
    this.expAvg = new Float32Array(this.layout.elements);
    this.expAvgSq = new Float32Array(this.layout.elements);
  }

  /** @param backends tried in order */
  static async create(
    options: EngineOptions,
    backends?: readonly TensorFlowBackend[],
  ): Promise<TensorFlowEngine> {
    const { tf, backend } = await loadTensorFlow(backends);
    const planOptions: PlanOptions = {
      ...options,
      model: modelOf(options.weights.config),
      weights: options.weights.tensors,
    };
    const weights = new Map<string, TensorFlowTensor>();
    const names = [...options.weights.tensors.keys()];
    for (const [done, name] of names.entries()) {
      weights.set(
        name,
        tf.tensor(await weightValues(options.weights, name), options.weights.tensors.get(name)!.shape),
      );
      options.onProgress?.({ phase: 'weights', done: done + 1, total: names.length, unit: 'bytes' });
    }
    return new TensorFlowEngine(
      tf,
      `TensorFlow.js: ${backend}`,
      fallbackMemory(planOptions),
      options,
      graphsOf(planOptions),
      weights,
    );
  }

  trainStep(input: StepInput): Promise<StepOutput> {
    return this.exclusively(async () => {
      const gradients = new Float32Array(this.layout.elements);
      const supervised = input.microBatches.reduce((sum, batch) => sum + batch.supervisedTokens, 0);
      if (supervised === 0)
        throw new Error(`step ${input.step + 1} has no supervised token: every answer in it is empty`);
      let loss = 0;
      for (const batch of input.microBatches)
        loss += await this.addGradients(batch, supervised, input.step, gradients);
      const gradNorm = Math.sqrt(gradients.reduce((sum, g) => sum + g * g, 0));
      if (!Number.isFinite(loss)) throw new NonFiniteError('loss', input.step);
      if (!Number.isFinite(gradNorm)) throw new NonFiniteError('gradient norm', input.step);
      this.update(gradients, gradNorm, input);
      return { loss, gradNorm };
    });
  }

  score(batch: MicroBatch, adapterScale = 1): Promise<TokenScores> {
    return this.exclusively(async () => {
      const [loss, correct] = await this.forward(
        this.graphs.score,
        ['tokenLoss', 'correct'],
        batch,
        adapterScale,
      );
      return { loss, correct };
    });
  }

  generate(
    prompts: number[][],
    options: GenerationOptions,
    watch: GenerationWatch = {},
  ): Promise<number[][]> {
    return this.exclusively(async () => {
      const results: number[][] = [];
      for (const [index, prompt] of prompts.entries())
        results.push(await this.continuePrompt(prompt, index, options, watch));
      return results;
    });
  }

  readAdapter(): Promise<AdapterTensors> {
    return this.exclusively(async () => adapterTensors(this.layout, this.adapter));
  }

  loadAdapter(tensors: AdapterTensors): Promise<void> {
    return this.exclusively(async () => this.adapter.set(fillAdapter(this.layout, tensors)));
  }

  readOptimizer(): Promise<OptimizerState> {
    return this.exclusively(async () => ({
      expAvg: adapterTensors(this.layout, this.expAvg),
      expAvgSq: adapterTensors(this.layout, this.expAvgSq),
      steps: this.steps,
    }));
  }

  loadOptimizer(state: OptimizerState): Promise<void> {
    return this.exclusively(async () => {
      this.expAvg.set(fillAdapter(this.layout, state.expAvg));
      this.expAvgSq.set(fillAdapter(this.layout, state.expAvgSq));
      this.steps = state.steps;
    });
  }

  dispose(): void {
    for (const tensor of this.weights.values()) tensor.dispose();
  }

  private async addGradients(
    batch: MicroBatch,
    supervised: number,
    step: number,
    into: Float32Array,
  ): Promise<number> {
    const { graph, seeds } = this.graphs.train;
    const lossWeights = Float32Array.from(batch.targets, (target) => (target < 0 ? 0 : 1 / supervised));
    const parameters = this.parameterTensors();
    const executor = new TensorFlowExecutor(this.tf, graph, this.weights);
    const { loss, gradients } = executor.gradients(
      seeds,
      { ...feedsOf(batch), lossWeights, random: new Uint32Array([this.options.seed, step]) },
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

  /** AdamW as shaders/adamw.wgsl has it. */
  private update(gradients: Float32Array, gradNorm: number, input: StepInput): void {
    const t = ++this.steps;
    const clip = input.maxGradNorm > 0 ? Math.min(1, input.maxGradNorm / (gradNorm + 1e-6)) : 1;
    for (let i = 0; i < gradients.length; i++) {
      const rate = input.learningRate * (i >= this.layout.bStart ? (input.loraPlusLrRatio ?? 1) : 1);
      const g = gradients[i] * clip;
      this.expAvg[i] += (g - this.expAvg[i]) * (1 - ADAM.beta1);
      this.expAvgSq[i] = this.expAvgSq[i] * ADAM.beta2 + g * g * (1 - ADAM.beta2);
      const step =
        ((rate / (1 - ADAM.beta1 ** t)) * this.expAvg[i]) /
        (Math.sqrt(this.expAvgSq[i]) / Math.sqrt(1 - ADAM.beta2 ** t) + ADAM.eps);
      this.adapter[i] = this.adapter[i] * (1 - rate * input.weightDecay) - step;
    }
  }

  private async forward(
    graph: Graph,
    outputs: readonly string[],
    batch: MicroBatch,
    adapterScale: number,
  ): Promise<Float32Array[]> {
    const parameters = this.parameterTensors();
    const executor = new TensorFlowExecutor(this.tf, graph, this.weights);
    const values = executor.run(
      outputs.map((output) => graph.find('output', output)),
      { ...feedsOf(batch), adapterScale: new Float32Array(batch.tokens).fill(adapterScale) },
      parameters,
    );
    const data = await Promise.all(values.map(async (value) => Float32Array.from(await value.data())));
    this.tf.dispose([...values, ...parameters.values()]);
    executor.dispose();
    return data;
  }

  private async continuePrompt(
    prompt: number[],
    index: number,
    options: GenerationOptions,
    watch: GenerationWatch,
  ): Promise<number[]> {
    const ids = [...prompt];
    const adapterScale = options.adapterScales?.[index] ?? 1;
    while (
      !watch.stopped?.() &&
      ids.length < this.tokensPerMicroBatch &&
      ids.length - prompt.length < options.maxNewTokens
    ) {
      const [batch] = packDocuments([{ inputIds: ids, labels: ids }], {
        tokens: this.tokensPerMicroBatch,
        padTokenId: 0,
      });
      const [logits] = await this.forward(this.graphs.logits, ['logits'], batch, adapterScale);
      const vocabulary = logits.length / this.tokensPerMicroBatch;
      const key = randomKey(
        randomKey(mix32(options.seed), options.streams?.[index] ?? index),
        ids.length - prompt.length,
      );
      const next = pick(
        logits.subarray((ids.length - 1) * vocabulary, ids.length * vocabulary),
        options,
        randomUnit(key),
      );
      ids.push(next);
      watch.onIds?.(index, ids.slice(prompt.length));
      if (options.stopTokenIds.includes(next)) break;
    }
    return ids.slice(prompt.length);
  }

  private parameterTensors(): Map<string, TensorFlowTensor> {
    return new Map(
      [...this.layout.parameters.values()].map(({ name, shape, offset }) => [
        name,
        this.tf.tensor(this.adapter.slice(offset, offset + shape[0] * shape[1]), shape),
      ]),
    );
  }

  private exclusively<T>(call: () => Promise<T>): Promise<T> {
    const result = this.turn.then(call);
    this.turn = settled(result);
    return result;
  }
}

/** A micro-batch as the graph's inputs. */
function feedsOf({
  inputIds,
  positions,
  documentStart,
  documentEnd,
  documentIndex,
  targets,
}: MicroBatch): Feeds {
  return { inputIds, positions, documentStart, documentEnd, documentIndex, targets } satisfies Record<
    string,
    HostData
  >;
}

/** Greedy, or temperature and top-p: the likeliest tokens whose probability reaches topP, drawn by `draw` in [0, 1). */
function pick(
  logits: Float32Array,
  { doSample, temperature, topP }: GenerationOptions,
  draw: number,
): number {
  const order = Array.from(logits.keys()).sort((a, b) => logits[b] - logits[a] || a - b);
  if (!doSample) return order[0];
  const weights = order.map((id) => Math.exp((logits[id] - logits[order[0]]) / temperature));
  const total = weights.reduce((a, b) => a + b, 0);
  let kept = 0;
  let mass = 0;
  while (kept < order.length && mass < topP * total) mass += weights[kept++];
  let left = draw * mass;
  for (let i = 0; i < kept; i++) if ((left -= weights[i]) < 0) return order[i];
  return order[kept - 1];
}
