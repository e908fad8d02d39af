/** The catalogue: its figures are those of the project's own plans, and what fits comes first, best first. */
import { describe, expect, it } from 'vitest';
import { en } from '../../src/page/language/en.ts';
import { catalogueFigures } from '../../scripts/lib/catalogueFigures.ts';
import { isHubId } from '../../src/lib/hubAddress.ts';
import { verdictOf } from '../../src/page/gpu/memoryVerdict.ts';
import { CATALOGUE, catalogueChoices, type CatalogueLimits } from '../../src/page/model/catalogue.ts';

const GIB = 2 ** 30;
const limits = (known: number | null, more: Partial<CatalogueLimits> = {}): CatalogueLimits => ({
  verdictOf: (bytes) => verdictOf(bytes, { known, probe: null }),
  freeBytes: 100 * GIB,
  limitBytes: null,
  maxLength: 512,
  ...more,
});
const ids = (verdict: string, chosen: CatalogueLimits) =>
  catalogueChoices(chosen)
    .filter((choice) => choice.verdict === verdict)
    .map(({ model }) => model.id);

describe('the catalogue', () => {
  it.each(['LiquidAI/LFM2-350M'])('%s has the figures that `npm run catalogue` computes', (id) => {
    const model = CATALOGUE.find((entry) => entry.id === id)!;
    const { memoryBytes, ...sizes } = catalogueFigures(model.config);
    expect(model).toMatchObject(sizes);
    // A better memory plan changes the figures a little; the command brings them up to date.
    for (const tokens of [512, 1024] as const)
      expect(model.memoryBytes[tokens] / memoryBytes[tokens]).toBeCloseTo(1, 1);
  });

  it('names models of the Hub once each, with a licence and sizes that belong together', () => {
    expect(new Set(CATALOGUE.map(({ id }) => id)).size).toBe(CATALOGUE.length);
    // What each is good at stands with the page's texts.
    expect(Object.keys(en.model.goodAt).sort()).toEqual(CATALOGUE.map(({ id }) => id).sort());
    for (const { id, licence, parameters, downloadBytes, storedBytes, memoryBytes } of CATALOGUE) {
      expect(isHubId(id), id).toBe(true);
      expect(licence.length, id).toBeGreaterThan(0);
      expect(downloadBytes, id).toBe(2 * parameters);
      // Four bits a weight and a scale, and tables of 16 bits.
      expect(storedBytes, id).toBeGreaterThan(0.51 * parameters);
      expect(memoryBytes[512], id).toBeGreaterThan(storedBytes);
      expect(memoryBytes[1024], id).toBeGreaterThan(memoryBytes[512]);
    }
  });

  it('puts first what fits the GPU that was named, best first', () => {
    const choices = catalogueChoices(limits(4 * GIB));
    const fits = ids('fits', limits(4 * GIB));
    expect(choices.slice(0, fits.length).map(({ model }) => model.id)).toEqual(fits);
    expect(fits[0]).toBe('meta-llama/Llama-3.2-3B-Instruct');
    expect(ids('tight', limits(4 * GIB))).toContain('Qwen/Qwen3-4B');
    expect(ids('no', limits(4 * GIB))).toContain('Qwen/Qwen3-8B');
    expect(ids('no', limits(24 * GIB))).toEqual([]);
    expect(ids('fits', limits(24 * GIB))).toEqual(CATALOGUE.map(({ id }) => id));
  });

  it('does not claim what is not known, and says why something does not fit', () => {
    const unknown = ids('unknown', limits(null));
    expect(unknown).toContain('Qwen/Qwen3-8B');
    expect(ids('fits', limits(null))[0]).toBe('Qwen/Qwen3-1.7B');
    const of = (id: string, chosen: CatalogueLimits) =>
      catalogueChoices(chosen).find(({ model }) => model.id === id)!;
    expect(of('Qwen/Qwen3-8B', limits(24 * GIB, { freeBytes: 5 * GIB }))).toMatchObject({
      verdict: 'no',
      reason: 'more than the browser may still store',
    });
    expect(of('Qwen/Qwen3-4B', limits(24 * GIB, { limitBytes: 3.5 * GIB }))).toMatchObject({
      verdict: 'fits',
    });
    // Longer rows need more.
    expect(of('Qwen/Qwen3-4B', limits(24 * GIB, { limitBytes: 3.5 * GIB, maxLength: 1024 }))).toMatchObject({
      verdict: 'no',
      reason: 'more GPU memory than the recipe allows',
    });
  });
});
