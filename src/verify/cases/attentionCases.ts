/** Attention over packed documents: grouped heads, windows, soft caps, tiles that documents cross. */
import { attention } from '../../ops/attention/attention.ts';
import { type AttentionSettings } from '../../ops/attention/attentionVariants.ts';
import { caseList, documentFeeds, type OpCase } from '../caseBuilder.ts';

const ATTENTIONS: { name: string; lengths: number[]; settings: Omit<AttentionSettings, 'scale'> }[] = [
  { name: 'one document, ratio 1', lengths: [37], settings: { heads: 2, keyHeads: 2, headDim: 8 } },
  {
    name: 'documents of 1 to 3, ratio 2',
    lengths: [1, 2, 3, 1, 1, 3, 2, 2, 1],
    settings: { heads: 4, keyHeads: 2, headDim: 12 },
  },
  { name: 'mixed, ratio 3', lengths: [5, 1, 29, 2], settings: { heads: 6, keyHeads: 2, headDim: 16 } },
  { name: 'past a tile, ratio 8', lengths: [65, 66], settings: { heads: 8, keyHeads: 1, headDim: 4 } },
  { name: 'heads of 64, ratio 4', lengths: [70, 9], settings: { heads: 4, keyHeads: 1, headDim: 64 } },
  { name: 'heads of 32, ratio 2', lengths: [70, 26], settings: { heads: 4, keyHeads: 2, headDim: 32 } },
  {
    name: 'softcap 5, window 20, past a block',
    lengths: [66, 14],
    settings: { heads: 2, keyHeads: 1, headDim: 16, window: 20, softcap: 5 },
  },
  { name: 'window 4', lengths: [3, 21, 9], settings: { heads: 2, keyHeads: 1, headDim: 8, window: 4 } },
  {
    name: 'softcap 2, window 7',
    lengths: [33, 4],
    settings: { heads: 2, keyHeads: 2, headDim: 6, window: 7, softcap: 2 },
  },
];

export function attentionCases(): OpCase[] {
  return ATTENTIONS.map(({ name, lengths, settings }) => attentionCase(name, lengths, settings));
}

/** Attention over documents of these lengths, with random queries, keys and values. */
export function attentionCase(
  name: string,
  lengths: readonly number[],
  settings: Omit<AttentionSettings, 'scale'>,
): OpCase {
  const { cases, build } = caseList();
  build(`attention ${name}`, (c) => {
    const feeds = documentFeeds(lengths);
    const tokens = feeds.documentStart.length;
    const { heads, keyHeads, headDim } = settings;
    const [q, k, v] = [
      c.leaf('q', tokens, heads * headDim),
      c.leaf('k', tokens, keyHeads * headDim),
      c.leaf('v', tokens, keyHeads * headDim),
    ];
    const documents = {
      start: c.input('documentStart', feeds.documentStart),
      end: c.input('documentEnd', feeds.documentEnd),
    };
    return [attention(c.graph, q, k, v, documents, { ...settings, scale: 1 / Math.sqrt(headDim) })];
  });
  return cases[0];
}
