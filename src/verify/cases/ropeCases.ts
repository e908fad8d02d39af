/** Rotary positions: several widths and layouts, and rows chosen by the length of a sequence. */
import { rope } from '../../ops/rope/rope.ts';
import { ropeRows } from '../../ops/rope/ropeRows.ts';
import { caseList, documentFeeds, uniform, type OpCase } from '../caseBuilder.ts';

export function ropeCases(): OpCase[] {
  const { cases, build } = caseList();
  for (const [heads, dim, rest, interleaved] of [
    [1, 2, 0],
    [3, 10, 0],
    [2, 64, 0],
    [3, 6, 4],
    [2, 12, 0, 'interleaved'],
    [3, 4, 6, 'interleaved'],
  ] as [number, number, number, string?][]) {
    const layout = `${rest ? ` and ${rest} more` : ''}${interleaved ? ', interleaved' : ''}`;
    build(`rope ${heads}, 1 and 2 heads of ${dim}${layout}`, (c) => {
      const positions = Uint32Array.from({ length: 19 }, (_, t) => (t * 5) % 23);
      const table = c.graph.constant('angles', [23, dim], () =>
        Float32Array.from({ length: 23 * dim }, (_, i) =>
          (i % dim < dim / 2 ? Math.cos : Math.sin)(Math.floor(i / dim) * 10000 ** (-(i % (dim / 2)) / dim)),
        ),
      );
      const xs = [heads, 1, 2].map((n, i) => c.leaf(`x${i}`, 19, n * (dim + rest)));
      return rope(c.graph, xs, table, c.input('positions', positions), dim + rest, interleaved !== undefined);
    });
  }
  build('rope by length of 5 sequences', (c) => {
    const { documentStart, documentEnd } = documentFeeds([5, 1, 9, 4, 6]);
    const documents = {
      start: c.input('documentStart', documentStart),
      end: c.input('documentEnd', documentEnd),
    };
    const rows = ropeRows(
      c.graph,
      c.input(
        'positions',
        documentStart.map((start, t) => t - start),
      ),
      documents,
      { positions: 12, original: 5 },
    );
    const table = c.graph.constant('angles', [24, 8], () => uniform(192, 1));
    return rope(c.graph, [c.leaf('x', 25, 16)], table, rows, 8);
  });
  return cases;
}
