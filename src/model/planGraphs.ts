/**
 * The graphs of a model: train, score, logits, prefill, decode and the optimiser step, all from the one
 * forward pass.
 */
import { adamW, STATS } from '../ops/optimizer/adamW.ts';
import { gatherRows } from '../ops/embedding/gatherRows.ts';
import { Graph } from '../graph/graph.ts';
import { linear } from '../ops/matmul/linear.ts';
import { linearCrossEntropy } from '../ops/loss/linearCrossEntropy.ts';
import { sample } from '../ops/sampling/sample.ts';
import { softcap } from '../ops/elementwise/softcap.ts';
import { weightedSum } from '../ops/loss/weightedSum.ts';
import { differentiate, type Checkpointing, type Seed } from '../plan/autodiff.ts';
import { AdapterLayout } from './adapterLayout.ts';
import { ModelBuilder, type BuilderOptions } from './builder.ts';
import type { Model } from './architecture.ts';

export interface GraphOptions extends Omit<BuilderOptions, 'mode'> {
  /** Where one buffer is too small for the adapter: elements of each. */
  adapterPieceElements?: number;
}

export interface TrainGraph {
  graph: Graph;
  layout: AdapterLayout;
  /** The losses [T] and the weights with which they enter. */
  seeds: Seed[];
}

function lossOf(m: ModelBuilder, model: Model) {
  const targets = m.graph.input('targets', [m.options.tokens], 'i32');
  return linearCrossEntropy(
    m.graph,
    model.forward(m),
    m.weight(model.headWeight),
    targets,
    model.config.final_logit_softcapping,
  );
}

/** Loss added into stats, gradients into the parameters' gradient buffer. */
export function trainGraph(
  model: Model,
  options: GraphOptions,
  checkpoint: boolean | readonly Checkpointing[],
): TrainGraph {
  const m = new ModelBuilder({ ...options, mode: 'train' });
  const { graph } = m;
  const { loss } = lossOf(m, model);
  const weights = graph.input('lossWeights', [options.tokens], 'f32');
  weightedSum(graph, loss, weights, graph.state('stats', [STATS]));
  const seeds = [{ value: loss, gradient: weights }];
  differentiate(graph, seeds, { checkpoint });
  return { graph, layout: new AdapterLayout(m.groups, options.lora.r, options.adapterPieceElements), seeds };
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

/** Global norm, clip, AdamW over the whole adapter. */
export function optimizerGraph(layout: AdapterLayout): Graph {
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
  );
  return graph;
}
