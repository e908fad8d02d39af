/** The bench's arithmetic: what it makes of curves, of PEFT's figures and of a long run. */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { differences } from '../../scripts/bench/levels.ts';
import { ratios } from '../../scripts/bench/peft.ts';
import { drawPlots } from '../../scripts/bench/plots.ts';
import type { StepBench } from '../../scripts/bench/steps.ts';

describe('how far a curve is from another', () => {
  it('is given for a step, for running means, for the mean and for validation', () => {
    const plain = { losses: [4, ...Array.from({ length: 19 }, () => 2)], validation: { a: 1, b: 2 } };
    const other = {
      losses: plain.losses.map((loss, i) => (i === 5 ? loss + 0.2 : i === 6 ? loss - 0.1 : loss)),
      validation: { a: 1.01, b: 1.94 },
    };
    const made = differences(other, plain);
    expect(made.nats).toBeCloseTo(0.2);
    expect(made.step).toBeCloseTo(0.1);
    // Ten steps hold both, 0.2 - 0.1, or step 6 alone.
    expect(made.runningMean).toBeCloseTo(0.01 / 2);
    expect(made.mean).toBeCloseTo(0.1 / 42);
    expect(made.validation).toBeCloseTo(0.03);
    expect(differences(plain, plain)).toEqual({ nats: 0, step: 0, runningMean: 0, mean: 0, validation: 0 });
  });
});

describe('ratios to PEFT', () => {
  it('compare equal shapes of equal models alone', () => {
    const step = {
      model: 'A',
      level: 'plain',
      documents: '1×512',
      gradientCheckpointing: true,
      activationDtype: 'float32' as const,
      tokensPerSecond: 300,
    } as StepBench;
    const peft = (model: string, mode: string, documents: string, tokensPerSecond: number) => ({
      model,
      mode,
      documents,
      tokensPerSecond,
      stepMs: 1,
      peakBytes: 1,
    });
    const rows = ratios(
      [
        step,
        { ...step, gradientCheckpointing: false, tokensPerSecond: 450 },
        { ...step, documents: '4×512' },
      ],
      {
        device: 'x',
        torch: '2',
        steps: [
          peft('A', 'bf16', '1×512', 200),
          peft('A', 'nf4', '1×512', 100),
          peft('B', 'bf16', '4×512', 1),
        ],
        products: [],
      },
    );
    expect(rows).toEqual([
      {
        model: 'A',
        documents: '1×512',
        level: 'plain, layers recomputed',
        'tokens/s': '300',
        'of PEFT bf16': '1.50',
        'of PEFT nf4': '3.00',
      },
      {
        model: 'A',
        documents: '1×512',
        level: 'plain, nothing recomputed',
        'tokens/s': '450',
        'of PEFT bf16': '2.25',
        'of PEFT nf4': '4.50',
      },
      { model: 'A', documents: '4×512', level: 'plain, layers recomputed', 'tokens/s': '300' },
    ]);
  });
});

describe('the plots of growth', () => {
  it('come from the files that have the figures, from zero on', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'finetab-plots-'));
    const file = (name: string, contents: object) => {
      writeFileSync(join(folder, name), JSON.stringify(contents));
      return join(folder, name);
    };
    const long = file('long.json', {
      longRun: {
        level: 'plain',
        steps: [10, 100, 1000].map((step) => ({
          step,
          tokensPerSecond: 100,
          heapBytes: null,
          gpuBytes: 1000,
        })),
      },
      growth: null,
    });
    await expect(drawPlots([long], folder)).rejects.toThrow(
      /No file has growth: measure it with npm run bench -- --only growth/,
    );
    const lengths = [256, 512].map((tokens) => ({
      model: 'A',
      tokens,
      stepMs: tokens,
      attentionMs: tokens / 4,
      restMs: tokens / 2,
    }));
    const growth = file('growth.json', {
      longRun: null,
      growth: { level: 'plain', tokens: lengths, microBatches: [] },
    });
    const [steps, tokens] = (await drawPlots([long, growth], folder)).map((path) =>
      readFileSync(path, 'utf8'),
    );
    expect(steps).toContain('step 10<');
    expect(steps).toContain('step 1000<');
    // Flat: three points at one height, of a share of 1 over 0. What was not measured has no curve.
    expect(steps).toContain('M56.0 12.0L288.0 12.0L520.0 12.0');
    expect(steps.match(/fill="none"/g)).toHaveLength(2);
    expect(tokens).toContain('512 tokens<');
    expect(tokens.match(/fill="none"/g)).toHaveLength(3);
    expect(tokens).toContain('>0</text>');
  });
});
