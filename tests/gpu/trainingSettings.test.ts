/**
 * AdamW with other betas and label smoothing against torch and transformers
 * (tests/interop/make_training_settings.py), and the statistics of NEFTune's noise.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { adamOf } from '../../src/engine/trainingSettings.ts';
import { HostOptimizer } from '../../src/engine/tensorflow/hostOptimizer.ts';
import { Graph } from '../../src/graph/graph.ts';
import { AdapterLayout } from '../../src/model/adapterLayout.ts';
import { optimizerGraph } from '../../src/model/planGraphs.ts';
import { neftune } from '../../src/ops/embedding/neftune.ts';
import { linearCrossEntropyOp } from '../../src/ops/loss/linearCrossEntropy.ts';
import { GraphRunner } from '../../src/verify/graphRunner.ts';
import { testGpu } from '../helpers/gpu.ts';

const gpu = await testGpu();
const fixture = JSON.parse(
  readFileSync(new URL('../fixtures/trainingSettings.json', import.meta.url), 'utf8'),
) as {
  adam: {
    adam_beta1: number;
    adam_beta2: number;
    adam_epsilon: number;
    weight_decay: number;
    start: number[];
    grads: number[][];
    path: number[][];
  }[];
  smoothing: { epsilon: number; logits: number[][]; labels: number[]; loss: number; gradient: number[][] }[];
};
const RATE = 1e-2;
const close = (mine: ArrayLike<number>, theirs: readonly number[], bound: number) =>
  theirs.forEach((value, i) => expect(Math.abs(mine[i] - value), `${i}`).toBeLessThan(bound));

describe.skipIf(!gpu)('AdamW', () => {
  it.each(fixture.adam)(
    'with betas $adam_beta1 and $adam_beta2, epsilon $adam_epsilon is as torch has it',
    async (theirs) => {
      const adam = adamOf(theirs);
      const layout = new AdapterLayout([
        { modules: ['m'], inFeatures: 3, outFeatures: [3], rank: 1, scale: 1 },
      ]);
      const elements = layout.elements;
      const places = [0, 1, 2, layout.bStart, layout.bStart + 1, layout.bStart + 2];
      const whole = (values: readonly number[]) => {
        const all = new Float32Array(elements);
        places.forEach((place, i) => (all[place] = values[i]));
        return all;
      };
      const runner = await GraphRunner.create(gpu!, optimizerGraph(layout, adam));
      const host = new HostOptimizer(whole(theirs.start), layout.bStart, adam);
      let [adapter, expAvg, expAvgSq]: Float32Array[] = [
        whole(theirs.start),
        new Float32Array(elements),
        new Float32Array(elements),
      ];
      const hosted = (host as unknown as { adapter: Float32Array }).adapter;
      for (const [step, grad] of theirs.grads.entries()) {
        const { beta1, beta2 } = adam;
        const corrections = [1 - beta1 ** (step + 1), Math.sqrt(1 - beta2 ** (step + 1))];
        await runner.run({
          adapter,
          expAvg,
          expAvgSq,
          gradients: whole(grad),
          stats: new Float32Array(3),
          scalars: new Float32Array([RATE, RATE, theirs.weight_decay, 0, ...corrections, 1]),
        });
        [adapter, expAvg, expAvgSq] = [
          await runner.read('state', 'adapter'),
          await runner.read('state', 'expAvg'),
          await runner.read('state', 'expAvgSq'),
        ];
        host.update(whole(grad), 1, {
          microBatches: [],
          step,
          learningRate: RATE,
          weightDecay: theirs.weight_decay,
          maxGradNorm: 0,
        });
        for (const mine of [adapter, hosted])
          close(
            places.map((place) => mine[place]),
            theirs.path[step],
            2e-6,
          );
      }
      runner.dispose();
    },
  );
});

describe.skipIf(!gpu)('label smoothing', () => {
  it.each(fixture.smoothing)('of $epsilon is that of transformers, loss and gradient', async (theirs) => {
    const [tokens, vocabulary] = [theirs.logits.length, theirs.logits[0].length];
    const graph = new Graph(true);
    const [loss, , gradient] = graph.append(
      linearCrossEntropyOp,
      {
        h: graph.input('h', [tokens, vocabulary], 'f32'),
        head: graph.input('head', [vocabulary, vocabulary], 'f32'),
        targets: graph.input('targets', [tokens], 'i32'),
      },
      { softcap: 0, smoothing: theirs.epsilon, gradient: true },
    );
    graph.output('loss', loss);
    graph.output('gradient', gradient);
    const runner = await GraphRunner.create(gpu!, graph);
    await runner.run({
      h: Float32Array.from(theirs.logits.flat()),
      head: Float32Array.from({ length: vocabulary ** 2 }, (_, i) => Number(i % (vocabulary + 1) === 0)),
      targets: Int32Array.from(theirs.labels),
    });
    const active = theirs.labels.filter((label) => label >= 0).length;
    const sum = (await runner.read('output', 'loss')).reduce((a, b) => a + b, 0);
    expect(Math.abs(sum / active - theirs.loss)).toBeLessThan(2e-6);
    close(
      (await runner.read('output', 'gradient')).map((value) => value / active),
      theirs.gradient.flat(),
      1e-6,
    );
    runner.dispose();
  });
});

describe.skipIf(!gpu)('NEFTune', () => {
  it('adds uniform noise of ±alpha/√(L d) that depends on the document and not on its place', async () => {
    const [tokens, width, alpha] = [96, 64, 5];
    const noise = async (lengths: number[], indices: number[], step: number) => {
      const graph = new Graph(true);
      const input = (name: string) => graph.input(name, [tokens], 'u32');
      const x = graph.input('x', [tokens, width], 'f32');
      const y = neftune(
        graph,
        {
          x,
          random: graph.input('random', [2], 'u32'),
          documentIndex: input('documentIndex'),
          positions: input('positions'),
          start: input('start'),
          end: input('end'),
        },
        alpha,
      );
      graph.output('y', y);
      const runner = await GraphRunner.create(gpu!, graph);
      const starts = lengths.map((_, d) => lengths.slice(0, d).reduce((a, b) => a + b, 0));
      const of = (value: (d: number, t: number) => number) =>
        Uint32Array.from({ length: tokens }, (_, t) =>
          value(
            starts.findLastIndex((start) => start <= t),
            t,
          ),
        );
      await runner.run({
        x: new Float32Array(tokens * width),
        random: new Uint32Array([42, step]),
        documentIndex: of((d) => indices[d]),
        positions: of((d, t) => t - starts[d]),
        start: of((d) => starts[d]),
        end: of((d) => starts[d] + lengths[d]),
      });
      const made = await runner.read('output', 'y');
      runner.dispose();
      return lengths.map((length, d) => made.slice(starts[d] * width, (starts[d] + length) * width));
    };
    const [long, short] = await noise([64, 32], [0, 1], 3);
    for (const [values, length] of [
      [long, 64],
      [short, 32],
    ] as const) {
      const bound = alpha / Math.sqrt(length * width);
      const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      expect(largest).toBeLessThanOrEqual(bound * (1 + 1e-6));
      expect(largest).toBeGreaterThan(0.99 * bound);
      const deviation = Math.sqrt(values.reduce((a, b) => a + b * b, 0) / values.length);
      expect(Math.abs(deviation / (bound / Math.sqrt(3)) - 1)).toBeLessThan(0.03);
      expect(Math.abs(values.reduce((a, b) => a + b, 0) / values.length)).toBeLessThan(0.05 * bound);
    }
    expect(await noise([32, 64], [1, 0], 3)).toEqual([short, long]);
    expect((await noise([64, 32], [0, 1], 4))[0]).not.toEqual(long);
  });
});
