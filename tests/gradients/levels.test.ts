/** Every op at each level that rounds to float16, against the TensorFlow.js executor. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { GpuContext } from '../../src/gpu/gpuContext.ts';
import type { TensorFlow } from '../../src/graph/tensorflowTypes.ts';
import { checkOp } from '../../src/verify/checkOp.ts';
import { opCases } from '../../src/verify/opCases.ts';
import { loadTensorFlow } from '../../src/plan/tensorflow/loadTensorflow.ts';
import { GPU_KERNELS } from '../helpers/agreement.ts';
import { gpuWith, testGpu } from '../helpers/gpu.ts';

/** Largest difference, of the largest value, that float16 operands may make in one op and its gradients. */
const FLOAT16_BOUND = 5e-3;
const levels = (await testGpu())?.levels ?? [];

const LEVELS = [
  ['f16', 'shader-f16'],
  ['matrix', 'subgroup matrices'],
] as const;

describe.each(LEVELS)('level %s (needs %s)', (level) => {
  let context: GpuContext;
  let tf: TensorFlow;
  const isOffered = levels.includes(level);
  beforeAll(async () => {
    if (!isOffered) return;
    // A software adapter that offers float16 is planned for by the kernels of CPU adapters, which have none.
    context = await gpuWith({ ...GPU_KERNELS, level });
    tf = (await loadTensorFlow(['cpu'])).tf;
  });
  afterAll(() => context?.dispose());

  it.skipIf(!isOffered).each(opCases().map((made) => [made.name, made] as const))(
    '%s equals TensorFlow.js but for rounding',
    async (_, made) => {
      for (const { of, error } of await checkOp(context, tf, made))
        expect(error, of).toBeLessThan(FLOAT16_BOUND);
    },
  );
});
