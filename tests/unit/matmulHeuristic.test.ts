/** Which matmul variants fit a product, which one the heuristic takes, and when a choice overrides it. */
import { describe, expect, it } from 'vitest';
import { configsAt } from '../../scripts/bench/variants.ts';
import type { TensorKind } from '../../src/formats/tensors.ts';
import type { KernelLevel, KernelSettings } from '../../src/gpu/dispatch.ts';
import { Graph } from '../../src/graph/graph.ts';
import type { MatmulProblem } from '../../src/ops/matmul/matmulProblem.ts';
import { VARIANTS } from '../../src/ops/matmul/matmulVariants.ts';
import {
  selectedConfig,
  configName,
  matmulKey,
  candidateConfigs,
} from '../../src/ops/matmul/matmulConfigs.ts';
import { gpuMatmul } from '../../src/ops/matmul/gpuMatmul.ts';
import { kernelSettings } from '../helpers/kernelSettings.ts';

function linear(m: number, n: number, k: number, kind: TensorKind = 'nf4'): MatmulProblem {
  const graph = new Graph(false);
  return {
    m,
    n,
    k,
    a: { value: graph.value('activation', 'a', [m, k]), rowStride: k, columnStride: 1 },
    b: { value: graph.weight('b', [n, k], kind), rowStride: 1, columnStride: k },
    c: { value: graph.value('activation', 'c', [m, n]), rowStride: n },
  };
}

function settings(
  level: KernelLevel,
  choices?: Record<string, string>,
  workgroupBytes = 49152,
): KernelSettings {
  return kernelSettings({
    level,
    workgroupBytes,
    maxBindingBytes: 2 ** 30,
    choices: choices && new Map(Object.entries(choices)),
  });
}

const layer = linear(512, 2048, 8192);

describe('variants of a product', () => {
  it('have names of their own and at most 256 invocations', () => {
    expect(new Set(VARIANTS.map(({ name }) => name)).size).toBe(VARIANTS.length);
    for (const { threads, tileM, tileN, perM, perN } of VARIANTS) {
      expect(threads).toBeLessThanOrEqual(256);
      expect(Number.isInteger(tileM / perM) && Number.isInteger(tileN / perN)).toBe(true);
    }
  });

  it('are those of the level and of the lower levels, that of the heuristic first', () => {
    const levels = (level: KernelLevel) =>
      new Set(candidateConfigs(layer, settings(level)).map(({ variant }) => variant.level));
    expect(levels('plain')).toEqual(new Set(['plain']));
    expect(levels('f16')).toEqual(new Set(['plain', 'f16']));
    expect(levels('matrix')).toEqual(new Set(['plain', 'f16', 'matrix']));
    expect(configName(candidateConfigs(layer, settings('plain'))[0])).toBe('plain 128x128 8x8 unrolled / 4');
    expect(configName(candidateConfigs(layer, settings('matrix'))[0])).toBe('matrix 128x128 2x2 / 4');
  });

  it('fit the workgroup memory', () => {
    const names = (bytes: number) =>
      candidateConfigs(layer, settings('plain', undefined, bytes)).map(({ variant }) => variant.name);
    expect(names(16384)).not.toContain('plain 128x128 8x8');
    expect(names(32768)).toContain('plain 128x128 8x8');
  });

  it('waste less than half a tile on a short side', () => {
    for (const { variant } of candidateConfigs(linear(40, 2048, 2048), settings('plain')))
      expect(variant.tileM).toBeLessThan(80);
    expect(
      candidateConfigs(linear(16, 2048, 2048), settings('plain')).map(({ variant }) => variant.tileM),
    ).toContain(16);
    expect(candidateConfigs(layer, settings('plain')).map(({ variant }) => variant.tileM)).not.toContain(16);
  });

  it('are measured by bench with half and twice the split-K of the heuristic too, within the limits', () => {
    const near = (product: MatmulProblem) => {
      const problem = gpuMatmul(product, settings('plain'), 0)[0].tuningProblem!;
      const candidates = candidateConfigs(product, settings('plain')).map(configName);
      return configsAt(problem, settings('plain'))
        .map(({ name }) => name)
        .slice(candidates.length);
    };
    expect(near(layer)).toEqual(['plain 128x128 8x8 unrolled / 2', 'plain 128x128 8x8 unrolled / 8']);
    expect(near(linear(2048, 2048, 128))).toEqual([]);
  });
});

