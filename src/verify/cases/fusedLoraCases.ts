/**
 * Pieces of a decoder block in the order of a model, with adapters, as plans fuse them: a norm,
 * adapters and what follows them; and the same backward.
 */
import type { TensorKind } from '../../formats/tensors.ts';
import type { Value } from '../../graph/value.ts';
import { add } from '../../ops/elementwise/add.ts';
import type { Activation } from '../../ops/elementwise/activation.ts';
import { gated } from '../../ops/elementwise/gated.ts';
import { lora } from '../../ops/lora/lora.ts';
import { linearGroup } from '../../ops/matmul/linearGroup.ts';
import { rmsNorm } from '../../ops/norm/rmsNorm.ts';
import { sum } from '../../ops/numbered.ts';
import { rope } from '../../ops/rope/rope.ts';
import { caseList, uniform, type CaseBuilder, type OpCase } from '../caseBuilder.ts';

/**
 * Projections of one input with their adapter. @param name of their parameters @param ys makes what the
 * adapter is added to
 */
function adapted(
  c: CaseBuilder,
  name: string,
  x: Value,
  outs: readonly number[],
  rank: number,
  ys = () => outs.map((out, g) => c.leaf(`${name}.y${g}`, x.shape[0], out)),
): Value[] {
  const width = x.shape[1];
  const a = c.parameter(`${name}.A`, [outs.length * rank, width]);
  const b = c.parameter(`${name}.B`, [sum(outs), rank]);
  return lora(c.graph, x, { a, b, ys: ys(), scale: 0.75 });
}

/** The same of frozen layers of x, with sums long enough to be split. */
function adaptedLayers(
  c: CaseBuilder,
  name: string,
  x: Value,
  outs: readonly number[],
  rank: number,
): Value[] {
  const weights = outs.map((out, g) => c.weight(`${name}.w${g}`, [out, x.shape[1]], 'f16'));
  return adapted(c, name, x, outs, rank, () => linearGroup(c.graph, x, weights));
}

/** @param rotated elements of a head that rotate */
function rotatedHeads(c: CaseBuilder, xs: readonly Value[], headDim: number, rotated: number): Value[] {
  const table = c.graph.constant('angles', [31, rotated], () => uniform(31 * rotated, 1));
  const positions = Uint32Array.from({ length: xs[0].shape[0] }, (_, t) => (t * 7) % 31);
  return rope(c.graph, xs, table, c.input('positions', positions), headDim);
}

/** Queries, keys and values of a norm, of which the first two rotate; then products that use each. */
function attentionInput(tokens: number, rank: number, headDim: number, rotated: number): OpCase {
  const { cases, build } = caseList();
  build(`norm, adapters and rope of ${tokens} tokens, heads of ${headDim}, ${rotated} rotated`, (c) => {
    const width = 2 * headDim;
    const x = rmsNorm(c.graph, c.leaf('x', tokens, width), c.weight('norm', [width], 'bf16'), { eps: 1e-5 });
    const [q, k, v] = adapted(c, 'qkv', x, [2 * headDim, headDim, headDim], rank);
    const heads = rotatedHeads(c, [q, k], headDim, rotated);
    // The gradients that come back are no inputs of the graph, as in a model.
    return [...heads, v].map((head, g) =>
      gated(c.graph, head, c.leaf(`scale${g}`, tokens, head.shape[1]), 'identity'),
    );
  });
  return cases[0];
}

/** The residual stream from one projection to the next norm and through a gated MLP. */
function residualStream(
  tokens: number,
  rank: number,
  width: number,
  inner: number,
  { kind, activation, unitOffset }: { kind: TensorKind; activation: Activation; unitOffset: 0 | 1 },
): OpCase {
  const { cases, build } = caseList();
  build(`residual stream of ${tokens}×${width} through ${inner} ${activation}, norms in ${kind}`, (c) => {
    const norm = (name: string, x: Value) =>
      rmsNorm(c.graph, x, c.weight(name, [width], kind), { eps: 1e-6, unitOffset });
    const residual = c.leaf('residual', tokens, width);
    const [o] = adapted(c, 'o', c.leaf('x', tokens, 40), [width], rank);
    const middle = add(c.graph, residual, o);
    const [gate, up] = adapted(c, 'gateUp', norm('norm1', middle), [inner, inner], rank);
    const [down] = adapted(c, 'down', gated(c.graph, gate, up, activation), [width], rank);
    const end = add(c.graph, middle, down);
    return [norm('norm2', end)];
  });
  return cases[0];
}

/** A layer without its attention, from one norm to the next, of which every product's sum is split. */
function splitProducts(tokens: number, rank: number, width: number, inner: number): OpCase {
  const { cases, build } = caseList();
  build(`split products of ${tokens}×${width} through ${inner}`, (c) => {
    const norm = (name: string, x: Value) =>
      rmsNorm(c.graph, x, c.weight(name, [width], 'bf16'), { eps: 1e-6 });
    const headDim = width / 4;
    const x = c.leaf('x', tokens, width);
    const [q, k, v] = adaptedLayers(c, 'qkv', norm('norm0', x), [width, headDim, headDim], rank);
    const [rotated, keys] = rotatedHeads(c, [q, k], headDim, headDim);
    const mixed = gated(c.graph, rotated, c.leaf('mixing', tokens, width), 'identity');
    const [o] = adaptedLayers(c, 'o', mixed, [width], rank);
    const middle = add(c.graph, x, o);
    const [gate, up] = adaptedLayers(c, 'gateUp', norm('norm1', middle), [inner, inner], rank);
    const [down] = adaptedLayers(c, 'down', gated(c.graph, gate, up, 'silu'), [width], rank);
    const ends = [keys, v].map((end, g) =>
      gated(c.graph, end, c.leaf(`scale${g}`, tokens, headDim), 'identity'),
    );
    return [norm('norm2', add(c.graph, middle, down)), ...ends];
  });
  return cases[0];
}

/**
 * Tokens that fill no tile, of 1, 2 and 16 rows (rowTileFor in ops/lora/loraTiling.ts), and widths past
 * the reach of one.
 */
export function fusedLoraCases(): OpCase[] {
  return [
    attentionInput(70, 8, 24, 16),
    residualStream(70, 8, 136, 260, { kind: 'bf16', activation: 'silu', unitOffset: 0 }),
    residualStream(290, 4, 32, 16, { kind: 'f16', activation: 'gelu_tanh', unitOffset: 1 }),
    splitProducts(70, 8, 256, 320),
    attentionInput(2060, 4, 8, 8),
    residualStream(2060, 4, 8, 12, { kind: 'bf16', activation: 'silu', unitOffset: 0 }),
  ];
}
