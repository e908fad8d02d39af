/**
 * The next id of a row: the argmax (the first of equal logits), or a draw from the top-p tokens by the row's
 * own random stream, by the serial and by the parallel kernels.
 */
import { describe, expect, it } from 'vitest';
import type { KernelSettings } from '../../src/gpu/dispatch.ts';
import { Graph } from '../../src/graph/graph.ts';
import { sample } from '../../src/ops/sampling/sample.ts';
import { GraphRunner } from '../../src/verify/graphRunner.ts';
import { uniform } from '../../src/verify/caseBuilder.ts';
import { CPU_KERNELS, GPU_KERNELS } from '../helpers/agreement.ts';
import { gpuWith, testGpu } from '../helpers/gpu.ts';

const gpu = await testGpu();
/** More than two of the parts that a GPU divides a row into, the last one short. */
const [ROWS, VOCABULARY] = [3, 5001];

/** Logits between -4 and 4; in each row the largest occurs twice. */
const logits = uniform(ROWS * VOCABULARY, 5).map((x) => 4 * x);
const first = [17, 2400, 4998];
first.forEach((id, row) => [id, VOCABULARY - 1].forEach((at) => (logits[row * VOCABULARY + at] = 5)));

async function sampled(
  settings: Partial<KernelSettings>,
  options: [mode: number, temperature: number, topP: number],
  draws: number,
  softcap = 0,
  from = logits,
): Promise<number[][]> {
  const context = await gpuWith(settings);
  const graph = new Graph(false);
  const ids = sample(
    graph,
    graph.input('logits', [ROWS, VOCABULARY], 'f32'),
    graph.input('options', [3], 'f32'),
    graph.input('random', [2 + ROWS], 'u32'),
    softcap,
  );
  graph.output('ids', ids);
  const runner = await GraphRunner.create(context, graph);
  const found: number[][] = [];
  for (let draw = 0; draw < draws; draw++) {
    await runner.run({
      logits: from,
      options: Float32Array.from(options),
      random: Uint32Array.of(7, draw, 0, 1, 2),
    });
    found.push([...new Uint32Array((await runner.read('output', 'ids')).buffer)]);
  }
  runner.dispose();
  context.dispose();
  return found;
}

describe.skipIf(!gpu)('the next id', () => {
  it.each([CPU_KERNELS, GPU_KERNELS])(
    'is the first of the largest logits, kernels for a $target',
    async (settings) => {
      expect(await sampled(settings, [0, 1, 1], 1)).toEqual([first]);
    },
  );

  it('is the same by the serial and the parallel kernels, and only from the top-p tokens', async () => {
    const alone = await sampled(CPU_KERNELS, [1, 0.7, 0.5], 20);
    expect(await sampled(GPU_KERNELS, [1, 0.7, 0.5], 20)).toEqual(alone);
    expect(new Set(alone.map(([id]) => id)).size).toBeGreaterThan(5);
    for (let row = 0; row < ROWS; row++) {
      const own = logits.subarray(row * VOCABULARY, (row + 1) * VOCABULARY);
      const p = Array.from(own, (x) => Math.exp((x - 5) / 0.7));
      const sorted = p.toSorted((a, b) => b - a);
      const total = p.reduce((a, b) => a + b, 0);
      let [kept, least] = [0, 0];
      while (kept < 0.5 * total) kept += sorted[least++];
      for (const ids of alone) expect(p[ids[row]]).toBeGreaterThanOrEqual(sorted[least - 1] * (1 - 1e-5));
    }
  });

  it('is drawn from the larger ones of probabilities that differ in their sixth digit', async () => {
    const close = new Float32Array(ROWS * VOCABULARY).fill(-30);
    const rankOf = new Map<number, number>();
    for (let rank = 0; rank <= 300; rank++) {
      const id = (rank * 97) % VOCABULARY;
      rankOf.set(id, rank);
      for (let row = 0; row < ROWS; row++)
        close[row * VOCABULARY + id] = rank === 0 ? 0 : -Math.log(64) - rank * 2 ** -19;
    }
    const ids = await sampled(GPU_KERNELS, [1, 1, 0.5], 8, 0, close);
    expect(ids).toEqual(await sampled(CPU_KERNELS, [1, 1, 0.5], 8, 0, close));
    // 1 + 118 / 64 is half of 1 + 300 / 64, but for the first token.
    expect(Math.max(...ids.flat().map((id) => rankOf.get(id)!))).toBeLessThanOrEqual(118);
  });

  it('is drawn from all tokens where top_p is 1, with a softcap', async () => {
    expect(await sampled(GPU_KERNELS, [1, 1, 1], 20, 3)).toEqual(
      await sampled(CPU_KERNELS, [1, 1, 1], 20, 3),
    );
  });
});
