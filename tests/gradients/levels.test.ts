/**
 * Every op at each level that rounds to float16, against the TensorFlow.js executor. Where a level plans the
 * same dispatches as plain, they are the kernels that tests/gradients/tiled.test.ts runs, and are not
 * compiled once more.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { GpuContext } from '../../src/gpu/gpuContext.ts';
import type { KernelLevel, KernelSettings } from '../../src/gpu/dispatch.ts';
import type { TensorFlow } from '../../src/graph/tensorflowTypes.ts';
import { makePlan } from '../../src/plan/plan.ts';
import { checkOp } from '../../src/verify/checkOp.ts';
import type { OpCase } from '../../src/verify/caseBuilder.ts';
import { opCases } from '../../src/verify/opCases.ts';
import { isSoftwareAdapter } from '../../src/gpu/adapterInfo.ts';
import { loadTensorFlow } from '../../src/plan/tensorflow/loadTensorflow.ts';
import { GPU_KERNELS } from '../helpers/agreement.ts';
import { gpuWith, testGpu } from '../helpers/gpu.ts';

/** Largest difference, of the largest value, that float16 operands may make in one op and its gradients. */
const FLOAT16_BOUND = 5e-3;
const gpu = await testGpu();

/** Mixers with a state have kernels of float32 only: they run once on an adapter that offers float16. */
const MIXERS = /^(gatedDelta|deltaGates|shortConvolution)/;

const LEVELS = [
  ['f16', 'shader-f16'],
  ['matrix', 'subgroup matrices'],
] as const;

/** Each takes a software adapter 10 to 25 s to compile; other cases have the same code at other sizes. */
const LEFT_TO_GPUS =
  /^(gatedDeltaRule (1×3|2×4|1×6),|linear (f32|nf4_f32) (9|68|72)×|linearGroup (nf4_f32|nf4 5×64|Q4_K)\b)/;
const onCpu = gpu !== null && isSoftwareAdapter(gpu.adapterInfo);

/** What a level dispatches for a case: shaders, constants and grids. */
function dispatched({ graph }: OpCase, level: KernelLevel): string {
  const settings: KernelSettings = { ...gpu!.settings, ...GPU_KERNELS, level };
  const { dispatches } = makePlan('one op', graph, settings, gpu!.limits);
  return JSON.stringify(
    dispatches.map(({ shader, constants, workgroups }) => [shader, constants, workgroups]),
  );
}

describe.each(LEVELS)('level %s (needs %s)', (level) => {
  let context: GpuContext;
  let tf: TensorFlow;
  const isOffered = gpu?.levels.includes(level) === true;
  const own = isOffered
    ? opCases().filter(
        (made) =>
          !(onCpu && LEFT_TO_GPUS.test(made.name)) &&
          (dispatched(made, level) !== dispatched(made, 'plain') ||
            (level === 'f16' && MIXERS.test(made.name))),
      )
    : [];
  beforeAll(async () => {
    if (!isOffered) return;
    // A software adapter that offers float16 is planned for by the kernels of CPU adapters, which have none.
    context = await gpuWith({ ...GPU_KERNELS, level });
    tf = (await loadTensorFlow(['cpu'])).tf;
  });
  afterAll(() => context?.dispose());

  it.skipIf(!isOffered)('has kernels of its own for products of every kind of weight', () => {
    for (const kind of ['f32', 'bf16', 'f16', 'nf4', 'nf4_f32'])
      expect(
        own.some(({ name }) => name.startsWith(`linear ${kind} `)),
        kind,
      ).toBe(true);
    expect(own.some(({ name }) => name.startsWith('linearCrossEntropy'))).toBe(true);
  });

  it.each(own.map((made) => [made.name, made] as const))(
    '%s equals TensorFlow.js but for rounding',
    async (_, made) => {
      for (const { of, error } of await checkOp(context, tf, made))
        expect(error, of).toBeLessThan(FLOAT16_BOUND);
    },
  );
});
