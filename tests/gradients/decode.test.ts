/**
 * Attention of one new token in each slot over the KV cache, by the serial and by the parallel kernel,
 * against sums in float64; and that writing to the cache changes nothing else in it.
 */
import { describe, expect, it } from 'vitest';
import type { KernelSettings } from '../../src/gpu/dispatch.ts';
import { add } from '../../src/ops/elementwise/add.ts';
import type { AttentionSettings } from '../../src/ops/attention/attentionVariants.ts';
import { attentionDecode, cacheWrite } from '../../src/ops/attention/decodeAttention.ts';
import { Graph } from '../../src/graph/graph.ts';
import { rope } from '../../src/ops/rope/rope.ts';
import { OP_BOUND } from '../../src/verify/checkOp.ts';
import { GraphRunner } from '../../src/verify/graphRunner.ts';
import { uniform } from '../../src/verify/caseBuilder.ts';
import { makePlan } from '../../src/plan/plan.ts';
import { CPU_KERNELS, GPU_KERNELS } from '../helpers/agreement.ts';
import { gpuWith, testGpu } from '../helpers/gpu.ts';

const gpu = await testGpu();

type Shape = AttentionSettings & { length: number; positions: number[] };
const shape = (
  heads: number,
  keyHeads: number,
  headDim: number,
  positions: number[],
  more: Partial<AttentionSettings> = {},
): Shape => ({
  heads,
  keyHeads,
  headDim,
  scale: 1 / Math.sqrt(headDim),
  length: Math.max(...positions) + 3,
  positions,
  ...more,
});

/**
 * Heads whose size is no multiple of four, heads with more vectors than the workgroup has invocations, more
 * keys than are scored at once, and only the token's own key.
 */
const SHAPES: [name: string, shape: Shape][] = [
  ['heads of 10, ratio 1', shape(2, 2, 10, [0, 5])],
  ['heads of 64, ratio 4, past a chunk of keys', shape(4, 1, 64, [1300, 64, 1023])],
  ['heads of 80, ratio 2', shape(4, 2, 80, [37, 90])],
  ['heads of 256, softcap 5', shape(1, 1, 256, [70], { softcap: 5 })],
  ['heads of 32, window 20', shape(2, 1, 32, [130, 7], { window: 20 })],
  ['heads of 32, softcap 2, window 1100', shape(2, 1, 32, [1250], { window: 1100, softcap: 2 })],
];

/** In float64. @returns [S, heads · d] */
function expected(
  { heads, keyHeads, headDim: d, scale, length, positions, window = 0, softcap = 0 }: Shape,
  q: Float32Array,
  keys: Float32Array,
  values: Float32Array,
): number[] {
  return positions.flatMap((newest, slot) =>
    Array.from({ length: heads }, (_, head) => {
      const first = window > 0 ? Math.max(0, newest + 1 - window) : 0;
      const seen = Array.from(
        { length: newest + 1 - first },
        (_row, j) => ((slot * length + first + j) * keyHeads + Math.floor((head * keyHeads) / heads)) * d,
      );
      const scores = seen.map((at) => {
        let product = 0;
        for (let i = 0; i < d; i++) product += q[(slot * heads + head) * d + i] * keys[at + i];
        return softcap > 0 ? softcap * Math.tanh((product * scale) / softcap) : product * scale;
      });
      const largest = Math.max(...scores);
      const shares = scores.map((score) => Math.exp(score - largest));
      const total = shares.reduce((a, b) => a + b, 0);
      return Array.from(
        { length: d },
        (_i, i) => seen.reduce((sum, at, j) => sum + shares[j] * values[at + i], 0) / total,
      );
    }).flat(),
  );
}

