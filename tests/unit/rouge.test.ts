/** ROUGE against Python's rouge_score: tests/interop/make_rouge.py made the fixture. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { porterStem } from '../../src/lib/rouge/porterStemmer.ts';
import { rouge } from '../../src/lib/rouge/rouge.ts';

const { pairs, stems } = JSON.parse(
  readFileSync(new URL('../fixtures/rouge.json', import.meta.url), 'utf8'),
) as {
  pairs: { reference: string; answer: string; rouge1: number; rouge2: number; rougeL: number }[];
  stems: Record<string, string>;
};

describe('rouge', () => {
  it('equals rouge_score with its stemmer on 200 pairs to 1e-9', () => {
    expect(pairs.length).toBe(200);
    for (const { reference, answer, ...expected } of pairs) {
      const made = rouge(reference, answer);
      for (const name of ['rouge1', 'rouge2', 'rougeL'] as const)
        expect(Math.abs(made[name] - expected[name]), `${name} of ${reference} / ${answer}`).toBeLessThan(
          1e-9,
        );
    }
    // The fixture is no row of zeros and ones.
    expect(pairs.filter(({ rougeL }) => rougeL > 0.05 && rougeL < 0.95).length).toBeGreaterThan(120);
  });

  it.each(Object.entries(stems))('stems %s as nltk does', (word, stem) => {
    expect(porterStem(word)).toBe(stem);
  });
});
