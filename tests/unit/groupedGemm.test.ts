/**
 * Grouped GEMM: how the weights of projections of one input are stored contiguously, when the projections are
 * one product, and what is dispatched.
 */
import { describe, expect, it } from 'vitest';
import type { TensorKind } from '../../src/formats/tensors.ts';
import type { KernelLevel, KernelSettings } from '../../src/gpu/dispatch.ts';
import { Graph } from '../../src/graph/graph.ts';
import { linearGroup, linearGroupDxOp } from '../../src/ops/matmul/linearGroup.ts';
import { groupParts } from '../../src/ops/weights/weightGroups.ts';
import { makePlan, type Plan } from '../../src/plan/plan.ts';
import { kernelSettings } from '../helpers/kernelSettings.ts';

const weight = (out: number, width: number, kind: TensorKind = 'nf4') => ({
  name: 'w',
  shape: [out, width],
  kind,
});

describe('contiguous weights', () => {
  it('begin at multiples of 256 bytes, each part on its own', () => {
    const parts = groupParts([weight(48, 72), weight(16, 72), weight(512, 2048)], 2 ** 30)!;
    // 3456 elements: 1728 bytes of codes, 54 scales, and two float32; then 1152: 576, 18 and two.
    expect(parts.packed).toEqual({ startBytes: [0, 1792, 2560], bytes: 2560 + 524288 });
    expect(parts.absmax_q).toEqual({ startBytes: [0, 256, 512], bytes: 512 + 16384 });
    expect(parts.nested).toEqual({ startBytes: [0, 256, 512], bytes: 512 + 4 * 65 });
    expect(groupParts([weight(3, 5, 'bf16'), weight(1, 5, 'bf16')], 2 ** 30)).toEqual({
      data: { startBytes: [0, 256], bytes: 256 + 12 },
    });
  });

  it('are two or three of one kind that fit one binding whole', () => {
    expect(groupParts([weight(64, 64)], 2 ** 30)).toBeNull();
    expect(
      groupParts(
        [1, 2, 3, 4].map(() => weight(64, 64)),
        2 ** 30,
      ),
    ).toBeNull();
    expect(groupParts([weight(64, 64), weight(64, 64, 'nf4_f32')], 2 ** 30)).toBeNull();
    expect(groupParts([weight(64, 64), weight(64, 64)], 4096)).not.toBeNull();
    expect(groupParts([weight(64, 64), weight(64, 64)], 4095)).toBeNull();
    // One of the two is split by rows.
    expect(groupParts([weight(64, 64, 'f32'), weight(8, 64, 'f32')], 10_000)).toBeNull();
  });
});

function settings(level: KernelLevel, change: Partial<KernelSettings> = {}): KernelSettings {
  return kernelSettings({ level, workgroupBytes: 49152, ...change });
}

/** Outputs of the group and the gradient that dys of the same shapes give the input. */
function planned(
  tokens: number,
  width: number,
  outs: number[],
  kinds: TensorKind[],
  with_: KernelSettings,
): Plan {
  const graph = new Graph(true);
  const weights = outs.map((out, g) => graph.weight(`w${g}`, [out, width], kinds[g] ?? kinds[0]));
  const ys = linearGroup(graph, graph.input('x', [tokens, width], 'f32'), weights);
  ys.forEach((y, g) => graph.output(`y${g}`, y));
  const dys = outs.map((out, g) => graph.input(`dy${g}`, [tokens, out], 'f32'));
  graph.output('dx', graph.append(linearGroupDxOp, { dys, weights })[0]);
  return makePlan('test', graph, with_, { maxBindingBytes: 2 ** 27, maxBufferBytes: 2 ** 30 });
}

const shaders = (plan: Plan) => plan.dispatches.map(({ shader }) => shader);

