/**
 * The float16 levels over a whole run, where the adapter offers them: each curve within its bound of plain's.
 */
import { openAsBlob } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { BenchHost } from '../../scripts/bench/measuring.ts';
import { benchLevels } from '../../scripts/bench/levels.ts';
import { isSoftwareAdapter } from '../../src/gpu/adapterInfo.ts';
import { root } from '../../scripts/lib/site.ts';
import { testGpu } from '../helpers/gpu.ts';

const gpu = await testGpu();
const levels = gpu?.levels.filter((level) => level !== 'plain') ?? [];
const host: BenchHost = {
  log: () => undefined,
  demoFile: (name) => openAsBlob(join(root, 'public', 'demo', name)),
  heapBytes: () => null,
};

/** The loss above which a share of it says something: near nothing a thousandth of a nat is many per cent. */
const TELLING_LOSS = 0.5;

// A software adapter with float16 would take an hour.
const isOffered = levels.length > 0 && !isSoftwareAdapter(gpu!.adapterInfo);

describe.skipIf(!isOffered)('200 steps of the demo in 16 bits (needs a GPU with shader-f16)', () => {
  // On an H100 0.08 %, 0.006 % and 0.007 nats (docs/performance.md).
  it(
    'stay within 1 % of float32 while there is a loss to speak of, and in the mean; no step is 0.03 nats away',
    { timeout: 300_000 },
    async () => {
      const rows = await benchLevels(gpu!, host, { parts: ['levels'], size: 'real', models: ['demo'] });
      expect(rows.map(({ level, activationDtype }) => `${level} ${activationDtype}`)).toEqual([
        'plain float32',
        ...levels.flatMap((level) => [`${level} float32`, `${level} e6m9`]),
        'plain e6m9',
        'plain float32',
      ]);
      const plain = rows[0].losses;
      expect(plain.filter((loss) => loss > TELLING_LOSS).length).toBeGreaterThan(15);
      for (const { level, losses, dispatches, difference } of rows) {
        expect(losses).toHaveLength(200);
        expect(losses.at(-1)!).toBeLessThan(0.5 * losses[0]);
        if (level !== 'plain') expect(dispatches.float16).toBeGreaterThan(50);
        if (level === 'matrix') expect(dispatches.matrixUnits).toBeGreaterThan(50);
        plain.forEach((loss, step) => {
          if (loss > TELLING_LOSS)
            expect(Math.abs(losses[step] - loss) / loss, `${level}, step ${step + 1}`).toBeLessThan(0.01);
        });
        expect(difference.mean, level).toBeLessThan(0.01);
        expect(difference.nats, level).toBeLessThan(0.03);
      }
    },
  );
});
