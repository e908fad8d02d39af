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
      const table = (name: string, of: (x: number) => number) =>
        c.graph.constant(name, [23, dim / 2], () =>
          Float32Array.from({ length: (23 * dim) / 2 }, (_, i) =>
            of(Math.floor((i * 2) / dim) * 10000 ** (-(i % (dim / 2)) / dim)),
          ),
        );
      const xs = [heads, 1, 2].map((n, i) => c.leaf(`x${i}`, 19, n * (dim + rest)));
      return rope(
        c.graph,
        xs,
        { cos: table('cos', Math.cos), sin: table('sin', Math.sin) },
        c.input('positions', positions),
        dim + rest,
        interleaved !== undefined,
      );
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
    const table = (name: string, seed: number) => c.graph.constant(name, [24, 4], () => uniform(96, seed));
    return rope(c.graph, [c.leaf('x', 25, 16)], { cos: table('cos', 1), sin: table('sin', 2) }, rows, 8);
  });
  return cases;
}
