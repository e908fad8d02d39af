/**
 * Gradients against finite differences, along the gradient itself and along a random direction.
 *
 * Along g/|g| the slope of the objective is |g|, as large as along any direction, and a gradient that is 5 %
 * too large misses it by 5 %. Along a random direction the slope is a small share of |g|, so that only errors
 * of direction show there.
 */
import { expect } from 'vitest';
import type { GpuContext } from '../../src/gpu/gpuContext.ts';
import { GraphRunner } from '../../src/verify/graphRunner.ts';
import { uniform, type OpCase } from '../../src/verify/caseBuilder.ts';

/** Root mean square of a parameter's change, whatever the direction. */
const STEP = 1e-2;
/**
 * Most that |g| may differ from the slope along g/|g|, of |g|; 2.6e-3 at worst, by the third derivative of a
 * capped loss.
 */
const ALONG_BOUND = 5e-3;
/** Most that g · d may differ from the slope along a random d, of |g| |d|. */
const RANDOM_BOUND = 2e-3;

/** Whether a case has gradients and bends little enough: of several ops in a row each has its own case. */
export function hasSlopes({ name, parameters, outputs }: OpCase): boolean {
  return (
    !/^(residual stream|split products)/.test(name) &&
    parameters.size > 0 &&
    outputs.some(({ gradient }) => gradient)
  );
}

/** Every parameter's gradient is the slope of the objective, and one a twentieth larger is not. */
export async function expectSlopes(context: GpuContext, made: OpCase): Promise<void> {
  const weights = [...made.weights].map(([name, { parts }]) => [name, parts] as const);
  const runner = await GraphRunner.create(context, made.graph, Object.fromEntries(weights));
  for (const [name, { values }] of made.parameters) {
    await objective(runner, made, name, values);
    const gradient = await runner.read('gradient', name);
    const size = norm(gradient);
    expect(size, `${name} has a gradient`).toBeGreaterThan(0);
    /** (f(x + h d) - f(x - h d)) / 2h for d of length 1. */
    const slope = async (direction: Float32Array) => {
      const h = STEP * Math.sqrt(values.length);
      const at = (sign: number) =>
        objective(
          runner,
          made,
          name,
          values.map((value, i) => value + sign * h * direction[i]),
        );
      return ((await at(1)) - (await at(-1))) / (2 * h);
    };
    const along = await slope(unit(gradient));
    const error = (claimed: number) => Math.abs(along - claimed) / claimed;
    expect(error(size), `${name}, along its gradient`).toBeLessThan(ALONG_BOUND);
    expect(error(1.05 * size), `${name}, were its gradient 5 % larger`).toBeGreaterThan(ALONG_BOUND);

    const direction = unit(uniform(values.length, 99));
    const claimed = gradient.reduce((sum, value, i) => sum + value * direction[i], 0);
    const random = Math.abs((await slope(direction)) - claimed) / size;
    expect(random, `${name}, along a random direction`).toBeLessThan(RANDOM_BOUND);
  }
  runner.dispose();
}

function norm(values: Float32Array): number {
  return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
}

function unit(values: Float32Array): Float32Array {
  const size = norm(values);
  return values.map((value) => value / size);
}

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
