/** The float16 levels over a whole run, where the adapter offers them: each curve within its bound of plain's. */
import { openAsBlob } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { BenchHost } from '../../scripts/bench/figures.ts';
import { benchLevels, DEMO_AT_DEFAULT_RATE } from '../../scripts/bench/levels.ts';
import { root } from '../../scripts/lib/site.ts';
import { testGpu } from '../helpers/gpu.ts';

const gpu = await testGpu();
const levels = gpu?.levels.filter((level) => level !== 'plain') ?? [];
const host: BenchHost = { log: () => undefined, demoFile: (name) => openAsBlob(join(root, 'public', 'demo', name)), heapBytes: () => null };

describe.skipIf(levels.length === 0)('200 steps of the demo in 16 bits', () => {
  it('stay within 1 % of float32: every step, every mean of ten, and what is validated', { timeout: 300_000 }, async () => {
    const rows = await benchLevels(gpu!, host, { parts: ['levels'], size: 'real', models: [DEMO_AT_DEFAULT_RATE] });
    expect(rows.map(({ level }) => level)).toEqual(['plain', ...levels, 'plain']);
    for (const { level, losses, dispatches, difference } of rows) {
      expect(losses).toHaveLength(200);
      expect(losses.at(-1)!).toBeLessThan(0.5 * losses[0]);
      if (level !== 'plain') expect(dispatches.float16).toBeGreaterThan(50);
      if (level === 'matrix') expect(dispatches.matrixUnits).toBeGreaterThan(50);
      expect(difference.step, level).toBeLessThan(0.01);
      expect(difference.runningMean, level).toBeLessThan(0.01);
      expect(difference.validation, level).toBeLessThan(0.01);
    }
  });
});
