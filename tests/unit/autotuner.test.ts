/**
 * The choice of the level with made-up timings: what stands for a plan, what is dropped, and what is worth
 * its rounding.
 */
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Dispatch, KernelLevel, TuningProblem } from '../../src/gpu/dispatch.ts';
import type { Node } from '../../src/graph/op.ts';
import type { Plan } from '../../src/plan/plan.ts';
import {
  decideLevel,
  measureLevels,
  representativeNodes,
  type KernelTimer,
  type RepresentativeNode,
} from '../../src/tuning/autotuner.ts';
import { kernelSettings } from '../helpers/kernelSettings.ts';

const ALL: KernelLevel[] = ['plain', 'f16', 'matrix'];
afterEach(() => {
  vi.useRealTimers();
});

interface FakeKernel {
  ms: number;
  /** Milliseconds of the first run. */
  first?: number;
  difference?: number;
  fails?: boolean;
}

/**
 * A node with a kernel of its own at each level; a level that is left out has the kernel of the level below.
 */
function fakeNode(
  name: string,
  kernels: Partial<Record<KernelLevel, FakeKernel>>,
  count = 1,
): RepresentativeNode {
  const dispatches = (_: unknown, { level }: { level: KernelLevel }): Dispatch[] => {
    const own = ALL.slice(0, ALL.indexOf(level) + 1).findLast((each) => kernels[each])!;
    return [{ shader: `${name} ${own}`, constants: {}, bindings: {}, workgroups: [1, 1, 1] }];
  };
  for (const [level, kernel] of Object.entries(kernels)) KERNELS.set(`${name} ${level}`, kernel);
  return { node: { op: { name, dispatches }, inputs: [], outputs: [] } as unknown as Node, count };
}
const KERNELS = new Map<string, FakeKernel>();

function fakeTimer(onTime: () => void = () => undefined) {
  const log: { name: string; repeats: number }[] = [];
  const kernelOf = ({ dispatches: [{ shader }] }: { dispatches: readonly Dispatch[] }) => ({
    name: shader,
    ...KERNELS.get(shader)!,
  });
  const timer: KernelTimer = {
    compile: async (dispatches) => (kernelOf({ dispatches }).fails ? null : { dispatches }),
    warmUp: async () => undefined,
    time: async (timings) =>
      timings.map(({ program, repeats }) => {
        const { name, ms, first = ms } = kernelOf(program);
        onTime();
        const isFirst = !log.some((each) => each.name === name);
        log.push({ name, repeats });
        return isFirst ? first : ms;
      }),
    difference: async (program) => kernelOf(program).difference ?? 0,
  };
  const measure = (nodes: RepresentativeNode[], stopped = () => false, levels = ALL) =>
    measureLevels(nodes, levels, kernelSettings(), timer, stopped);
  return { log, measure, timer };
}

describe('measuring the levels', () => {
  it('adds up each node as often as the plan has it', async () => {
    const nodes = [
      fakeNode('large', { plain: { ms: 4 }, f16: { ms: 2 }, matrix: { ms: 1 } }, 10),
      fakeNode('small', { plain: { ms: 1 }, f16: { ms: 3 }, matrix: { ms: 5 } }),
    ];
    expect(await fakeTimer().measure(nodes)).toEqual({ plain: 41, f16: 23, matrix: 15 });
  });

  it('gives no time to a level whose result is beyond its bound or not finite', async () => {
    const times = async (f16: number, matrix: number) =>
      fakeTimer().measure([
        fakeNode('right', { plain: { ms: 4 }, f16: { ms: 2 }, matrix: { ms: 1 } }),
        fakeNode('x', {
          plain: { ms: 4 },
          f16: { ms: 2, difference: f16 },
          matrix: { ms: 1, difference: matrix },
        }),
      ]);
    expect(await times(3.9e-3, 4.9e-3)).toEqual({ plain: 8, f16: 4, matrix: 2 });
    expect(await times(4.1e-3, 4.9e-3)).toEqual({ plain: 8, matrix: 2 });
    expect(await times(3.9e-3, 5.1e-3)).toEqual({ plain: 8, f16: 4 });
    expect(await times(NaN, Infinity)).toEqual({ plain: 8 });
  });

  it('gives no time to a level that does not compile, and none at all where plain does not', async () => {
    const times = (plain: FakeKernel, f16: FakeKernel) =>
      fakeTimer().measure([fakeNode('x', { plain, f16, matrix: { ms: 1 } })]);
    expect(await times({ ms: 4 }, { ms: 2, fails: true })).toEqual({ plain: 4, matrix: 1 });
    expect(await times({ ms: 4, fails: true }, { ms: 2 })).toEqual({});
  });

  it('leaves out a level with the kernels of the level below, and measures nothing where all are the same', async () => {
    expect(await fakeTimer().measure([fakeNode('x', { plain: { ms: 4 }, matrix: { ms: 1 } })])).toEqual({
      plain: 4,
      matrix: 1,
    });
    const { measure, log } = fakeTimer();
    expect(await measure([fakeNode('x', { plain: { ms: 4 } })])).toEqual({});
    expect(log).toEqual([]);
  });

  it('does not count the first run of a kernel', async () => {
    const node = fakeNode('x', { plain: { ms: 2, first: 3 }, f16: { ms: 1, first: 9 } });
    expect(await fakeTimer().measure([node])).toEqual({ plain: 2, f16: 1 });
  });

  it('repeats short kernels until a clock resolves them', async () => {
    const { measure, log } = fakeTimer();
    await measure([fakeNode('x', { plain: { ms: 0.1 }, f16: { ms: 0.05 } })]);
    expect(log.at(-1)!.repeats * 0.05).toBeGreaterThan(2);
  });

  it('begins no further node once its time is up, and compares the levels by those it has', async () => {
    vi.useFakeTimers();
    const nodes = ['a', 'b', 'c'].map((name) => fakeNode(name, { plain: { ms: 200 }, f16: { ms: 100 } }));
    const { measure, log } = fakeTimer(() => vi.advanceTimersByTime(100));
    // Each node takes 800 ms here: two programs, four runs each.
    expect(await measure(nodes)).toEqual({ plain: 400, f16: 200 });
    expect(new Set(log.map(({ name }) => name[0]))).toEqual(new Set(['a', 'b']));
  });

  it('counts the time of compiling, and takes no level of which a kernel it had no time for does not compile', async () => {
    vi.useFakeTimers();
    const kernels = { plain: { ms: 4 }, f16: { ms: 3 }, matrix: { ms: 1 } };
    const nodes = [
      fakeNode('first', kernels),
      fakeNode('late', { ...kernels, matrix: { ms: 1, fails: true } }),
    ];
    const { timer, log } = fakeTimer();
    const slow: KernelTimer = {
      ...timer,
      compile: (dispatches) => {
        vi.advanceTimersByTime(500);
        return timer.compile(dispatches);
      },
    };
    expect(await measureLevels(nodes, ALL, kernelSettings(), slow, () => false)).toEqual({
      plain: 4,
      f16: 3,
    });
    expect(log.every(({ name }) => name.startsWith('first'))).toBe(true);
  });

  it('says so where it was stopped, whenever that is', async () => {
    const node = fakeNode('x', { plain: { ms: 2 }, f16: { ms: 1 } });
    for (let after = 0; after < 3; after++) {
      let asked = 0;
      expect(await fakeTimer().measure([node], () => asked++ >= after), `after ${after}`).toBeNull();
    }
  });
});