async function decoded(settings: Partial<KernelSettings>, made: Shape) {
  const context = await gpuWith(settings);
  const { heads, keyHeads, headDim, length, positions } = made;
  const [slots, width] = [positions.length, keyHeads * headDim];
  const graph = new Graph(false);
  const [keys, values] = [
    graph.state('keys', [slots, length, width]),
    graph.state('values', [slots, length, width]),
  ];
  const [at, to] = [graph.input('positions', [slots], 'u32'), graph.input('slots', [slots], 'u32')];
  cacheWrite(
    graph,
    { keys, values },
    graph.input('k', [slots, width], 'f32'),
    graph.input('v', [slots, width], 'f32'),
    to,
    at,
  );
  const o = attentionDecode(graph, graph.input('q', [slots, heads * headDim], 'f32'), keys, values, at, made);
  graph.output('o', add(graph, o, graph.input('zero', o.shape, 'f32')));
  const runner = await GraphRunner.create(context, graph);
  const cache = [uniform(slots * length * width, 1), uniform(slots * length * width, 2)];
  const [k, v, q] = [
    uniform(slots * width, 3),
    uniform(slots * width, 4),
    uniform(slots * heads * headDim, 5).map((x) => 4 * x),
  ];
  await runner.run({
    keys: cache[0],
    values: cache[1],
    k,
    v,
    q,
    positions: Uint32Array.from(positions),
    slots: Uint32Array.from(positions.keys()),
    zero: new Float32Array(q.length),
  });
  const after = [await runner.read('state', 'keys'), await runner.read('state', 'values')];
  const result = await runner.read('output', 'o');
  runner.dispose();
  context.dispose();
  positions.forEach((position, slot) => {
    cache[0].set(k.subarray(slot * width, (slot + 1) * width), (slot * length + position) * width);
    cache[1].set(v.subarray(slot * width, (slot + 1) * width), (slot * length + position) * width);
  });
  return { result, after, cache, q };
}

describe.skipIf(!gpu).each([CPU_KERNELS, GPU_KERNELS])(
  'attention over the cache, kernels for a $target',
  (settings) => {
    it.each(SHAPES)('%s', async (_, made) => {
      const { result, after, cache, q } = await decoded(settings, made);
      expect(after).toEqual(cache);
      const exact = expected(made, q, cache[0], cache[1]);
      expect(result.length).toBe(exact.length);
      const largest = Math.max(...exact.map(Math.abs));
      expect(largest).toBeGreaterThan(0.05);
      expect(Math.max(...exact.map((value, i) => Math.abs(value - result[i]))) / largest).toBeLessThan(
        OP_BOUND,
      );
    });
  },
);

/** Two heads of queries and one of keys, of 12 of which 8 are rotated; the last token has no slot. */
const [TOKENS, SLOTS, LENGTH, HEADS, HEAD_DIM, ROTATED] = [3, 2, 9, 2, 12, 8];

async function rotated(settings: Partial<KernelSettings>) {
  const context = await gpuWith(settings);
  const graph = new Graph(false);
  const [keys, values] = ['keys', 'values'].map((name) => graph.state(name, [SLOTS, LENGTH, HEAD_DIM]));
  const [positions, slots] = ['positions', 'slots'].map((name) => graph.input(name, [TOKENS], 'u32'));
  const table = graph.constant('angles', [LENGTH, ROTATED], () => uniform(LENGTH * ROTATED, 1));
  const of = (name: string, heads: number) => graph.input(name, [TOKENS, heads * HEAD_DIM], 'f32');
  const [q, k] = rope(graph, [of('q', HEADS), of('k', 1)], table, positions, HEAD_DIM);
  cacheWrite(graph, { keys, values }, k, of('v', 1), slots, positions);
  graph.output('q', add(graph, q, of('zero', HEADS)));
  const { dispatches } = makePlan('test', graph, context.settings, context.limits);
  const runner = await GraphRunner.create(context, graph);
  const feeds = Object.fromEntries(
    ['q', 'k', 'v'].map((name, i) => [name, uniform(TOKENS * (i === 0 ? HEADS : 1) * HEAD_DIM, i + 3)]),
  );
  const cache = {
    keys: uniform(SLOTS * LENGTH * HEAD_DIM, 6),
    values: uniform(SLOTS * LENGTH * HEAD_DIM, 7),
  };
  await runner.run({
    ...feeds,
    ...cache,
    positions: Uint32Array.of(8, 0, 4),
    slots: Uint32Array.of(1, 0, SLOTS),
  });
  const results = [
    await runner.read('output', 'q'),
    await runner.read('state', 'keys'),
    await runner.read('state', 'values'),
  ];
  runner.dispose();
  context.dispose();
  return { shaders: dispatches.map(({ shader }) => shader), results, cache };
}

