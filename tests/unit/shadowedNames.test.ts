/** No kernel of a plan declares a name a second time inside the scope of the first. */
import { describe, expect, it } from 'vitest';
import { randomPlanOptions } from '../../scripts/lib/randomPlanOptions.ts';
import type { KernelSettings } from '../../src/gpu/dispatch.ts';
import { makeEnginePlans } from '../../src/engine/enginePlans.ts';
import { makePlan } from '../../src/plan/plan.ts';
import { opCases } from '../../src/verify/opCases.ts';
import { CPU_KERNELS } from '../helpers/agreement.ts';
import { kernelSettings } from '../helpers/kernelSettings.ts';
import { shadowedNames } from '../helpers/shadowedNames.ts';

describe('shadowedNames', () => {
  it.each([
    ['a local of a function’s parameter', 'fn f(t: u32) { let t = 1u; }', ['t']],
    ['a local of a local around it', 'fn f() { let t0 = 1u; { let t0 = t0 + 4u; } }', ['t0']],
    ['a loop of the module', 'const i = 1u; fn f() { for (var i = 0u; i < 2u; i++) { } }', ['i']],
    ['one block beside another', 'fn f() { { let a = 1u; } { let a = 2u; } }', []],
    ['one loop after another', 'fn f() { for (var i = 0u;;) { } for (var i = 1u;;) { } }', []],
    ['one function beside another', 'fn f(a: u32) -> u32 { return a; } fn g(a: u32) { }', []],
    ['a comment and a member', 'struct S { a: u32 } // let a = 1\nfn f() { let a = 1u; }', []],
  ])('finds in %s what is declared again', (_, code, wanted) => {
    expect(shadowedNames(code)).toEqual(wanted);
  });
});

const LEVELS: Partial<KernelSettings>[] = [
  CPU_KERNELS,
  {},
  { level: 'f16' },
  { level: 'matrix', workgroupBytes: 49152 },
];
const limits = { maxBindingBytes: 2 ** 30, maxBufferBytes: 2 ** 32 };

describe.each(LEVELS)('kernels for %j', (change) => {
  const settings = kernelSettings(change);
  const found = (dispatches: readonly { shader: string; code: string }[]) => [
    ...new Set(
      dispatches.flatMap(({ shader, code }) => shadowedNames(code).map((name) => `${shader}: ${name}`)),
    ),
  ];

  it('of every case declare a name once', () => {
    for (const { name, graph } of opCases())
      expect(found(makePlan(name, graph, settings, limits).dispatches), name).toEqual([]);
  });

  it.each([512, 1024, 2048])('of a model with %i tokens declare a name once', (tokens) => {
    const plans = makeEnginePlans(randomPlanOptions('Llama-3.2-1B', tokens, false), settings, limits);
    expect(found(plans.training!.train.dispatches)).toEqual([]);
  });
});
