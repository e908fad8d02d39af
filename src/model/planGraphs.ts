/**
 * The graphs of a model: train, score, logits, prefill, decode and the optimiser step, all from the one
 * forward pass.
 */
import { adamW, STATS, type AdamSettings } from '../ops/optimizer/adamW.ts';
import { gatherRows } from '../ops/embedding/gatherRows.ts';
import { Graph } from '../graph/graph.ts';
import type { Value } from '../graph/value.ts';
import { linear } from '../ops/matmul/linear.ts';
import { doraNorms } from '../ops/lora/dora.ts';
import { linearCrossEntropy } from '../ops/loss/linearCrossEntropy.ts';
import { sum } from '../ops/numbered.ts';
import { sample } from '../ops/sampling/sample.ts';
import { softcap } from '../ops/elementwise/softcap.ts';
import { weightedSum } from '../ops/loss/weightedSum.ts';
import { differentiate, type Checkpointing, type Seed } from '../plan/autodiff.ts';
import { AdapterLayout, groupName, normName } from './adapterLayout.ts';
import { ModelBuilder, type BuilderOptions } from './builder.ts';
import type { Model } from './architecture.ts';

export interface GraphOptions extends Omit<BuilderOptions, 'mode'> {
  /** Where one buffer is too small for the adapter: elements of each. */
  adapterPieceElements?: number;
  /** Of the training loss: the share of each label that is spread over the vocabulary. */
  labelSmoothing?: number;
}

export interface TrainGraph {
  graph: Graph;
  layout: AdapterLayout;
  /** The losses [T] and the weights with which they enter. */
  seeds: Seed[];
}

function lossOf(m: ModelBuilder, model: Model, smoothing = 0) {
  const targets = m.graph.input('targets', [m.options.tokens], 'i32');
  return linearCrossEntropy(m.graph, model.forward(m), m.weight(model.headWeight), targets, {
    softcap: model.config.final_logit_softcapping,
    smoothing,
  });
}

/** Loss added into stats, gradients into the parameters' gradient buffer. */
export function trainGraph(
  model: Model,
  options: GraphOptions,
  checkpoint: boolean | Checkpointing | readonly Checkpointing[],
): TrainGraph {
  const m = new ModelBuilder({ ...options, mode: 'train' });
  const { graph } = m;
  const { loss } = lossOf(m, model, options.labelSmoothing);
  const weights = graph.input('lossWeights', [options.tokens], 'f32');
  weightedSum(graph, loss, weights, graph.state('stats', [STATS]));
  const seeds = [{ value: loss, gradient: weights }];
  differentiate(graph, seeds, { checkpoint });
  return { graph, layout: layoutOf(m, options), seeds };
}

/** Where the adapter's matrices lie, for plans that do not train them. */
export function adapterLayout(model: Model, options: GraphOptions): AdapterLayout {
  const m = new ModelBuilder({ ...options, mode: 'score' });
  model.forward(m);
  return layoutOf(m, options);
}

/** @param m that the forward pass was written with */
function layoutOf(m: ModelBuilder, { lora, adapterPieceElements }: GraphOptions): AdapterLayout {
  return new AdapterLayout(m.groups, adapterPieceElements, lora.use_dora);
}

/**
 * Outputs: tokenLoss [T] and correct [T] (1 where the argmax is the target), both 0 where there is no target.
 */
export function scoreGraph(model: Model, options: GraphOptions): Graph {
  const m = new ModelBuilder({ ...options, mode: 'score' });
  const { loss, correct } = lossOf(m, model);
  m.graph.output('tokenLoss', loss);
  m.graph.output('correct', correct);
  return m.graph;
}

/** Outputs: logits [T, vocab]. For checks on small models only. */
export function logitsGraph(model: Model, options: GraphOptions): Graph {
  const m = new ModelBuilder({ ...options, mode: 'score' });
  const cap = model.config.final_logit_softcapping;
  const logits = linear(m.graph, model.forward(m), m.weight(model.headWeight));
  m.graph.output('logits', cap > 0 ? softcap(m.graph, logits, cap) : logits);
  return m.graph;
}

/** Reads prompts into the cache and picks each slot's first new id. Outputs: ids [slots]. */
export function prefillGraph(
  model: Model,
  options: GraphOptions & { cache: { slots: number; length: number } },
): Graph {
  const m = new ModelBuilder({ ...options, mode: 'prefill' });
  const last = gatherRows(m.graph, model.forward(m), m.graph.input('lastRows', [options.cache.slots], 'u32'));
  pickIds(m, model, last, options.cache.slots);
  return m.graph;
}

/** One more token for each slot. Outputs: ids [slots]. */
export function decodeGraph(
  model: Model,
  options: Omit<GraphOptions, 'tokens'> & { cache: { slots: number; length: number } },
): Graph {
  const m = new ModelBuilder({ ...options, tokens: options.cache.slots, mode: 'decode' });
  pickIds(m, model, model.forward(m), options.cache.slots);
  return m.graph;
}

function pickIds(m: ModelBuilder, model: Model, hidden: ReturnType<Model['forward']>, slots: number): void {
  const logits = linear(m.graph, hidden, m.weight(model.headWeight));
  m.graph.output(
    'ids',
    sample(
      m.graph,
      logits,
      m.graph.input('samplingOptions', [3], 'f32'),
      m.graph.input('samplingKeys', [2 + slots], 'u32'),
      model.config.final_logit_softcapping,
    ),
  );
}

/**
 * DoRA's row norms |W + s B A| of every adapted module, each written to its state. They are due again
 * whenever the adapter has changed.
 */
export function doraNormGraph(
  { groups }: AdapterLayout,
  weights: GraphOptions['weights'],
): { graph: Graph; norms: Value[] } {
  const graph = new Graph(false);
  const norms: Value[] = [];
  for (const { modules, inFeatures, outFeatures, rank, scale } of groups) {
    const states = modules.map((module, g) => graph.state(normName(module), [outFeatures[g]]));
    doraNorms(graph, {
      weights: modules.map((module) => {
        const { name, shape, kind } = weights.get(`${module}.weight`)!;
        return graph.weight(name, shape, kind);
      }),
      a: graph.parameter(groupName(modules, 'A'), [modules.length * rank, inFeatures]),
      b: graph.parameter(groupName(modules, 'B'), [sum(outFeatures), rank]),
      states,
      scale,
    });
    for (const state of states) norms.push(state);
  }
  return { graph, norms };
}

/** Global norm, clip, AdamW over the whole adapter. */
export function optimizerGraph(layout: AdapterLayout, adam?: AdamSettings): Graph {
  const graph = new Graph(false);
  const whole = (name: string) => graph.state(name, [layout.elements]);
  adamW(
    graph,
    {
      parameters: whole('adapter'),
      gradients: whole('gradients'),
      expAvg: whole('expAvg'),
      expAvgSq: whole('expAvgSq'),
      stats: graph.state('stats', [STATS]),
      scalars: graph.input('scalars', [7], 'f32'),
    },
    layout.bStart,
    adam,
  );
  return graph;
}