describe('a group of linear layers', () => {
  it('is one dispatch forward and one backward where there are enough tiles', () => {
    const plan = planned(4096, 2048, [2048, 512, 512], ['nf4'], settings('plain', { workgroupBytes: 16384 }));
    expect(shaders(plan)).toEqual(['matmul_tiled_vec4', 'matmul_tiled_vec4']);
    const [forward, back] = plan.dispatches;
    // Tiles of 64 columns: 32 + 8 + 8; eight storage buffers are what WebGPU promises.
    expect(forward.workgroups[0]).toBe(48);
    expect(Object.keys(forward.bindings)).toHaveLength(8);
    expect(Object.keys(back.bindings)).toHaveLength(8);
    expect(plan.external.filter(({ role }) => role === 'weight').map(({ name }) => name)).toEqual([
      'w0',
      'w1',
      'w2',
    ]);
    expect(plan.weightGroups).toEqual([{ names: ['w0', 'w1', 'w2'], parts: expect.anything() }]);
  });

  it('has no tile that belongs to two problems', () => {
    const { dispatches } = planned(
      4096,
      576,
      [576, 192, 200],
      ['nf4'],
      settings('plain', { workgroupBytes: 16384 }),
    );
    expect(dispatches[0].workgroups[0]).toBe(9 + 3 + 4);
    expect(dispatches[0].constants).toMatchObject({ TILE0: 0, TILE1: 9, TILE2: 12, FIRST2: 768, SIZE2: 200 });
  });

  it('reduces the partial sums of all problems in one dispatch with split-K', () => {
    const plan = planned(64, 2048, [512, 128, 128], ['nf4'], settings('plain'));
    expect(shaders(plan)).toEqual([
      'matmul_tiled_vec4',
      'split_k_reduce_vec4',
      'matmul_tiled_vec4',
      'split_k_reduce_vec4',
    ]);
  });

  it('dequantises its NF4 once for large tiles: transposed side by side forward, by rows backward', () => {
    const plan = planned(4096, 2048, [2048, 512, 512], ['nf4'], settings('plain'));
    expect(shaders(plan)).toEqual([
      'dequantize_nf4_transposed',
      'matmul_tiled_unrolled',
      'dequantize_nf4_words',
      'matmul_tiled_unrolled',
    ]);
    expect(plan.dispatches[1].constants).toMatchObject({ START1: 2048, B_ROW: 3072, TILE1: 16, TILE2: 20 });
    expect(plan.dispatches[3].constants).toMatchObject({ START1: 2048 * 2048, B_ROW: 2048 });
    for (const { bindings } of plan.dispatches) expect(Object.keys(bindings).length).toBeLessThanOrEqual(8);
  });

  it('dequantises its NF4 to float16 once on matrix units', () => {
    const plan = planned(4096, 2048, [2048, 512, 512], ['nf4'], settings('matrix'));
    expect(shaders(plan)).toEqual([
      'dequantize_nf4_transposed',
      'matmul_subgroup_matrix',
      'dequantize_nf4_words',
      'matmul_subgroup_matrix',
    ]);
    expect(plan.dispatches[0].constants).toMatchObject({ N: 3072, K: 2048, FIRST1: 2048 });
    expect(plan.dispatches[2].constants).toMatchObject({ COUNT: 3072 * 2048, FIRST1: 2048 * 2048 });
  });

  it.each([
    ['kinds differ', [512, 128], ['nf4', 'nf4_f32'], settings('plain')],
    ['there are four', [512, 128, 128, 128], ['nf4'], settings('plain')],
    ['the adapter is a CPU', [512, 128], ['nf4'], settings('plain', { target: 'cpu' })],
    [
      'a weight does not fit one binding beside the other',
      [512, 512],
      ['nf4'],
      settings('plain', { maxBindingBytes: 600_000 }),
    ],
    ['a row is no multiple of four', [510, 129], ['bf16'], settings('plain')],
  ] as [string, number[], TensorKind[], KernelSettings][])(
    'is one product for each layer where %s',
    (_, outs, kinds, with_) => {
      const plan = planned(2048, 2048, outs, kinds, with_);
      expect(plan.dispatches.filter(({ shader }) => shader.startsWith('matmul_'))).toHaveLength(
        2 * outs.length,
      );
      expect(
        plan.dispatches
          .flatMap(({ bindings }) => Object.values(bindings))
          .some(({ type }) => type === 'weights'),
      ).toBe(false);
    },
  );

  it('is one product for each layer where only single weights can be dequantised ahead', () => {
    const plan = planned(4096, 3072, [8192, 8192], ['nf4'], settings('plain'));
    expect(shaders(plan).filter((shader) => shader === 'matmul_tiled_unrolled')).toHaveLength(4);
    expect(
      shaders(planned(4096, 2048, [8192, 8192], ['nf4'], settings('plain'))).filter(
        (shader) => shader === 'matmul_tiled_unrolled',
      ),
    ).toHaveLength(2);
  });

  it('is not grouped where its problems would run on matrix units only on their own', () => {
    const plan = planned(4096, 2048, [8192, 8192], ['nf4'], settings('matrix', { maxBindingBytes: 2 ** 25 }));
    expect(shaders(plan).filter((shader) => shader === 'matmul_subgroup_matrix')).toHaveLength(4);
  });
});
