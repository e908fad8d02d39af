/**
 * Every variant of attention that this adapter can run, of forward and both gradients, against the
 * TensorFlow.js executor. Other tests run what the heuristic takes for the adapter's workgroup memory; an
 * adapter with less of it takes smaller blocks. It is run where shader-f16 is, as
 * on lavapipe: SwiftShader would take a minute.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { GpuContext } from '../../src/gpu/gpuContext.ts';
import type { KernelLevel, KernelSettings } from '../../src/gpu/dispatch.ts';
import type { TensorFlow } from '../../src/graph/tensorflowTypes.ts';
import {
  attentionAttributes,
  attentionVariant,
  type AttentionKernel,
} from '../../src/ops/attention/attentionVariants.ts';
import { makePlan } from '../../src/plan/plan.ts';
import { loadTensorFlow } from '../../src/plan/tensorflow/loadTensorflow.ts';
import { attentionCase } from '../../src/verify/cases/attentionCases.ts';
import { checkOp, OP_BOUND } from '../../src/verify/checkOp.ts';
import { GPU_KERNELS } from '../helpers/agreement.ts';
import { gpuWith, testGpu } from '../helpers/gpu.ts';

const gpu = await testGpu();
const offers = gpu?.levels.includes('f16') === true;

const KERNELS: readonly AttentionKernel[] = ['forward', 'dq', 'dkv'];
/**
 * Documents that cross blocks of 8, 16, 32 and 64. The last has one token and a block for itself, so that a
 * kernel that stops one token too early, or clamps a row to the one before, computes something else.
 */
const LENGTHS = [3, 45, 16, 1];
/** The same with a multiple of 16 tokens, as matrix units ask. */
const MATRIX_LENGTHS = [3, 45, 31, 1];
/** By float16 operands on matrix units, of the largest value. */
const MATRIX_BOUND = 5e-3;

/**
 * A head of three vec4, which no eight invocations share evenly. Larger heads have the same blocks, in code
 * that is unrolled further: a software adapter takes minutes to compile them.
 */
const HEADS = [{ heads: 4, keyHeads: 2, headDim: 12, softcap: 5, window: 30 }];
type Heads = (typeof HEADS)[number];

const lengthsAt = (level: KernelLevel) => (level === 'matrix' ? MATRIX_LENGTHS : LENGTHS);

/** The kernels of one run, as 'dq tiled 16'. */
function variantsOf(heads: Heads, settings: KernelSettings): string[] {
  const attributes = attentionAttributes({ ...heads, scale: 1 });
  const tokens = lengthsAt(settings.level).reduce((a, b) => a + b);
  return KERNELS.map((kernel) => {
    const { name, blockRows } = attentionVariant(kernel, tokens, attributes, settings);
    return `${kernel} ${name} ${blockRows}`;
  });
}

interface Run {
  heads: Heads;
  level: KernelLevel;
  workgroupBytes: number;
  /** Those that no run before has. */
  variants: string[];
}

/**
 * Runs that have every variant between them: with less and less workgroup memory, at each level. The kernels
 * of an invocation a row are those of CPU adapters, which run everywhere.
 */
function runs({ levels, settings }: GpuContext): Run[] {
  const found: Run[] = [];
  for (const heads of HEADS) {
    const seen = new Set<string>();
    for (const level of levels)
      for (let workgroupBytes = settings.workgroupBytes; workgroupBytes > 0; workgroupBytes -= 512) {
        const all = variantsOf(heads, { ...settings, ...GPU_KERNELS, level, workgroupBytes });
        const variants = all.filter((name) => !seen.has(name) && !name.includes('serial'));
        if (variants.length > 0) found.push({ heads, level, workgroupBytes, variants });
        for (const name of variants) seen.add(name);
      }
  }
  return found;
}

describe.skipIf(!offers)('every variant of attention (needs shader-f16)', () => {
  const made = offers ? runs(gpu) : [];
  let context: GpuContext;
  let tf: TensorFlow;
  beforeAll(async () => {
    context = await gpuWith(GPU_KERNELS);
    tf = (await loadTensorFlow(['cpu'])).tf;
  });
  afterAll(() => context?.dispose());

  it('is among these: blocks of every size of each kernel', () => {
    const variants = new Set(made.flatMap((run) => run.variants));
    for (const kernel of KERNELS)
      for (const variant of ['tiled 32', 'tiled 16', 'tiled 8'])
        expect([...variants]).toContain(`${kernel} ${variant}`);
  });

  it('has none of its own at f16', () => {
    const { graph } = attentionCase('heads of 12', LENGTHS, HEADS[0]);
    const attentions = (level: KernelLevel) =>
      makePlan('one op', graph, { ...gpu!.settings, ...GPU_KERNELS, level }, gpu!.limits)
        .dispatches.filter(({ shader }) => shader.startsWith('attention'))
        .map(({ shader, constants, workgroups }) => [shader, constants, workgroups]);
    // Forward, dq with the sums of each row, dk and dv.
    expect(attentions('plain').length).toBe(3);
    expect(attentions('f16')).toEqual(attentions('plain'));
  });

  it.each(made.map((run) => [run.heads.headDim, run.variants.join(', '), run] as const))(
    'heads of %i: %s',
    async (headDim, _, { heads, level, workgroupBytes }) => {
      Object.assign(context.settings, { level, workgroupBytes });
      const checks = await checkOp(
        context,
        tf,
        attentionCase(`heads of ${headDim}`, lengthsAt(level), heads),
      );
      expect(checks.map(({ of }) => of).sort()).toEqual(['k', 'output.0', 'q', 'v']);
      for (const { of, error } of checks)
        expect(error, of).toBeLessThan(level === 'matrix' ? MATRIX_BOUND : OP_BOUND);
    },
  );

  it.each([
    ['starts the last row at its own document where others share its block', [3, 45, 16, 1, 1]],
    ['takes the last key where it begins a block of keys', [3, 45, 17]],
  ])('%s', async (name, lengths) => {
    // Blocks of 32, which a software adapter compiles in half the time of those of 64.
    Object.assign(context.settings, { level: 'plain', workgroupBytes: 16384 });
    const checks = await checkOp(context, tf, attentionCase(name, lengths, HEADS[0]));
    for (const { of, error } of checks) expect(error, of).toBeLessThan(OP_BOUND);
  });
});
