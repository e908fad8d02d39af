/** The gated delta rule and its gates: documents shorter and longer than a chunk, shared key heads. */
import type { TensorKind } from '../../formats/tensors.ts';
import { deltaGates } from '../../ops/deltaRule/deltaGates.ts';
import { gatedDeltaRule } from '../../ops/deltaRule/gatedDeltaRule.ts';
import { caseList, documentFeeds, type OpCase } from '../caseBuilder.ts';

export function deltaRuleCases(): OpCase[] {
  const { cases, build } = caseList();
  for (const kind of ['f32', 'bf16', 'f16'] as TensorKind[])
    build(`deltaGates ${kind} 9×3`, (c) => [
      deltaGates(c.graph, c.leaf('a', 9, 3), c.leaf('b', 9, 3), c.weight('w', [3], kind)),
    ]);
  for (const [keyHeads, valueHeads, keyDim, valueDim, lengths] of [
    [1, 1, 3, 4, [1, 2, 3, 1, 1]],
    [2, 4, 5, 3, [5, 1, 70, 2, 3]],
    [2, 2, 4, 7, [64, 5]],
    [1, 3, 6, 5, [130, 3]],
    [1, 2, 5, 11, [3, 140, 2]],
  ] as [number, number, number, number, number[]][]) {
    const name = `gatedDeltaRule ${keyHeads}×${keyDim}, ${valueHeads}×${valueDim}, documents of ${lengths.join('+')}`;
    build(name, (c) => {
      const feeds = documentFeeds(lengths);
      const tokens = feeds.documentStart.length;
      const gates = deltaGates(
        c.graph,
        c.leaf('a', tokens, valueHeads),
        c.leaf('b', tokens, valueHeads),
        c.weight('w', [valueHeads], 'f32'),
      );
      return [
        gatedDeltaRule(
          c.graph,
          {
            q: c.leaf('q', tokens, keyHeads * keyDim),
            k: c.leaf('k', tokens, keyHeads * keyDim),
            v: c.leaf('v', tokens, valueHeads * valueDim),
            gates,
            start: c.input('documentStart', feeds.documentStart),
            end: c.input('documentEnd', feeds.documentEnd),
          },
          { keyHeads, valueHeads, keyDim, valueDim },
        ),
      ];
    });
  }
  return cases;
}
