/**
 * LoRA over one projection and several, and with an adapter scale for each token, as in scoring and
 * generation.
 */
import type { TensorKind } from '../../formats/tensors.ts';
import { Graph } from '../../graph/graph.ts';
import { elements } from '../../graph/value.ts';
import { add } from '../../ops/elementwise/add.ts';
import { lora } from '../../ops/lora/lora.ts';
import { linearGroup } from '../../ops/matmul/linearGroup.ts';
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
  cases.push(
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
