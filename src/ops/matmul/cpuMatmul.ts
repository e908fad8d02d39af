/**
 * Matmul on a CPU adapter: the kernels keep to registers, because barriers cost more than they save there.
 * Operands are read by vec4 where the layout allows.
 */
import {
  flatGrid,
  value,
  type BufferReference,
  type Dispatch,
  type KernelSettings,
} from '../../gpu/dispatch.ts';
import { elements } from '../../graph/value.ts';
import { hasNf4, matmulConstants, readsVec4, type MatmulProblem } from './matmulProblem.ts';
import { weightOperandBindings } from './groupedGemm.ts';
import { MAX_DEQUANTISED_BYTES } from '../weights/weightSlices.ts';

/**
 * Rows above which an NF4 operand is dequantised ahead: each code is looked up once, not once for each 8
 * rows.
 */
const DEQUANTISE_ROWS = 8;
/** Multiplications below which the additional dispatch costs more than the lookups that it saves. */
const DEQUANTISE_MULTIPLICATIONS = 2 ** 18;

/** Invocations that keep a CPU's threads busy, and terms of k that make up for storing a wider block. */
const ENOUGH_INVOCATIONS = 512;
const ENOUGH_TERMS = 32;

/** Quads of columns that an invocation computes: two of them read a third less than one. */
function columnQuads({ m, n, k }: MatmulProblem): 1 | 2 {
  return n % 8 === 0 && k >= ENOUGH_TERMS && (n / 8) * Math.ceil(m / 8) >= ENOUGH_INVOCATIONS ? 2 : 1;
}

/** Whether NF4 is dequantised to scratch ahead of the product. */
function dequantisesAhead(problem: MatmulProblem): boolean {
  const count = elements(problem.b.value);
  return (
    hasNf4(problem) &&
    problem.m > DEQUANTISE_ROWS &&
    problem.m * count >= DEQUANTISE_MULTIPLICATIONS &&
    count * 4 <= MAX_DEQUANTISED_BYTES
  );
}

/** @param scratchIndex index of the node's scratch that the kernels may use */
export function cpuMatmul(
  problem: MatmulProblem,
  settings: KernelSettings,
  scratchIndex: number,
): Dispatch[] {
  const { m, n, a, b, c } = problem;
  const constants = matmulConstants(problem);
  const operands = { c: c.slice ?? value(c.value), a: a.slice ?? value(a.value) };
  const weight = weightOperandBindings(problem, settings);
  if (!readsVec4(problem))
    return [
      {
        shader: 'matmul_cpu',
        constants,
        bindings: { ...operands, ...weight },
        workgroups: [Math.ceil(n / 32), Math.ceil(m / 64), 1],
      },
    ];
  const quads = columnQuads(problem);
  const product: Dispatch = {
    shader: 'matmul_cpu_vec4',
    constants: { ...constants, QUADS: quads },
    bindings: { ...operands, ...weight },
    workgroups: flatGrid((n / (4 * quads)) * Math.ceil(m / 8), 64, settings),
  };
  if (!dequantisesAhead(problem)) return [product];
  const count = elements(b.value);
  const dequantised: BufferReference = { type: 'scratch', index: scratchIndex, bytes: count * 4 };
  return [
    {
      shader: 'dequantize_nf4_blocks',
      constants: { COUNT: count, WEIGHT_KIND: constants.WEIGHT_KIND },
      bindings: { y: dequantised, ...weight },
      workgroups: flatGrid(Math.ceil(count / 64), 64, settings),
    },
    {
      ...product,
      constants: { ...product.constants, WEIGHT_KIND: 'f32' },
      bindings: { ...operands, weight_data: dequantised },
    },
  ];
}
