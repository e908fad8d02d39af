/**
 * LoRA over one projection and several, and with an adapter scale for each token, as in scoring and
 * generation.
 */
import type { TensorKind } from '../../formats/tensors.ts';
import { Graph } from '../../graph/graph.ts';
import { elements } from '../../graph/value.ts';
import { add } from '../../ops/elementwise/add.ts';
import { doraNormOp, doraScale } from '../../ops/lora/dora.ts';
import { lora } from '../../ops/lora/lora.ts';
import { linearGroup } from '../../ops/matmul/linearGroup.ts';
import { sum } from '../../ops/numbered.ts';
import { caseList, uniform, type OpCase } from '../caseBuilder.ts';
import { stored } from '../caseWeights.ts';

/**
 * Ranks and widths that the GPU kernels do not take, then ones that they do, at and past the borders of their
 * tiles.
 */
const LORAS: [rank: number, tokens: number, width: number, outs: number[]][] = [
  [5, 9, 41, [20]],
  [4, 34, 24, [8, 12, 16, 20]],
  [16, 132, 264, [64, 136]],
  [8, 71, 52, [140, 12, 4]],
  [64, 36, 128, [24, 40, 4]],
  [128, 34, 16, [20, 8]],
];

/** An adapter whose scale differs from token to token. With `kind` it is added to products of that kind. */
function adapterScaleCase(
  rank: number,
  tokens: number,
  width: number,
  outs: number[],
  kind?: TensorKind,
): OpCase {
  const name = `lora of ${outs.length} ${kind ? `linear ${kind}` : 'projections'} with an adapter scale a token, rank ${rank}, ${tokens}×${width}`;
  const graph = new Graph(false);
  const feeds: OpCase['feeds'] = {};
  const input = (key: string, shape: number[]) => {
    feeds[key] = uniform(elements({ shape }), Object.keys(feeds).length + 21);
    return graph.input(key, shape, 'f32');
  };
  const parameters: OpCase['parameters'] = new Map();
  const parameter = (key: string, shape: number[]) => {
    parameters.set(key, { shape, values: uniform(elements({ shape }), parameters.size + 31) });
    return graph.parameter(key, shape);
  };
  const weights: OpCase['weights'] = new Map();
  const weight = (key: string, shape: number[], of: TensorKind) => {
    weights.set(key, { shape, ...stored(uniform(elements({ shape }), weights.size + 41), of) });
    return graph.weight(key, shape, of);
  };
  const x = input('x', [tokens, width]);
  const ys = kind
    ? linearGroup(
        graph,
        x,
        outs.map((out, g) => weight(`w${g}`, [out, width], kind)),
      )
    : outs.map((out, g) => add(graph, input(`y${g}`, [tokens, out]), input(`z${g}`, [tokens, out])));
  const [a, b] = [
    parameter('A', [outs.length * rank, width]),
    parameter('B', [outs.reduce((sum, out) => sum + out, 0), rank]),
  ];
  const seen = lora(graph, x, { a, b, ys, scale: 0.5, adapterScale: input('adapterScale', [tokens]) });
  const outputs = seen.map((value, g) => ({
    name: `output.${g}`,
    value: graph.output(`output.${g}`, add(graph, value, input(`w${g}`, [tokens, outs[g]]))),
  }));
  return { name, graph, outputs, feeds, parameters, weights };
}

/** DoRA's magnitudes with an adapter scale a token, which is 0 for one and 1 for another. */
function doraScaleCase(tokens: number, out: number): OpCase {
  const graph = new Graph(false);
  const feeds: OpCase['feeds'] = {
    x: uniform(tokens * out, 71),
    magnitude: uniform(out, 72),
    norm: uniform(out, 73).map((value) => value + 2),
    adapterScale: uniform(tokens, 74).map((value, t) => (t < 2 ? t : value)),
  };
  const input = (key: string, shape: number[]) => graph.input(key, shape, 'f32');
  const value = doraScale(graph, {
    x: input('x', [tokens, out]),
    magnitude: input('magnitude', [out]),
    norm: input('norm', [out]),
    adapterScale: input('adapterScale', [tokens]),
  });
  return {
    name: `doraScale ${tokens}×${out} with an adapter scale a token`,
    graph,
    outputs: [{ name: 'output.0', value: graph.output('output.0', value) }],
    feeds,
    parameters: new Map(),
    weights: new Map(),
  };
}

