/** RMSNorm of values and of sums of the residual stream. */
import type { TensorKind } from '../../formats/tensors.ts';
import { add } from '../../ops/elementwise/add.ts';
import { rmsNorm, type RmsNormSettings } from '../../ops/norm/rmsNorm.ts';
import { caseList, type OpCase } from '../caseBuilder.ts';

export function normCases(): OpCase[] {
  const { cases, build } = caseList();
  for (const [kind, tokens, groups, width, settings] of [
    ['f32', 7, 1, 48, { eps: 1e-5 }],
    ['bf16', 66, 1, 130, { eps: 1e-6 }],
    ['bf16', 3, 1, 1060, { eps: 1e-6 }],
    ['f16', 5, 3, 12, { eps: 1e-6, unitOffset: 1 }],
    ['nf4', 3, 1, 257, { eps: 1e-3, unitOffset: 1 }],
  ] as [TensorKind, number, number, number, RmsNormSettings][]) {
    build(`rmsNorm ${kind} ${tokens}×${groups}×${width}${settings.unitOffset ? ', 1 + w' : ''}`, (c) => {
      const x = c.leaf('x', tokens, groups * width);
      return [add(c.graph, x, rmsNorm(c.graph, x, c.weight('w', [width], kind), settings))];
    });
  }
  for (const [kind, tokens, width, settings] of [
    ['f32', 7, 48, { eps: 1e-5 }],
    ['bf16', 66, 130, { eps: 1e-6, unitOffset: 1 }],
    ['bf16', 2, 520, { eps: 1e-5 }],
  ] as [TensorKind, number, number, RmsNormSettings][]) {
    build(`addRmsNorm ${kind} ${tokens}×${width}${settings.unitOffset ? ', 1 + w' : ''}`, (c) => {
      const [a, b] = [c.leaf('a', tokens, width), c.leaf('b', tokens, width)];
      const sum = add(c.graph, a, b);
      const norm = rmsNorm(c.graph, sum, c.weight('w', [width], kind), settings);
      // One sum is used beside its norm, as in a residual stream; another only through its norm; and a has
      // another gradient.
      const normOnly = rmsNorm(c.graph, add(c.graph, a, norm), c.weight('v', [width], kind), settings);
      return [add(c.graph, sum, norm), normOnly, add(c.graph, a, sum)];
    });
  }
  return cases;
}