describe('the level', () => {
  it('is the fastest', () => {
    expect(decideLevel({ plain: 3, f16: 2, matrix: 1 }, ALL)).toBe('matrix');
    expect(decideLevel({ plain: 3, f16: 1, matrix: 2 }, ALL)).toBe('f16');
    expect(decideLevel({ plain: 1, f16: 2, matrix: 3 }, ALL)).toBe('plain');
  });

  it('is the lower one unless the higher is 5 % faster', () => {
    expect(decideLevel({ plain: 1, f16: 0.96 }, ALL)).toBe('plain');
    expect(decideLevel({ plain: 1, f16: 0.94 }, ALL)).toBe('f16');
    expect(decideLevel({ plain: 1, f16: 0.94, matrix: 0.9 }, ALL)).toBe('f16');
  });

  it('is plain where nothing was measured, and never one that has no time', () => {
    expect(decideLevel({}, ALL)).toBe('plain');
    expect(decideLevel({ plain: 3, matrix: 1 }, ALL)).toBe('matrix');
    expect(decideLevel({ plain: 3, matrix: 1 }, ['plain', 'f16'])).toBe('plain');
  });
});

describe('what stands for a plan', () => {
  /** Nodes by op and tuning problem, each as often as `count` says. */
  function planOf(shapes: [op: string, key: string | null, operations: number, count: number][]): Plan {
    const nodes = shapes.flatMap(([name, , , count]) =>
      Array.from({ length: count }, () => ({ op: { name } }) as Node),
    );
    const problems = shapes.flatMap(([, key, operations, count]) =>
      Array.from({ length: count }, () => key && ({ key, operations } as TuningProblem)),
    );
    const dispatches = nodes.map((_, node) => ({ node, tuningProblem: problems[node] ?? undefined }));
    return { nodes, dispatches } as unknown as Plan;
  }
  const keysOf = (plan: Plan) =>
    representativeNodes(plan).map(({ node, count }) => {
      const { tuningProblem } = plan.dispatches[plan.nodes.indexOf(node)];
      return [tuningProblem?.key ?? node.op.name, count];
    });

  it('are the three product shapes that cost most, and attention; not the head, which occurs once', () => {
    const plan = planOf([
      ['norm', null, 0, 9],
      ['linear', 'a', 10, 4],
      ['linear', 'b', 30, 4],
      ['attention', null, 0, 4],
      ['linearDx', 'a', 12, 4],
      ['linear', 'c', 1, 8],
      ['head', 'd', 1000, 1],
    ]);
    expect(keysOf(plan)).toEqual([
      ['b', 4],
      ['a', 4],
      ['a', 4],
      ['attention', 4],
    ]);
    expect(representativeNodes(plan).map(({ node }) => node.op.name)).toEqual([
      'linear',
      'linearDx',
      'linear',
      'attention',
    ]);
  });

  it('are the costliest ones that there are where none repeats', () => {
    const plan = planOf([
      ['linear', 'a', 10, 1],
      ['attention', null, 0, 1],
      ['head', 'd', 1000, 1],
    ]);
    expect(keysOf(plan)).toEqual([
      ['d', 1],
      ['a', 1],
      ['attention', 1],
    ]);
  });
});
