/**
 * Small graphs over odd shapes, one or more for each op: what tests and "check this GPU" compare between the
 * kernels and TensorFlow.js. A leaf is a parameter behind a product with the identity, so that every op's
 * input gradient ends in a parameter's gradient.
 */
import type { OpCase } from './caseBuilder.ts';
import { attentionCases } from './cases/attentionCases.ts';
import { convolutionCases } from './cases/convolutionCases.ts';
import { deltaRuleCases } from './cases/deltaRuleCases.ts';
import { elementwiseCases } from './cases/elementwiseCases.ts';
import { embeddingCases } from './cases/embeddingCases.ts';
import { fusedLoraCases } from './cases/fusedLoraCases.ts';
import { loraCases } from './cases/loraCases.ts';
import { lossCases } from './cases/lossCases.ts';
import { matmulCases } from './cases/matmulCases.ts';
import { normCases } from './cases/normCases.ts';
import { ropeCases } from './cases/ropeCases.ts';

/** Builds every case. */
export function opCases(): OpCase[] {
  return [
    ...elementwiseCases(),
    ...matmulCases(),
    ...loraCases(),
    ...fusedLoraCases(),
    ...normCases(),
    ...ropeCases(),
    ...convolutionCases(),
    ...deltaRuleCases(),
    ...attentionCases(),
    ...embeddingCases(),
    ...lossCases(),
  ];
}