/** The row norms of DoRA: of a projection that shares A and B with one before it. */
function doraNormCase(kind: TensorKind, rank: number, width: number, outs: number[]): OpCase {
  const name = `doraNorm ${kind} of ${outs.join(' and ')} rows of ${width}, rank ${rank}`;
  const graph = new Graph(false);
  const feeds: OpCase['feeds'] = {};
  const input = (key: string, shape: number[]) => {
    feeds[key] = uniform(elements({ shape }), Object.keys(feeds).length + 51);
    return graph.input(key, shape, 'f32');
  };
  const [a, b] = [input('A', [outs.length * rank, width]), input('B', [sum(outs), rank])];
  const weights: OpCase['weights'] = new Map();
  const outputs = outs.map((out, g) => {
    const shape = [out, width];
    weights.set(`w${g}`, { shape, ...stored(uniform(elements({ shape }), g + 61), kind) });
    const [norm] = graph.append(
      doraNormOp,
      { weight: graph.weight(`w${g}`, shape, kind), a, b },
      { scale: 1.5, firstOfA: g * rank, firstOfB: sum(outs.slice(0, g)) },
    );
    return { name: `output.${g}`, value: graph.output(`output.${g}`, norm) };
  });
  return { name, graph, outputs, feeds, parameters: new Map(), weights };
}

export function loraCases(): OpCase[] {
  const { cases, build } = caseList();
  for (const [rank, tokens, width, outs] of LORAS) {
    build(`lora ${outs.length} projections, rank ${rank}, ${tokens}×${width}`, (c) => {
      const x = c.leaf('x', tokens, width);
      const a = c.parameter('A', [outs.length * rank, width]);
      const b = c.parameter('B', [outs.reduce((sum, out) => sum + out, 0), rank]);
      const ys = outs.map((out, g) => c.leaf(`y${g}`, tokens, out));
      return lora(c.graph, x, { a, b, ys, scale: 1.5 });
    });
  }
  for (const [tokens, out] of [
    [13, 37],
    [70, 64],
  ])
    build(`doraScale ${tokens}×${out}`, (c) => {
      const x = c.leaf('x', tokens, out);
      // One row has no length.
      const norm = c.input(
        'norm',
        Float32Array.from({ length: out }, (_, o) => (o === 5 ? 0 : 1 + o / 10)),
      );
      const magnitude = c.parameter('magnitude', [out]);
      const y = doraScale(c.graph, { x, magnitude, norm });
      return [y, add(c.graph, x, y)];
    });
  cases.push(
    doraScaleCase(9, 21),
    doraNormCase('f32', 4, 24, [12]),
    doraNormCase('bf16', 5, 41, [7, 10]),
    doraNormCase('nf4', 8, 64, [20, 6]),
    adapterScaleCase(8, 45, 36, [132, 8, 4]),
    adapterScaleCase(3, 20, 13, [7, 5]),
    // A few rows, as in decoding.
    adapterScaleCase(8, 5, 36, [132, 8, 4]),
    adapterScaleCase(16, 1, 1100, [70]),
    adapterScaleCase(12, 8, 40, [20, 64]),
    // Fused with the product.
    adapterScaleCase(16, 1, 1120, [40, 8, 20], 'nf4'),
    adapterScaleCase(8, 3, 96, [36], 'nf4'),
    adapterScaleCase(4, 8, 64, [12, 24], 'bf16'),
  );
  return cases;
}
