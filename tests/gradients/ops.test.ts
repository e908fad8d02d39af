/**
 * Every op by the kernels for CPU adapters against the TensorFlow.js executor, and every gradient of them
 * against finite differences; weights larger than a binding by the kernels for both targets.
 */
import { describe, expect, it } from 'vitest';
import { weightSlices } from '../../src/ops/weights/weightSlices.ts';
import { checkOp, OP_BOUND } from '../../src/verify/checkOp.ts';
import { opCases } from '../../src/verify/opCases.ts';
import { loadTensorFlow } from '../../src/plan/tensorflow/loadTensorflow.ts';
import { describeAgreement, CPU_KERNELS, GPU_KERNELS } from '../helpers/agreement.ts';
import { expectSlopes, hasSlopes } from '../helpers/finiteDifferences.ts';
import { gpuWith, testGpu } from '../helpers/gpu.ts';

const gpu = await testGpu();
const TARGETS = [CPU_KERNELS, GPU_KERNELS];

/** Cases of what only the kernels for GPUs do: add split sums later, and give a workgroup 16 rows. */
const OF_GPUS = /^split products| of 2060\b/;

// Both kinds of kernels equal TensorFlow.js, so that finite differences of one are enough.
describeAgreement(gpu !== null, CPU_KERNELS, (name) => !OF_GPUS.test(name), {
  title: 'has the slope of its objective, and a gradient a twentieth larger has not',
  of: hasSlopes,
  check: expectSlopes,
});

/** The weights of these cases are split into 2 to 4 slices of 4, 20, 24 or 64 rows. */
const SPLIT: [name: string, maxBindingBytes: number][] = [
  ['linear f32 37×96→50', 8000],
  ['linear bf16 68×132→40', 6000],
  ['linear f16 65×130→66', 9000],
  ['embedding bf16 11×34', 300],
  ['linearCrossEntropy bf16 70×40, 131 tokens', 5200],
];

describe.skipIf(!gpu).each(TARGETS)('a weight larger than a binding, kernels for a $target', (settings) => {
  it.each(SPLIT)(
    '%s, split at %i bytes, equals TensorFlow.js',
    { timeout: 600_000 },
    async (name, maxBindingBytes) => {
      const context = await gpuWith({ ...settings, maxBindingBytes });
      const made = opCases().find((candidate) => candidate.name === name)!;
      expect(
        weightSlices(
          made.graph.values.find(({ role }) => role === 'weight')!,
          maxBindingBytes,
        ).length,
      ).toBeGreaterThan(1);
      const { tf } = await loadTensorFlow(['cpu']);
      for (const { of, error } of await checkOp(context, tf, made)) expect(error, of).toBeLessThan(OP_BOUND);
      context.dispose();
    },
  );
});
