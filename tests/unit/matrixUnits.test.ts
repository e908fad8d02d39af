/** Which of an adapter's matrix units level matrix runs on, and what a product of them is made of. */
import { describe, expect, it } from 'vitest';
import { matrixUnits, offeredLevels } from '../../src/gpu/adapterInfo.ts';
import { Graph } from '../../src/graph/graph.ts';
import { linear } from '../../src/ops/matmul/linear.ts';
import { makePlan } from '../../src/plan/plan.ts';
import { kernelSettings } from '../helpers/kernelSettings.ts';

type Sides = [m: number, n: number, k: number];

function adapter(
  fragments: Sides[],
  change: Partial<{ feature: string; result: string; subgroup: number }> = {},
) {
  const { feature = 'chromium-experimental-subgroup-matrix', result = 'f32', subgroup = 32 } = change;
  const device = { features: new Set(['shader-f16', feature]) } as unknown as GPUDevice;
  const subgroupMatrixConfigs = fragments.map(([M, N, K]) => ({
    M,
    N,
    K,
    componentType: 'f16',
    resultComponentType: result,
  }));
  const info = { subgroupMinSize: subgroup, subgroupMaxSize: 32, subgroupMatrixConfigs };
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
    ).toEqual({ m: 16, n: 16, k: 16, extension: 'chromium' });
    expect(
      matrixUnits(
        ...adapter([
          [16, 8, 8],
          [16, 8, 16],
        ]),
      ),
    ).toEqual({ m: 16, n: 8, k: 16, extension: 'chromium' });
    expect(matrixUnits(...adapter([[8, 8, 8]], { feature: 'subgroup-matrix' }))).toEqual({
      m: 8,
      n: 8,
      k: 8,
      extension: 'draft',
    });
  });

  it('are none of other sides, with sums in float16, over other subgroups, or without the feature', () => {
    for (const none of [
      adapter([[16, 16, 32]]),
      adapter([[16, 16, 16]], { result: 'f16' }),
      adapter([[16, 16, 16]], { subgroup: 16 }),
      adapter([[16, 16, 16]], { feature: 'subgroups' }),
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
    const other = of({ matrixUnits: { m: 16, n: 8, k: 8, extension: 'draft' } });
    expect(other.constants).toMatchObject({ FRAGMENT_N: 8, FM: 4, FN: 8, FK: 4 });
    expect(other.code).toContain('enable subgroup_matrix;');
    expect(other.code).not.toMatch(/^(enable|diagnostic).*chromium/m);
  });
});
