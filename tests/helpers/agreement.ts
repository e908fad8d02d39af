/**
 * The check that the kernels for either target must pass; each target has a test file, so that they run in
 * parallel.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { GpuContext } from '../../src/gpu/gpuContext.ts';
import type { KernelSettings } from '../../src/gpu/dispatch.ts';
import type { TensorFlow } from '../../src/graph/tensorflowTypes.ts';
import { checkOp, OP_BOUND } from '../../src/verify/checkOp.ts';
import type { OpCase } from '../../src/verify/caseBuilder.ts';
import { opCases } from '../../src/verify/opCases.ts';
import { loadTensorFlow } from '../../src/plan/tensorflow/loadTensorflow.ts';
import { gpuWith } from './gpu.ts';

/** Kernels of CPU adapters: registers only, no barriers. */
export const CPU_KERNELS: Partial<KernelSettings> = { target: 'cpu', rowWorkgroup: 1 };
/** Kernels of GPUs: tiles in workgroup memory. */
export const GPU_KERNELS: Partial<KernelSettings> = { target: 'gpu', rowWorkgroup: 128 };

/** What else is expected of a case's kernels, which are compiled once. */
export interface FurtherCheck {
  of: (made: OpCase) => boolean;
  title: string;
  check: (context: GpuContext, made: OpCase) => Promise<void>;
}

/** Compares every op by these kernels with TensorFlow.js, forward and gradients. */
export function describeAgreement(
  hasGpu: boolean,
  settings: Partial<KernelSettings>,
  includes: (name: string) => boolean = () => true,
  further?: FurtherCheck,
): void {
  describe.skipIf(!hasGpu)(`kernels for a ${settings.target}`, () => {
    let context: GpuContext;
    let tf: TensorFlow;
    beforeAll(async () => {
      context = await gpuWith(settings);
      tf = (await loadTensorFlow(['cpu'])).tf;
    });
    afterAll(() => context.dispose());

    const cases = opCases().filter(({ name }) => includes(name));
    it.each(cases.map((made) => [made.name, made] as const))('%s equals TensorFlow.js', async (_, made) => {
      const checks = await checkOp(context, tf, made);
      const differentiated = made.outputs.some(({ gradient }) => gradient);
      expect(checks.length).toBe(made.outputs.length + (differentiated ? made.parameters.size : 0));
      for (const { of, error } of checks) expect(error, of).toBeLessThan(OP_BOUND);
    });

    if (!further) return;
    const checked = cases.filter((made) => further.of(made)).map((made) => [made.name, made] as const);
    it.each(checked)(`%s ${further.title}`, (_, made) => further.check(context, made));
  });
}