/** Heads whose size is no multiple of four, and larger ones, of which all or a part is rotated. */
const ROTATED_SHAPES: [name: string, shape: Shape, rotated: number, interleaved: boolean][] = [
  ['heads of 10, ratio 1, 6 rotated', shape(2, 2, 10, [0, 5]), 6, false],
  ['heads of 64, ratio 4, past a chunk of keys', shape(4, 1, 64, [1300, 64, 1023]), 64, false],
  ['heads of 12, ratio 2, window 5, neighbours', shape(4, 2, 12, [8, 3], { window: 5 }), 8, true],
];

/** Rotation, cache and attention of one graph. */
async function rotatedAndDecoded(
  settings: Partial<KernelSettings>,
  made: Shape,
  rotatedElements: number,
  interleaved: boolean,
) {
  const context = await gpuWith({ ...GPU_KERNELS, ...settings });
  const { heads, keyHeads, headDim, length, positions } = made;
  const [count, width] = [positions.length, keyHeads * headDim];
  const graph = new Graph(false);
  const [keys, values] = ['keys', 'values'].map((name) => graph.state(name, [count, length, width]));
  const [at, to] = ['positions', 'slots'].map((name) => graph.input(name, [count], 'u32'));
  const table = graph.constant('angles', [length, rotatedElements], () =>
    uniform(length * rotatedElements, 1),
  );
  const raw = ([name, of]: [string, number]) => graph.input(name, [count, of * headDim], 'f32');
  const [q, k] = rope(
    graph,
    (
      [
        ['q', heads],
        ['k', keyHeads],
      ] as [string, number][]
    ).map(raw),
    table,
    at,
    headDim,
    interleaved,
  );
  cacheWrite(graph, { keys, values }, k, raw(['v', keyHeads]), to, at);
  const o = attentionDecode(graph, q, keys, values, at, made);
  graph.output('o', add(graph, o, raw(['zero', heads])));
  const { dispatches } = makePlan('test', graph, context.settings, context.limits);
  const runner = await GraphRunner.create(context, graph);
  const size = count * heads * headDim;
  await runner.run({
    keys: uniform(count * length * width, 1),
    values: uniform(count * length * width, 2),
    k: uniform(count * width, 3),
    v: uniform(count * width, 4),
    q: uniform(size, 5).map((x) => 4 * x),
    zero: new Float32Array(size),
    positions: Uint32Array.from(positions),
    slots: Uint32Array.from(positions.keys()),
  });
  const results = [
    await runner.read('output', 'o'),
    await runner.read('state', 'keys'),
    await runner.read('state', 'values'),
  ];
  runner.dispose();
  context.dispose();
  return { shaders: dispatches.map(({ shader }) => shader), results };
}

describe.skipIf(!gpu)('rotation, cache and attention of a new token', () => {
  it.each(ROTATED_SHAPES)(
    'are one kernel that computes what three do: %s',
    async (_, made, elements, pairs) => {
      const separate = await rotatedAndDecoded({ maxStorageBuffers: 8 }, made, elements, pairs);
      const fused = await rotatedAndDecoded({ maxStorageBuffers: 9 }, made, elements, pairs);
      expect(separate.shaders).toEqual(['rope', 'cache_write', 'attention_decode', 'add']);
      expect(fused.shaders).toEqual(['attention_decode', 'add']);
      fused.results.forEach((values, i) => {
        const expected = separate.results[i];
        const most = (list: Float32Array) => list.reduce((all, x) => Math.max(all, Math.abs(x)), 0);
        expect(most(expected)).toBeGreaterThan(0.05);
        expect(most(values.map((x, e) => x - expected[e])) / most(expected)).toBeLessThan(1e-6);
      });
    },
  );
});

describe.skipIf(!gpu)('keys that only the cache needs', () => {
  it('are rotated by the kernel that writes them to it', async () => {
    const [separate, fused] = [
      await rotated({ maxStorageBuffers: 8 }),
      await rotated({ maxStorageBuffers: 9 }),
    ];
    expect(separate.shaders).toEqual(['rope', 'cache_write', 'add']);
    expect(fused.shaders).toEqual(['rope', 'add']);
    expect(fused.results).toEqual(separate.results);
    expect(fused.results[1]).not.toEqual(fused.cache.keys);
  });
});
