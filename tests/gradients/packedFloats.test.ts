/** Floats in 16 bits: what is packed and unpacked again, against the format's definition in JavaScript. */
import { describe, expect, it } from 'vitest';
import { Graph } from '../../src/graph/graph.ts';
import { packE6m9Op, unpackE6m9Op } from '../../src/ops/elementwise/packedFloats.ts';
import { uniform } from '../../src/verify/caseBuilder.ts';
import { GraphRunner } from '../../src/verify/graphRunner.ts';
import { testGpu } from '../helpers/gpu.ts';

const gpu = await testGpu();

/** The nearest number of 10 significant bits, ties to even, from 2^-30 to below 2^33; less is zero. */
function rounded(x: number): number {
  const size = Math.abs(x);
  if (size === 0) return 0;
  const step = 2 ** (Math.floor(Math.log2(size)) - 9);
  const [low, rest] = [Math.floor(size / step), (size / step) % 1];
  const up = rest > 0.5 || (rest === 0.5 && low % 2 === 1);
  const near = (low + (up ? 1 : 0)) * step;
  return near < 2 ** -30 ? 0 : Math.sign(x) * Math.min(near, (1023 / 512) * 2 ** 32 - 2 ** 23);
}

describe.skipIf(!gpu)('packed floats', () => {
  it('are rounded to 10 significant bits over 63 powers of two; what is not finite becomes NaN', async () => {
    const [rows, width] = [37, 136];
    const x = uniform(rows * width, 3).map((value, i) => value * 2 ** ((i % 80) - 40));
    // The ties between two numbers, the ends of the range, and numbers that carry into the next power.
    x.set([1 + 1 / 1024, 1 + 3 / 1024, -(2 - 1 / 2048), 65504, 70000, -3e38, 2 ** -30, 2 ** -31, 0, -0]);
    x.set([Infinity, -Infinity, NaN], 16);
    const graph = new Graph(true);
    const [packed] = graph.append(packE6m9Op, { x: graph.input('x', [rows, width], 'f32') });
    const [unpacked] = graph.append(unpackE6m9Op, { packed }, { shape: [rows, width] });
    graph.output('unpacked', unpacked);
    const runner = await GraphRunner.create(gpu!, graph);
    await runner.run({ x });
    const found = new Float32Array((await runner.read('output', 'unpacked')).buffer);
    runner.dispose();
    expect([...found.subarray(16, 19)]).toEqual([NaN, NaN, NaN]);
    const wrong = [...found].flatMap((value, i) =>
      Number.isFinite(x[i]) && Math.abs(value) !== Math.abs(rounded(x[i]))
        ? [{ x: x[i], value, expected: rounded(x[i]) }]
        : [],
    );
    expect(wrong).toEqual([]);
    expect(found[2]).toBe(-2);
    expect(found[4]).toBe(70016);
  });

  it('refuse what does not fill its last word', () => {
    const graph = new Graph(true);
    const x = graph.input('x', [3, 5], 'f32');
    expect(() => graph.append(packE6m9Op, { x })).toThrow(/not made of 8 elements/);
  });
});
