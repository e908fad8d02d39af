/** Embedding tables of every kind, and gathered rows. */
import { add } from '../../ops/elementwise/add.ts';
import { neftune } from '../../ops/embedding/neftune.ts';
import { embedding } from '../../ops/embedding/embedding.ts';
import { gatherRows } from '../../ops/embedding/gatherRows.ts';
import { caseList, documentFeeds, GGUF_KINDS, KINDS, type OpCase } from '../caseBuilder.ts';

export function embeddingCases(): OpCase[] {
  const { cases, build } = caseList();
  for (const kind of KINDS) {
    build(`embedding ${kind} 11×34`, (c) => {
      const table = c.weight('table', [13, 34], kind);
      return [
        add(
          c.graph,
          c.leaf('x', 11, 34),
          embedding(
            c.graph,
            c.input('ids', new Uint32Array([0, 12, 3, 3, 5, 1, 0, 7, 12, 11, 2])),
            table,
            1.25,
          ),
        ),
      ];
    });
  }
  for (const kind of GGUF_KINDS) {
    build(`embedding ${kind} 5×512`, (c) => {
      const ids = c.input('ids', new Uint32Array([0, 2, 1, 2, 0]));
      return [add(c.graph, c.leaf('x', 5, 512), embedding(c.graph, ids, c.weight('table', [3, 512], kind)))];
    });
  }
  build('neftune 7×19', (c) => {
    const documents = documentFeeds([3, 4]);
    const keys = {
      random: c.input('random', new Uint32Array([5, 3])),
      documentIndex: c.input('documentIndex', new Uint32Array([2, 2, 2, 7, 7, 7, 7])),
      positions: c.input('positions', new Uint32Array([0, 1, 2, 0, 1, 2, 3])),
      start: c.input('documentStart', documents.documentStart),
      end: c.input('documentEnd', documents.documentEnd),
    };
    const table = c.weight('table', [9, 19], 'f32');
    const x = embedding(c.graph, c.input('ids', new Uint32Array([0, 8, 3, 3, 5, 1, 7])), table);
    return [add(c.graph, c.leaf('y', 7, 19), neftune(c.graph, { x, ...keys }, 9))];
  });
  build('gatherRows 3 of 10×17', (c) => {
    const table = c.weight('table', [10, 17], 'f32');
    const x = embedding(
      c.graph,
      c.input(
        'ids',
        Uint32Array.from({ length: 10 }, (_, i) => 9 - i),
      ),
      table,
    );
    return [
      add(c.graph, c.leaf('x', 3, 17), gatherRows(c.graph, x, c.input('rows', new Uint32Array([9, 0, 4])))),
    ];
  });
  return cases;
}
