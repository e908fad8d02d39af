/** The graphs that the TensorFlow.js engine runs, and an estimate of the memory that they take. */
import type { MicroBatch } from '../../data/types.ts';
import type { WeightSource } from '../../formats/tensors.ts';
import type { Graph } from '../../graph/graph.ts';
import { valueBytes } from '../../graph/value.ts';
import { modelOf } from '../../model/families/registry.ts';
import { logitsGraph, scoreGraph, trainGraph, type TrainGraph } from '../../model/planGraphs.ts';
import type { Feeds } from '../../plan/tensorflow/tensorflowExecutor.ts';
import { checkBatchIds } from '../checkIds.ts';
import { hostRows, tableInputs } from '../hostRows.ts';
import type { MemoryReport } from '../engine.ts';
import { graphSettings } from '../trainingSettings.ts';
import type { PlanOptions } from '../enginePlans.ts';

export interface FallbackGraphs {
  train: TrainGraph;
  score: Graph;
  logits: Graph;
}

/** Nothing is recomputed: TensorFlow.js keeps what its gradients need. */
export function fallbackGraphs(options: PlanOptions): FallbackGraphs {
  const shared = {
    tokens: options.tokensPerMicroBatch,
    positions: options.tokensPerMicroBatch,
    lora: options.lora,
    weights: options.weights,
  };
  return {
    train: trainGraph(options.model, { ...shared, ...graphSettings(options.settings) }, false),
    score: scoreGraph(options.model, shared),
    logits: logitsGraph(options.model, shared),
  };
}

/** An estimate: weights in float32, and every forward value of a step twice, itself and its gradient. */
export function fallbackMemory(options: PlanOptions): MemoryReport {
  const { graph, layout } = fallbackGraphs(options).train;
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

/**
 * The inputs of a graph for a micro-batch, rows of stored tables included.
 * @throws Error where an id has no row in the model's tables
 */
export async function batchFeeds(graph: Graph, weights: WeightSource, batch: MicroBatch): Promise<Feeds> {
  checkBatchIds(batch, modelOf(weights.config).config.vocab_size);
  const { inputIds, positions, documentStart, documentEnd, documentIndex, targets } = batch;
  const rows = await hostRows(weights, tableInputs(graph.values), inputIds);
  return { inputIds, positions, documentStart, documentEnd, documentIndex, targets, ...rows };
}
