/** BLEU, chrF and ROUGE-Lsum against sacrebleu and rouge_score (tests/interop/make_overlap_scores.py). */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { corpusBleu, corpusChrf } from '../../src/lib/rouge/overlapScores.ts';
import { hasRougeWords, rouge } from '../../src/lib/rouge/rouge.ts';

const { sets } = JSON.parse(
  readFileSync(new URL('../fixtures/overlapScores.json', import.meta.url), 'utf8'),
) as {
  sets: { pairs: [string, string][]; bleu: number; chrf: number; rougeLsum: (number | null)[] }[];
};

it.each(sets)('$pairs', ({ pairs, bleu, chrf, rougeLsum }) => {
  const all = pairs.map(([answer, reference]) => ({ answer, reference }));
  expect(corpusBleu(all)).toBeCloseTo(bleu, 9);
  expect(corpusChrf(all)).toBeCloseTo(chrf, 9);
  for (const [i, expected] of rougeLsum.entries())
    if (expected !== null) expect(rouge(all[i].reference, all[i].answer).rougeLsum).toBeCloseTo(expected, 12);
});

it('cuts sentences within a line, and knows texts without a word that ROUGE counts', () => {
  expect(rouge('One line. Another line.', 'Another line. One line.').rougeLsum).toBe(1);
  expect(hasRougeWords('другое дело')).toBe(false);
  expect(hasRougeWords('другое 3')).toBe(true);
});
