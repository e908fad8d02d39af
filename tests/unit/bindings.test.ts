/**
 * Every dispatch binds, by the name of the WGSL variable, exactly what its shader declares; plans refuse what
 * does not.
 */
import { describe, expect, it } from 'vitest';
import { declaredBindings, resolveBindings } from '../../src/gpu/bindings.ts';
import type { Dispatch, KernelSettings } from '../../src/gpu/dispatch.ts';
import { value } from '../../src/gpu/dispatch.ts';
import { assembleShader } from '../../src/gpu/shaders.ts';
import { Graph } from '../../src/graph/graph.ts';
import type { NoAttributes, Op } from '../../src/graph/op.ts';
import type { Value } from '../../src/graph/value.ts';
import { makePlan } from '../../src/plan/plan.ts';
import { opCases } from '../../src/verify/opCases.ts';
import { kernelSettings } from '../helpers/kernelSettings.ts';

const SCALE: Dispatch['constants'] = { ROWS: 2, WIDTH: 4, ACCUMULATE: false };

/** y = x · s by scale_rows.wgsl, with other bindings than it needs where `change` says so. */
function scaleOp(change: (names: Record<string, Value>) => Record<string, Value>): Op<object, NoAttributes> {
  return {
    name: 'scale',
    outputs: () => [{ shape: [2, 4] }],
    dispatches: ({ inputs, outputs: [y] }) => [
      {
        shader: 'scale_rows',
        constants: SCALE,
        bindings: Object.fromEntries(
          Object.entries(change({ ...(inputs as Record<string, Value>), y })).map(([name, v]) => [
            name,
            value(v),
          ]),
        ),
        workgroups: [1, 1, 1],
      },
    ],
  };
}

function planWith(change: (names: Record<string, Value>) => Record<string, Value>) {
  const graph = new Graph(false);
  const inputs = { x: graph.input('x', [2, 4], 'f32'), s: graph.input('s', [2], 'f32') };
  graph.output('y', graph.append(scaleOp(change), inputs)[0]);
  return makePlan('test', graph, kernelSettings(), { maxBindingBytes: 2 ** 27, maxBufferBytes: 2 ** 30 });
}

describe('a plan', () => {
  it('resolves names to the numbers that the shader declares, in their order', () => {
    const [{ resolved }] = planWith(({ s, y, x }) => ({ s, y, x })).dispatches;
    expect(resolved.map(({ name, binding, access }) => [name, binding, access])).toEqual([
      ['y', 0, 'read_write'],
      ['x', 1, 'read'],
      ['s', 2, 'read'],
    ]);
  });

  it('refuses a name that the shader does not declare, and one that is missing', () => {
    expect(() => planWith(({ y, x, s }) => ({ y, x, scales: s }))).toThrow(
      'scale_rows.wgsl: the dispatch binds scales, which the shader does not declare; ' +
        'the shader declares s, which the dispatch does not bind',
    );
    expect(() => planWith(({ y, x }) => ({ y, x }))).toThrow('the shader declares s');
  });

  it('refuses a kernel that writes to what its node only reads, and one that never writes an output', () => {
    expect(() => planWith(({ y, x, s }) => ({ y: x, x: y, s }))).toThrow(
      'scale: scale_rows.wgsl writes to y, but x is no output of the node',
    );
    const graph = new Graph(false);
    const x = graph.input('x', [2, 4], 'f32');
    const idle: Op<object, NoAttributes> = { ...scaleOp((names) => names), dispatches: () => [] };
    graph.output('y', graph.append(idle, { x })[0]);
    expect(() =>
      makePlan('test', graph, kernelSettings(), { maxBindingBytes: 2 ** 27, maxBufferBytes: 2 ** 30 }),
    ).toThrow('scale: no kernel writes the output y');
  });

  it('refuses a kernel that writes to frozen weights', () => {
    const declared = declaredBindings(assembleShader('scale_rows', SCALE));
    const weight = { type: 'weight', id: 0, part: 'data', slice: 0 } as const;
    const bindings = { y: weight, x: value({ id: 1 }), s: value({ id: 2 }) };
    expect(() => resolveBindings({ shader: 'scale_rows', bindings }, declared)).toThrow(
      'scale_rows.wgsl declares y read_write, but the buffer is frozen',
    );
  });
});

const SETTINGS: [string, Partial<KernelSettings>][] = [
  ['a CPU', { target: 'cpu', rowWorkgroup: 1 }],
  ['a GPU at level plain', {}],
  ['a GPU at level f16', { level: 'f16' }],
  ['a GPU at level matrix', { level: 'matrix', workgroupBytes: 49152 }],
  ['a GPU with eight storage buffers', { maxStorageBuffers: 8 }],
];

describe.each(SETTINGS)('for %s', (_, change) => {
  const settings = kernelSettings(change);

  it(
    'every op case binds what its shaders declare, by every config of its products',
    { timeout: 120_000 },
    () => {
      const tried = new Set<string>();
      for (const { name, graph } of opCases()) {
        const { dispatches } = makePlan(name, graph, settings, {
          maxBindingBytes: 2 ** 27,
          maxBufferBytes: 2 ** 30,
        });
        for (const { tuningProblem } of dispatches) {
          if (!tuningProblem || tried.has(tuningProblem.key)) continue;
          tried.add(tuningProblem.key);
          for (const config of tuningProblem.configs(settings))
            for (const dispatch of tuningProblem.dispatches(config, settings))
              resolveBindings(
                dispatch,
                declaredBindings(assembleShader(dispatch.shader, dispatch.constants)),
              );
        }
      }
      if (settings.target === 'gpu') expect(tried.size).toBeGreaterThan(100);
      else expect(tried.size).toBe(0);
    },
  );
});
