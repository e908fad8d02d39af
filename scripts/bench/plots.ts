/**
 * `npm run bench -- plots FILE.json…` draws the two plots of docs/performance.md from what `--only longRun
 * --only growth --json FILE.json` measured.
 */
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { svgChart } from '../../src/export/svgChart.ts';
import { root } from '../lib/site.ts';
import type { BenchFigures } from './figures.ts';
import type { Part } from './measuring.ts';

/** @returns paths of what it wrote @throws where none of the files has a part */
export async function drawPlots(files: readonly string[], folder = join(root, 'docs')): Promise<string[]> {
  const all = files.map((file) => JSON.parse(readFileSync(file, 'utf8')) as BenchFigures);
  const { steps } = all.find(({ longRun }) => longRun)?.longRun ?? missing('longRun');
  const { tokens } = all.find(({ growth }) => growth)?.growth ?? missing('growth');
  const overSteps = (name: string, values: readonly (number | null)[]) => {
    const first = values[0] ?? NaN;
    return {
      name,
      steps: steps.map(({ step }) => Math.log10(step)),
      values: values.map((value) => (value === null ? NaN : value / first)),
    };
  };
  const overTokens = (name: string, values: readonly (number | null)[]) => ({
    name,
    steps: tokens.map((row) => row.tokens),
    values: values.map((value) => value ?? NaN),
  });
  const plots = {
    'growth-steps.svg': svgChart(
      [
        overSteps(
          'tokens a second',
          steps.map(({ tokensPerSecond }) => tokensPerSecond),
        ),
        overSteps(
          'GPU memory',
          steps.map(({ gpuBytes }) => gpuBytes),
        ),
        overSteps(
          'JavaScript heap',
          steps.map(({ heapBytes }) => heapBytes),
        ),
      ],
      { label: (exponent) => `step ${Math.round(10 ** exponent)}`, lowest: 0 },
    ),
    'growth-tokens.svg': svgChart(
      [
        overTokens(
          'step, ms',
          tokens.map(({ stepMs }) => stepMs),
        ),
        overTokens(
          'all but attention',
          tokens.map(({ restMs }) => restMs),
        ),
        overTokens(
          'attention',
          tokens.map(({ attentionMs }) => attentionMs),
        ),
      ],
      { label: (count) => `${count} tokens`, lowest: 0 },
    ),
  };
  for (const [name, svg] of Object.entries(plots)) await writeFile(join(folder, name), svg);
  return Object.keys(plots).map((name) => join(folder, name));
}

function missing(part: Part): never {
  throw new Error(`No file has ${part}: measure it with npm run bench -- --only ${part} --json FILE.json`);
}
