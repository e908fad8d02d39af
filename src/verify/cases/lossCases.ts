/** Cross entropy with the output head: loss, gradients, and scores of tokens. */
import type { TensorKind } from '../../formats/tensors.ts';
import { Graph } from '../../graph/graph.ts';
import { linearCrossEntropy } from '../../ops/loss/linearCrossEntropy.ts';
import { caseList, uniform, type OpCase } from '../caseBuilder.ts';
import { stored } from '../caseWeights.ts';
import { largest } from '../../lib/extremes.ts';

/**
 * Loss, and whether the target is the argmax: it is on every other row. The last token has the logits of the
 * first; on ties the first counts as the argmax.
 */
function scoreCase(tokens: number, width: number, vocabulary: number, softcap: number): OpCase {
  const name = `linearCrossEntropy scores ${tokens}×${width}, ${vocabulary} tokens${softcap ? `, softcap ${softcap}` : ''}`;
  const graph = new Graph(false);
  const h = uniform(tokens * width, 11);
  const head = uniform(vocabulary * width, 12);
  head.copyWithin((vocabulary - 1) * width, 0, width);
  const argmax = Array.from({ length: tokens }, (_, t) => {
    const logits = Array.from({ length: vocabulary }, (_, v) =>
      h.subarray(t * width, (t + 1) * width).reduce((sum, x, i) => sum + x * head[v * width + i], 0),
    );
    return logits.indexOf(largest(logits));
  });
  const targets = Int32Array.from(argmax, (v, t) =>
    t % 5 === 2 ? -1 : t % 2 === 0 ? v : v === 0 ? vocabulary - 1 : (v + 1) % vocabulary,
  );
  const { loss, correct } = linearCrossEntropy(
    graph,
    graph.input('h', [tokens, width], 'f32'),
    graph.weight('head', [vocabulary, width], 'f32'),
    graph.input('targets', [tokens], 'i32'),
    { softcap },
  );
  const outputs = [loss, correct].map((value, i) => ({
    name: `output.${i}`,
    value: graph.output(`output.${i}`, value),
  }));
  return {
    name,
    graph,
    outputs,
    feeds: { h, targets },
    parameters: new Map(),
    weights: new Map([['head', { shape: [vocabulary, width], ...stored(head, 'f32') }]]),
  };
}

export function lossCases(): OpCase[] {
  const { cases, build } = caseList();
  for (const [kind, tokens, width, vocabulary, softcap, smoothing] of [
    ['f32', 5, 24, 97, 0],
    ['bf16', 70, 40, 131, 0],
    ['f16', 131, 33, 64, 3],
    ['bf16', 80, 64, 160, 0],
    ['f32', 37, 20, 97, 3, 0.1],
  ] as [TensorKind, number, number, number, number, number?][]) {
    build(
      `linearCrossEntropy ${kind} ${tokens}×${width}, ${vocabulary} tokens${softcap ? `, softcap ${softcap}` : ''}${smoothing ? `, smoothing ${smoothing}` : ''}`,
      (c) => {
        const targets = c.input(
          'targets',
          Int32Array.from({ length: tokens }, (_, t) => (t % 5 === 2 ? -100 : (t * 37) % vocabulary)),
        );
        return [
          linearCrossEntropy(
            c.graph,
            c.leaf('h', tokens, width),
            c.weight('head', [vocabulary, width], kind),
            targets,
            { softcap, smoothing },
          ).loss,
        ];
      },
    );
  }
  cases.push(scoreCase(70, 40, 131, 0), scoreCase(131, 12, 64, 3));
  return cases;
}
