/**
 * The LoRA kernels for GPUs on enough tokens for workgroups of 16 rows, against matrix products, and that
 * they repeat bit for bit.
 */
import { describe, expect, it } from 'vitest';
import type { GpuContext } from '../../src/gpu/gpuContext.ts';
import { add } from '../../src/ops/elementwise/add.ts';
import { Graph } from '../../src/graph/graph.ts';
import { elements, type Value } from '../../src/graph/value.ts';
import { lora } from '../../src/ops/lora/lora.ts';
import { OP_BOUND } from '../../src/verify/checkOp.ts';
import { differentiate } from '../../src/plan/autodiff.ts';
import { GraphRunner } from '../../src/verify/graphRunner.ts';
import { uniform } from '../../src/verify/caseBuilder.ts';
import { makePlan } from '../../src/plan/plan.ts';
import { CPU_KERNELS, GPU_KERNELS } from '../helpers/agreement.ts';
import { gpuWith, testGpu } from '../helpers/gpu.ts';

const gpu = await testGpu();
const TOKENS = 2051;
const WIDTH = 24;
const OUTS = [36, 8, 20];
const RANK = 8;

/**
 * Two groups of projections; the second reads what the first computes, so that its input gradient shows in
 * the parameters of the first.
 */
function twoGroups() {
  const graph = new Graph(true);
  const parameters: Value[] = [];
  const parameter = (name: string, shape: number[]) => {
    parameters.push(graph.parameter(name, shape));
    return parameters.at(-1)!;
  };
  const matrices = (name: string, width: number, outs: number[]) => ({
    a: parameter(`A${name}`, [outs.length * RANK, width]),
    b: parameter(`B${name}`, [outs.reduce((sum, out) => sum + out, 0), RANK]),
  });
  const ys = (name: string, outs: number[]) =>
    outs.map((out, g) =>
      add(
        graph,
        graph.input(`y${name}${g}`, [TOKENS, out], 'f32'),
        graph.input(`z${name}${g}`, [TOKENS, out], 'f32'),
      ),
    );
  const [h] = lora(graph, graph.input('x', [TOKENS, WIDTH], 'f32'), {
    ...matrices('1', WIDTH, [WIDTH]),
    ys: ys('1', [WIDTH]),
    scale: 2,
  });
  const outputs = lora(graph, h, { ...matrices('2', WIDTH, OUTS), ys: ys('2', OUTS), scale: 0.5 });
  outputs.forEach((value, g) =>
    graph.output(`output.${g}`, add(graph, value, graph.input(`w${g}`, value.shape, 'f32'))),
  );
  const seeds = outputs.map((value, g) => ({ value, gradient: graph.input(`seed${g}`, value.shape, 'f32') }));
  differentiate(graph, seeds, { checkpoint: false });
  const feeds = Object.fromEntries(
    [...graph.values.filter(({ role }) => role === 'input'), ...parameters].map((value, i) => [
      value.name,
      uniform(elements(value), i),
    ]),
  );
  return { graph, feeds, parameters };
}

async function results(context: GpuContext): Promise<Map<string, Float32Array>> {
  const { graph, feeds, parameters } = twoGroups();
  const runner = await GraphRunner.create(context, graph);
  await runner.run(feeds);
  const seen = new Map<string, Float32Array>();
  for (const g of OUTS.keys()) seen.set(`output.${g}`, await runner.read('output', `output.${g}`));
  for (const { name } of parameters) seen.set(name, await runner.read('gradient', name));
  runner.dispose();
  return seen;
}

describe.skipIf(!gpu)('LoRA kernels', () => {
  it('take three dispatches for each group', () => {
    const { graph } = twoGroups();
    const { dispatches } = makePlan('test', graph, { ...gpu!.settings, ...GPU_KERNELS }, gpu!.limits);
    expect(dispatches.map(({ shader }) => shader).filter((shader) => shader !== 'add')).toEqual([
      'lora_forward',
      'lora_forward',
      'lora_dx',
      'lora_gradients',
      'lora_dx',
      'lora_gradients',
    ]);
  });

  it(
    `equal matrix products over ${TOKENS} tokens, and repeat bit for bit`,
    { timeout: 600_000 },
    async () => {
      const [tiled, direct] = [await gpuWith(GPU_KERNELS), await gpuWith(CPU_KERNELS)];
      const [once, again, expected] = [await results(tiled), await results(tiled), await results(direct)];
      for (const [name, values] of expected) {
        const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
        expect(largest, name).toBeGreaterThan(0);
        const error = once
          .get(name)!
          .reduce((most, value, i) => Math.max(most, Math.abs(value - values[i])), 0);
        expect(error / largest, name).toBeLessThan(OP_BOUND);
        expect(again.get(name)).toEqual(once.get(name));
      }
      tiled.dispose();
      direct.dispose();
    },
  );
});
