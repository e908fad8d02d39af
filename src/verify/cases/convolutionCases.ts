/** Short causal convolutions within documents. */
import type { TensorKind } from '../../formats/tensors.ts';
import { shortConvolution } from '../../ops/convolution/shortConvolution.ts';
import { add } from '../../ops/elementwise/add.ts';
import { caseList, documentFeeds, type OpCase } from '../caseBuilder.ts';

export function convolutionCases(): OpCase[] {
  const { cases, build } = caseList();
  for (const [kind, taps, width, lengths] of [
    ['bf16', 3, 33, [1, 2, 3, 1, 1, 7, 2]],
    ['f32', 7, 20, [5, 9, 1, 30, 3]],
    ['f16', 4, 64, [17]],
    ['bf16', 5, 6, [2]],
  ] as [TensorKind, number, number, number[]][]) {
    build(`shortConvolution ${kind}, ${taps} taps, documents of ${lengths.join('+')} × ${width}`, (c) => {
      const feeds = documentFeeds(lengths);
      const x = c.leaf('x', feeds.documentStart.length, width);
      const documents = {
        start: c.input('documentStart', feeds.documentStart),
        end: c.input('documentEnd', feeds.documentEnd),
      };
      return [
        add(c.graph, x, shortConvolution(c.graph, x, c.weight('w', [width, 1, taps], kind), documents)),
      ];
    });
  }
  return cases;
}
