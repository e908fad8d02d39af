/** Every op of the direct kernels against the TensorFlow.js executor and finite differences; split weights with both variants; float16 levels where there are any. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { GpuContext } from '../../src/gpu/gpuContext.ts';
import type { TensorFlow } from '../../src/graph/tensorflowTypes.ts';
import { weightSlices } from '../../src/ops/matmul/weightSlices.ts';
import { checkOp, OP_BOUND } from '../../src/verify/checkOp.ts';
import { GraphRunner } from '../../src/verify/graphRunner.ts';
import { opCases, uniform, type OpCase } from '../../src/verify/opCases.ts';
import { loadTensorFlow } from '../../src/plan/tensorflow/loadTensorflow.ts';
import { describeAgreement, CPU_KERNELS, GPU_KERNELS } from '../helpers/agreement.ts';
import { gpuWith, testGpu } from '../helpers/gpu.ts';

const gpu = await testGpu();
const VARIANTS = [CPU_KERNELS, GPU_KERNELS];

describeAgreement(gpu !== null, CPU_KERNELS);

// Both variants equal TensorFlow.js; finite differences then need only one of them.
describe.skipIf(!gpu)('finite differences', () => {
  let context: GpuContext;
  beforeAll(async () => {
    context = await gpuWith(CPU_KERNELS);
  });
  afterAll(() => context.dispose());

  const differentiated = opCases().filter(
    ({ parameters, outputs }) => parameters.size > 0 && outputs.some(({ gradient }) => gradient),
  );
  it.each(differentiated.map((made) => [made.name, made] as const))(
    '%s agrees with finite differences',
    async (_, made) => {
      const runner = await GraphRunner.create(
        context,
        made.graph,
        Object.fromEntries([...made.weights].map(([name, { parts }]) => [name, parts])),
      );
      for (const [name, { values }] of made.parameters) {
        const direction = uniform(values.length, 99);
        const h = 2e-2;
        const above = await objective(
          runner,
          made,
          name,
          values.map((value, i) => value + h * direction[i]),
        );
        const below = await objective(
          runner,
          made,
          name,
          values.map((value, i) => value - h * direction[i]),
        );
        await objective(runner, made, name, values);
        const gradient = await runner.read('gradient', name);
        const slope = gradient.reduce((sum, value, i) => sum + value * direction[i], 0);
        const scale =
          Math.sqrt(gradient.reduce((sum, value) => sum + value * value, 0)) *
          Math.sqrt(direction.reduce((sum, value) => sum + value * value, 0));
        expect(scale, `${name} has a gradient`).toBeGreaterThan(0);
        expect(Math.abs((above - below) / (2 * h) - slope) / scale, name).toBeLessThan(2e-3);
      }
      runner.dispose();
    },
  );
});

/** Weights of these cases lie in 2 to 4 slices, of 4, 20, 24 or 64 rows. */
const SPLIT: [name: string, maxBindingBytes: number][] = [
  ['linear f32 37×96→50', 8000],
  ['linear bf16 68×132→40', 6000],
  ['linear f16 65×130→66', 9000],
  ['embedding bf16 11×34', 300],
  ['linearCrossEntropy bf16 70×40, 131 tokens', 5200],
];

describe.skipIf(!gpu).each(VARIANTS)('a weight larger than a binding, kernels for a $target', (settings) => {
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

/** Largest difference, of the largest value, that float16 operands may make in one op and its gradients. */
const FLOAT16_BOUND = 5e-3;
const rounding = (gpu?.levels ?? []).filter((level) => level !== 'plain');

describe.each(rounding)('level %s', (level) => {
  let context: GpuContext;
  let tf: TensorFlow;
  beforeAll(async () => {
    context = await gpuWith({ level });
    tf = (await loadTensorFlow(['cpu'])).tf;
  });
  afterAll(() => context.dispose());

  it.each(opCases().map((made) => [made.name, made] as const))(
    '%s equals TensorFlow.js but for rounding',
    async (_, made) => {
      for (const { of, error } of await checkOp(context, tf, made))
        expect(error, of).toBeLessThan(FLOAT16_BOUND);
    },
  );
});

/** Σ seed · output with one parameter changed, summed in float64. */
async function objective(
  runner: GraphRunner,
  made: OpCase,
  name: string,
  values: Float32Array,
): Promise<number> {
  const parameters = Object.fromEntries(
    [...made.parameters].map(([other, parameter]) => [other, other === name ? values : parameter.values]),
  );
  await runner.run({ ...made.feeds, ...parameters });
  let sum = 0;
  for (const { name: output, gradient } of made.outputs) {
    const seeds = made.feeds[gradient!.name];
    (await runner.read('output', output)).forEach((value, i) => (sum += value * seeds[i]));
  }
  return sum;
}
