/** Products with frozen weights of every kind, one at a time and as groups that share an input. */
import type { TensorKind } from '../../formats/tensors.ts';
import { add } from '../../ops/elementwise/add.ts';
import { linear } from '../../ops/matmul/linear.ts';
import { linearGroup } from '../../ops/matmul/linearGroup.ts';
import { caseList, KINDS, type OpCase } from '../caseBuilder.ts';

/**
 * Sizes [T, in, out]: no multiples of a tile, sums long enough for split-K, and multiples of 4, which are
 * read by vec4.
 */
const PRODUCTS: [number, number, number][] = [
  [1, 48, 33],
  [37, 96, 50],
  [65, 130, 66],
  [9, 520, 72],
  [4, 64, 36],
  [68, 132, 40],
  [72, 136, 520],
  [80, 64, 128],
];

/** Products with GGUF blocks, of few and many rows: [kind, T, in, out]. */
const BLOCK_PRODUCTS: [TensorKind, number, number, number][] = [
  ['Q8_0', 1, 64, 33],
  ['Q4_0', 68, 160, 40],
  ['Q6_K', 80, 256, 128],
];

/**
 * Sizes [T, in, [out...]]: projections narrower and wider than a tile, sums long enough for split-K, and
 * groups that do not fit one product.
 */
const GROUPS: [number, number, number[], readonly TensorKind[]][] = [
  [80, 512, [96, 32, 16], KINDS],
  [80, 64, [128, 192, 320], ['nf4', 'bf16']],
  [68, 136, [40, 24], ['nf4_f32']],
  [9, 48, [50, 33], ['nf4']],
  [5, 64, [16, 16, 16, 32], ['nf4']],
  [9, 256, [24, 8], ['Q4_K']],
];

export function matmulCases(): OpCase[] {
  const { cases, build } = caseList();
  for (const kind of KINDS) {
    for (const [tokens, width, out] of PRODUCTS) {
      build(`linear ${kind} ${tokens}×${width}→${out}`, (c) => [
        linear(c.graph, c.leaf('x', tokens, width), c.weight('w', [out, width], kind)),
      ]);
    }
  }
  for (const [kind, tokens, width, out] of BLOCK_PRODUCTS) {
    build(`linear ${kind} ${tokens}×${width}→${out}`, (c) => [
      linear(c.graph, c.leaf('x', tokens, width), c.weight('w', [out, width], kind)),
    ]);
  }
  // Their weights are dequantised together, but for the last, which takes the most memory.
  build('linear nf4 in a row 80×64→(128, 64)→64→512', (c) => {
    const x = c.leaf('x', 80, 64);
    const weights = [128, 64].map((out, g) => c.weight(`w${g}`, [out, 64], 'nf4'));
    const [wide, narrow] = linearGroup(c.graph, x, weights);
    const middle = linear(c.graph, wide, c.weight('w2', [64, 128], 'nf4'));
    return [linear(c.graph, add(c.graph, middle, narrow), c.weight('w3', [512, 64], 'nf4'))];
  });
  for (const [tokens, width, outs, kinds] of GROUPS) {
    for (const kind of kinds) {
      build(`linearGroup ${kind} ${tokens}×${width}→${outs.join('+')}`, (c) => {
        const x = c.leaf('x', tokens, width);
        const ys = linearGroup(
          c.graph,
          x,
          outs.map((out, g) => c.weight(`w${g}`, [out, width], kind)),
        );
        // x has another gradient too, to which the sum must be added.
        return [...ys, add(c.graph, x, x)];
      });
    }
  }
  return cases;
}
