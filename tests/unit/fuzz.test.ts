/** The short form of `npm run fuzz`: every parser, some generated inputs each. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { classify } from '../../scripts/lib/fuzz/classify.ts';
import { makeTargets } from '../../scripts/lib/fuzz/targets.ts';

const RUNS = 40;
const targets = await makeTargets();

describe('a parser ends in an answer or in an error of the project', () => {
  it.each(targets.map((target) => [target.name, target] as const))(
    '%s',
    { timeout: 60_000 },
    async (_n, target) => {
      await target.run(target.base);
      await fc.assert(
        fc.asyncProperty(target.inputs, async (input) => {
          const { signature } = await classify(() => target.run(input));
          // A machine that does other work too may be slow.
          expect(signature === 'slow' ? '' : signature).toBe('');
        }),
        { numRuns: RUNS, seed: 20261126 },
      );
    },
  );
});