describe('the heuristic', () => {
  const heuristic = (product: MatmulProblem, bytes?: number) =>
    configName(candidateConfigs(product, settings('plain', undefined, bytes))[0]);
  const transposed = (product: MatmulProblem) => ({
    ...product,
    b: { ...product.b, rowStride: product.n, columnStride: 1 },
  });

  it('takes large tiles where there are enough of them and the weight runs along n or is transposed', () => {
    expect(heuristic(linear(4096, 2048, 2048))).toBe('plain 128x128 8x8 unrolled / 1');
    expect(heuristic(linear(4096, 2048, 2048, 'bf16'))).toBe('plain 128x64 8x8 / 1');
    expect(heuristic(transposed(linear(4096, 2048, 2048, 'bf16')))).toBe('plain 128x128 8x8 unrolled / 1');
    expect(heuristic(linear(512, 576, 576))).not.toContain('unrolled');
    expect(heuristic(linear(4096, 2048, 2048), 16384)).toBe('plain 128x64 8x8 / 1');
  });

  it('takes tiles of 128 sums an invocation where it has the registers and the workgroup memory', () => {
    const wide = (product: MatmulProblem, level: KernelLevel = 'plain', bytes = 49152) =>
      configName(candidateConfigs(product, { ...settings(level, undefined, bytes), maxSums: 128 })[0]);
    expect(wide(linear(4096, 2048, 2048))).toBe('plain 128x256 8x16 unrolled / 1');
    expect(wide(linear(4096, 2048, 2048), 'f16')).toBe('plain 128x256 8x16 unrolled / 1');
    expect(wide(linear(4096, 2048, 2048, 'bf16'))).toBe('plain 128x256 8x16 unrolled / 1');
    expect(wide(linear(4096, 2048, 2048), 'plain', 24576)).toBe('plain 128x128 8x8 unrolled / 1');
    expect(wide(linear(512, 192, 8192))).not.toContain('8x16');
  });

  it('gives a few rows as many columns at once as leave enough workgroups, and wider workgroups from four rows', () => {
    const few = (m: number, n: number, k = 2048) => heuristic(linear(m, n, k));
    expect([few(1, 8192), few(1, 2048, 8192), few(1, 4096), few(3, 8192)]).toEqual([
      'plain skinny by 4 / 1',
      'plain skinny by 1 / 1',
      'plain skinny by 2 / 1',
      'plain skinny by 4 / 1',
    ]);
    expect([few(4, 8192), few(8, 2048, 8192), few(8, 1024)]).toEqual([
      'plain wide skinny by 4 / 1',
      'plain wide skinny by 2 / 1',
      'plain wide skinny by 1 / 1',
    ]);
    expect(few(9, 2048)).not.toContain('skinny');
    const many = (m: number, n: number) =>
      configName(candidateConfigs(linear(m, n, 2048), { ...settings('plain'), fewRows: 64 })[0]);
    expect([many(9, 2048), many(64, 8192)]).toEqual([
      'plain wide skinny by 2 / 1',
      'plain wide skinny by 4 / 1',
    ]);
    expect(many(65, 2048)).not.toContain('skinny');
  });

  it('dequantises NF4 in the tile where rows are few or it is too large to be dequantised ahead', () => {
    expect(heuristic(linear(128, 32768, 2048))).toBe('plain 128x128 8x8 unrolled, dequantises / 1');
    expect(heuristic(linear(4096, 16384, 4096))).toBe('plain 128x128 8x8 unrolled, dequantises / 1');
    expect(heuristic(linear(96, 32768, 2048))).not.toContain('unrolled');
  });

  it('dequantises NF4 that runs along n in the tile unless very many rows share it', () => {
    expect(heuristic(transposed(linear(512, 2048, 8192)))).toBe(
      'plain 128x128 8x8 unrolled, dequantises / 4',
    );
    expect(heuristic(transposed(linear(4096, 2048, 8192)))).toBe('plain 128x128 8x8 unrolled / 1');
  });
});

describe('a choice', () => {
  const chosen = (level: KernelLevel, name: string, product = layer) =>
    configName(selectedConfig(product, settings(level, { [matmulKey(layer)]: name })));
  const heuristic = 'plain 128x128 8x8 unrolled / 4';

  it('overrides the heuristic for its own shape only', () => {
    expect(chosen('plain', 'plain 64x64 4x4 / 2')).toBe('plain 64x64 4x4 / 2');
    expect(chosen('plain', 'plain 64x64 4x4 / 2', linear(513, 2048, 8192))).toBe(
      'plain 128x128 8x8 unrolled / 4',
    );
    expect(chosen('matrix', 'plain 64x64 4x4 / 2')).toBe('plain 64x64 4x4 / 2');
  });

  it('is ignored where it does not exist, does not fit or is above the level', () => {
    for (const name of [
      'no such tile / 1',
      'plain 64x64 4x4',
      'plain 64x64 4x4 / x',
      'plain 64x64 4x4 / 0.5',
      'plain 64x64 4x4 / 128',
      'scalar / 1',
      'matrix 64x64 2x2 / 1',
      '',
    ])
      expect(chosen('plain', name), name).toBe(heuristic);
  });

  it('is what is dispatched', () => {
    const [dispatch] = gpuMatmul(layer, settings('plain', { [matmulKey(layer)]: 'plain 64x32 4x4 / 1' }), 0);
    expect(dispatch.constants).toMatchObject({ TILE_M: 64, TILE_N: 32, SPLIT_K: 1, THREADS: 128 });
    expect(dispatch.workgroups).toEqual([64, 8, 1]);
    const { tuningProblem } = dispatch;
    const byHeuristic = tuningProblem!.dispatches(
      tuningProblem!.configs(settings('plain'))[0],
      settings('plain'),
    );
    expect(byHeuristic.map(({ shader }) => shader)).toEqual([
      'dequantize_nf4_transposed',
      'matmul_tiled_unrolled',
      'split_k_reduce_vec4',
    ]);
    expect(byHeuristic[1].constants).toMatchObject({
      TILE_M: 128,
      SPLIT_K: 4,
      B_ALONG_K: false,
      B_ROW: 2048,
    });
  });

  it('is stored by a key that differs by layout, kind and what is done with the result', () => {
    const keys = [
      layer,
      linear(512, 2048, 8192, 'bf16'),
      { ...layer, accumulate: true },
      { ...layer, alpha: 2 },
      { ...layer, b: { ...layer.b, rowStride: 2048, columnStride: 1 } },
    ].map(matmulKey);
    expect(new Set(keys).size).toBe(keys.length);
  });
});
