/** Which of an adapter's matrix units level matrix runs on, and what a product of them is made of. */
import { describe, expect, it } from 'vitest';
import { matrixUnits, offeredLevels } from '../../src/gpu/adapterInfo.ts';
import { USUAL_MATRIX_UNITS } from '../../src/gpu/dispatch.ts';
import { Graph } from '../../src/graph/graph.ts';
import {
  LARGE_MATRIX_TILE,
  SMALL_MATRIX_TILE,
  subgroupGrid,
  variantWith,
} from '../../src/ops/matmul/matmulVariants.ts';
import { linear } from '../../src/ops/matmul/linear.ts';
import { makePlan } from '../../src/plan/plan.ts';
import { kernelSettings } from '../helpers/kernelSettings.ts';

type Sides = [m: number, n: number, k: number];
const CHROMIUM = 'chromium-experimental-subgroup-matrix';

function adapter(
  fragments: Sides[],
  change: Partial<{
    features: string[];
    component: string;
    result: string;
    subgroups: [least: number, most: number];
  }> = {},
) {
  const { features = [CHROMIUM], component = 'f16', result = 'f32', subgroups = [32, 32] } = change;
  const device = { features: new Set(['shader-f16', ...features]) } as unknown as GPUDevice;
  const subgroupMatrixConfigs = fragments.map(([M, N, K]) => ({
    M,
    N,
    K,
    componentType: component,
    resultComponentType: result,
  }));
  const [subgroupMinSize, subgroupMaxSize] = subgroups;
  const info = { subgroupMinSize, subgroupMaxSize, subgroupMatrixConfigs };
  return [device, info as unknown as GPUAdapterInfo] as const;
}

describe('matrix units', () => {
  it('are the fastest of those that the adapter has, under either name of the extension', () => {
    expect(
      matrixUnits(
        ...adapter([
          [16, 8, 8],
          [16, 16, 16],
        ]),
      ),
    ).toEqual(USUAL_MATRIX_UNITS);
    expect(
      matrixUnits(
        ...adapter([
          [16, 8, 8],
          [16, 8, 16],
        ]),
      ),
    ).toEqual({ ...USUAL_MATRIX_UNITS, n: 8 });
    expect(matrixUnits(...adapter([[8, 8, 8]], { features: ['subgroup-matrix'] }))).toEqual({
      ...USUAL_MATRIX_UNITS,
      m: 8,
      n: 8,
      k: 8,
      extension: 'draft',
    });
  });

  it('are of float32 alone where results in float32 need that', () => {
    expect(matrixUnits(...adapter([[8, 8, 8]], { component: 'f32' }))).toMatchObject({
      m: 8,
      operands: 'f32',
    });
  });

  it('run over subgroups of any size, which is asked for where there are several', () => {
    const of = (change: Parameters<typeof adapter>[1]) => matrixUnits(...adapter([[8, 8, 8]], change));
    expect(of({ subgroups: [8, 8] })).toMatchObject({ subgroup: 8, pinned: false });
    expect(of({ subgroups: [64, 64] })).toMatchObject({ subgroup: 64, pinned: false });
    const features = [CHROMIUM, 'subgroup-size-control'];
    expect(of({ subgroups: [16, 32], features })).toMatchObject({ subgroup: 16, pinned: true });
    expect(of({ subgroups: [4, 4] })).toBeNull();
  });

  it('are none of other sides, with sums in float16, over unknown subgroups, or without the feature', () => {
    for (const none of [
      adapter([[16, 16, 32]]),
      adapter([[16, 16, 16]], { result: 'f16' }),
      adapter([[16, 16, 16]], { subgroups: [16, 32] }),
      adapter([[16, 16, 16]], { features: ['subgroups'] }),
    ]) {
      expect(matrixUnits(...none)).toBeNull();
      expect(offeredLevels(...none)).toEqual(['plain', 'f16']);
    }
    expect(offeredLevels(...adapter([[16, 8, 8]]))).toEqual(['plain', 'f16', 'matrix']);
  });

  it('make the fragments and the extension of a product', () => {
    const graph = new Graph(false);
    graph.output(
      'y',
      linear(graph, graph.input('x', [256, 128], 'f32'), graph.weight('w', [256, 128], 'bf16')),
    );
    const of = (units: Parameters<typeof kernelSettings>[0]) =>
      makePlan('test', graph, kernelSettings({ level: 'matrix', workgroupBytes: 49152, ...units }), {
        maxBindingBytes: 2 ** 27,
        maxBufferBytes: 2 ** 27,
      }).dispatches[0];
    const usual = of({});
    expect(usual.constants).toMatchObject({ FRAGMENT_N: 16, FM: 4, FN: 4, FK: 2 });
    expect(usual.code).toContain('enable chromium_experimental_subgroup_matrix;');
    const other = of({ matrixUnits: { ...USUAL_MATRIX_UNITS, n: 8, k: 8, extension: 'draft' } });
    expect(other.constants).toMatchObject({ FRAGMENT_N: 8, FM: 4, FN: 8, FK: 4 });
    expect(other.code).toContain('enable subgroup_matrix;');
    expect(other.code).not.toMatch(/^(enable|diagnostic).*chromium/m);
    const pinned = of({ matrixUnits: { ...USUAL_MATRIX_UNITS, subgroup: 16, pinned: true } });
    // 128 invocations, as everywhere.
    expect(pinned.constants).toMatchObject({ SUB_M: 4, SUB_N: 2, FM: 2, FN: 4, THREADS: 128 });
    expect(pinned.code).toContain('enable subgroup_size_control;');
    expect(pinned.code).toContain('@subgroup_size(SUBGROUP)');
    const float32 = of({ matrixUnits: { ...USUAL_MATRIX_UNITS, m: 8, n: 8, k: 8, operands: 'f32' } });
    expect(float32.constants).toMatchObject({ TILE_K: 16, FM: 8, FN: 8, FK: 2, A_LOADS: 4, B_LOADS: 4 });
    expect(float32.code).not.toContain('enable f16;');
    for (const { code } of [other, pinned]) expect(code).toContain('enable f16;');
  });

  it('divide a tile among as many invocations, whatever the subgroups', () => {
    for (const tile of [LARGE_MATRIX_TILE, SMALL_MATRIX_TILE])
      for (const subgroup of [8, 16, 32, 64]) {
        const variant = variantWith('matrix', tile, 'matmul_subgroup_matrix');
        const [m, n] = subgroupGrid(variant, { ...USUAL_MATRIX_UNITS, subgroup });
        expect(m * n * subgroup).toBe(variant.threads);
        expect(variant.tileM / m).toBeGreaterThanOrEqual(16);
        expect(variant.tileN / n).toBeGreaterThanOrEqual(16);
      }
  });
});
