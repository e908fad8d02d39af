/** Compares the kernels of one case with the TensorFlow.js executor: outputs and every gradient. */
import type { GpuContext } from '../gpu/gpuContext.ts';
import type { TensorFlow, TensorFlowTensor } from '../graph/tensorflowTypes.ts';
import { GraphRunner } from './graphRunner.ts';
import type { OpCase } from './caseBuilder.ts';
import { TensorFlowExecutor } from '../plan/tensorflow/tensorflowExecutor.ts';

/** Largest difference that another order of float32 sums may make, over the largest value. */
export const OP_BOUND = 2e-5;

export interface OpCheck {
  name: string;
  /** The output ('output.0'), or the parameter whose gradient it is. */
  of: string;
  /** Largest difference over the largest value. */
  error: number;
  values: Float32Array;
}

/** @returns one entry for each output and for each parameter's gradient */
export async function checkOp(context: GpuContext, tf: TensorFlow, made: OpCase): Promise<OpCheck[]> {
  const weights = Object.fromEntries([...made.weights].map(([name, { parts }]) => [name, parts]));
  const runner = await GraphRunner.create(context, made.graph, weights);
  const parameterValues = Object.fromEntries(
    [...made.parameters].map(([name, { values }]) => [name, values]),
  );
  await runner.run({ ...made.feeds, ...parameterValues });

  const frozen = new Map(
    [...made.weights].map(([name, { shape, values }]) => [name, tf.tensor(values, [...shape])]),
  );
  const parameters = new Map(
    [...made.parameters].map(([name, { shape, values }]) => [name, tf.tensor(values, [...shape])]),
  );
  const executor = new TensorFlowExecutor(tf, made.graph, frozen);
  const outputs = executor.run(
    made.outputs.map(({ value }) => value),
    made.feeds,
    parameters,
  );
  const seeds = made.outputs.flatMap(({ value, gradient }) => (gradient ? [{ value, gradient }] : []));
  const { loss, gradients } =
    seeds.length > 0
      ? executor.gradients(seeds, made.feeds, parameters)
      : { loss: [], gradients: new Map<string, TensorFlowTensor>() };
  const checks: OpCheck[] = [];
  for (const [i, { name }] of made.outputs.entries())
    checks.push(
      compare(made.name, name, await runner.read('output', name), (await outputs[i].data()) as Float32Array),
    );
  for (const [name, gradient] of gradients)
    checks.push(
      compare(made.name, name, await runner.read('gradient', name), (await gradient.data()) as Float32Array),
    );
  tf.dispose([loss, outputs, [...gradients.values()], [...frozen.values()], [...parameters.values()]]);
  executor.dispose();
  runner.dispose();
  return checks;
}

function compare(name: string, of: string, values: Float32Array, expected: Float32Array): OpCheck {
  if (values.length !== expected.length)
    throw new Error(`${name} ${of}: ${values.length} values for ${expected.length}`);
  let difference = 0;
  let largest = 1e-30;
  for (let i = 0; i < values.length; i++) {
    // This comparison keeps a NaN on either side as the difference.
    const d = Math.abs(values[i] - expected[i]);
    if (!(d <= difference)) difference = d;
    largest = Math.max(largest, Math.abs(expected[i]));
  }
  return { name, of, error: difference / largest, values };
}
