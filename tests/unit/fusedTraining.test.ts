/** What the plan of a training step computes in one dispatch, where the adapter and the shapes let it. */
import { describe, expect, it } from 'vitest';
import type { KernelSettings } from '../../src/gpu/dispatch.ts';
import { makePlan } from '../../src/plan/plan.ts';
import { opCases } from '../../src/verify/opCases.ts';
import { kernelSettings } from '../helpers/kernelSettings.ts';

function planned(name: RegExp, change: Partial<KernelSettings> = {}, dequantisedBytes?: number) {
  const { graph } = opCases().find((made) => name.test(made.name))!;
  const limits = { maxBindingBytes: 2 ** 27, maxBufferBytes: 2 ** 30 };
  return makePlan('test', graph, kernelSettings(change), limits, { dequantisedBytes }).dispatches;
}

/** What the LoRA kernels compute beside the adapter, in order. */
function fusedWith(name: RegExp, change: Partial<KernelSettings> = {}): unknown[] {
  return planned(name, change)
    .filter(({ shader, constants }) => /^lora_(forward|dx)$/.test(shader) && constants.HAS_UP !== false)
    .map(({ constants }) => constants.THEN ?? constants.AHEAD);
}

describe('a training step', () => {
  it('rotates queries and keys, and their gradients, with the adapter', () => {
    const name = /^norm, adapters and rope of 70/;
    expect(fusedWith(name)).toEqual(['rope', 'rope']);
    expect(planned(name).map(({ shader }) => shader)).not.toContain('rope');
  });

  it('leaves the rotation to a kernel of its own where an adapter has eight storage buffers', () => {
    const name = /^norm, adapters and rope of 70/;
    expect(fusedWith(name, { maxStorageBuffers: 8 })).toEqual(['none', 'none']);
    expect(planned(name, { maxStorageBuffers: 8 }).filter(({ shader }) => shader === 'rope')).toHaveLength(2);
  });

  it('computes norms and gates, and their gradients, with the adapters before and after them', () => {
    const name = /^residual stream of 70/;
    const all = ['add_norm', 'gated', 'add_norm', 'norm_dx', 'gated_dx', 'norm_dx'];
    expect(fusedWith(name)).toEqual(all);
    // The gradients of a gate take nine buffers.
    expect(fusedWith(name, { maxStorageBuffers: 8 })).toEqual([...all.slice(0, 4), 'none', 'norm_dx']);
    const shaders = planned(name).map(({ shader }) => shader);
    for (const shader of ['gated', 'gated_dx', 'rms_norm_registers', 'rms_norm_dx'])
      expect(shaders).not.toContain(shader);
  });

  it('adds the parts of split products up where the adapters read them', () => {
    const name = /^split products of 70/;
    const parts = (change: Partial<KernelSettings>) =>
      planned(name, change).flatMap(({ shader, constants, op }) =>
        constants.PARTS
          ? [`${op} ${(constants.THEN ?? constants.AHEAD) as string}`]
          : /^split_k/.test(shader)
            ? [`${op} alone`]
            : [],
      );
    expect(parts({ maxStorageBuffers: 10 })).toEqual([
      'loraThen rope',
      'loraThen add_norm',
      'loraThen gated',
      // Something else comes between this one and its sum.
      'lora none',
      // What reaches the gate is read by its gradient.
      'linearDx alone',
      'loraAhead norm_dx',
      // What reaches the mixing and the first norm is read by no adapter.
      'linearDx alone',
      'linearGroupDx alone',
    ]);
    // A rotation takes nine buffers without the parts.
    expect(parts({ maxStorageBuffers: 9 })[0]).toBe('linearGroup alone');
  });

  it('keeps them apart on an adapter that is a CPU', () => {
    expect(fusedWith(/^residual stream of 70/, { target: 'cpu', rowWorkgroup: 1 })).toEqual([]);
  });

  it('sums what both backward kernels of attention need in the first of them', () => {
    const shaders = (change: Partial<KernelSettings>) =>
      planned(/^attention/, change).map(({ shader }) => shader);
    expect(shaders({})).not.toContain('attention_delta');
    expect(shaders({ maxStorageBuffers: 8 })).toContain('attention_delta');
  });

  it('dequantises weights together, as many as fit the buffers and the memory', () => {
    const name = /^linear nf4 in a row/;
    const sources = (change: Partial<KernelSettings>, dequantisedBytes?: number) =>
      planned(name, { level: 'matrix', workgroupBytes: 49152, ...change }, dequantisedBytes).flatMap(
        ({ shader, constants }) => (/^dequantize/.test(shader) ? [constants.SOURCES ?? 1] : []),
      );
    // Each source takes three buffers beside two.
    expect(sources({ maxStorageBuffers: 7 })).toEqual([1, 1, 1, 1, 1, 1]);
    expect(sources({ maxStorageBuffers: 8 })).toEqual([2, 1, 2, 1]);
    expect(sources({ maxStorageBuffers: 11 })).toEqual([3, 3]);
    // In float16 the three take 24,576, 16,384 and 65,536 bytes.
    expect(sources({}, 40_960)).toEqual([2, 1, 1, 2]);
    expect(sources({}, 40_959)).toEqual([1, 1, 1, 1, 1, 1]);
  });

  it('keeps products that are dequantised together measurable at every level', () => {
    const { graph } = opCases().find(({ name }) => /^linear nf4 in a row/.test(name))!;
    const settings = kernelSettings({ level: 'matrix', workgroupBytes: 49152 });
    const { nodes } = makePlan('test', graph, settings, {
      maxBindingBytes: 2 ** 27,
      maxBufferBytes: 2 ** 30,
    });
    const products = nodes.filter(({ op }) => /^linear/.test(op.name));
    expect(products.length).toBe(6);
    for (const node of products) {
      const at = (level: KernelSettings['level']) =>
        node.op.dispatches(node, { ...settings, level }).map(({ shader }) => shader);
      expect(at('matrix')).toContain('matmul_subgroup_matrix');
      expect(at('plain')).not.toContain('matmul_subgroup_matrix');
    }
  });
});
