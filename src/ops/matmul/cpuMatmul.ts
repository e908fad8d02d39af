/** How a product is computed on a CPU adapter. */
import {
  flatGrid,
  value,
  type BufferReference,
  type Dispatch,
  type KernelSettings,
} from '../../gpu/dispatch.ts';
import { elements } from '../../graph/value.ts';
import {
  hasNf4,
  MOST_WRITTEN_BYTES,
  matmulConstants,
  readsByFour,
  weightBindings,
  type MatmulProblem,
} from './matmulProblem.ts';

/** Rows above which an NF4 operand is written out as f32 first: then each code is looked up once, not once a block of 8 rows. */
const DEQUANTIZE_ROWS = 8;
/** Multiplications below which the extra dispatch costs more than the lookups it saves. */
const DEQUANTIZE_PRODUCTS = 2 ** 18;

/** Invocations that keep a CPU's threads busy, and terms that make up for storing a wider block. */
const ENOUGH_INVOCATIONS = 512;
const ENOUGH_TERMS = 32;

/** Fours of columns of an invocation: twice as many read a third less. */
function quadsOf({ m, n, k }: MatmulProblem): 1 | 2 {
  return n % 8 === 0 && k >= ENOUGH_TERMS && (n / 8) * Math.ceil(m / 8) >= ENOUGH_INVOCATIONS ? 2 : 1;
}

/** Registers only, for adapters where barriers cost more than they save; by vec4 where the layout allows. */
export function cpuMatmul(
  product: MatmulProblem,
  settings: KernelSettings,
  scratchIndex: number,
): Dispatch[] {
  const { m, n, a, b, c } = product;
  const constants = matmulConstants(product);
  const bindings = {
    c: c.slice ?? value(c.value),
    a: a.slice ?? value(a.value),
    ...weightBindings(b.value, b.part),
  };
  if (!readsByFour(product))
    return [
      { shader: 'matmul_cpu', constants, bindings, workgroups: [Math.ceil(n / 32), Math.ceil(m / 64), 1] },
    ];
  const quads = quadsOf(product);
  const columns = { ...constants, QUADS: quads };
  const workgroups = flatGrid((n / (4 * quads)) * Math.ceil(m / 8), 64, settings);
  const count = elements(b.value);
  if (
    !hasNf4(product) ||
    m <= DEQUANTIZE_ROWS ||
    m * count < DEQUANTIZE_PRODUCTS ||
    count * 4 > MOST_WRITTEN_BYTES
  )
    return [{ shader: 'matmul_cpu_vec4', constants: columns, bindings, workgroups }];
  const plain: BufferReference = { type: 'scratch', index: scratchIndex, bytes: count * 4 };
  return [
    {
      shader: 'dequantize_nf4_blocks',
      constants: { COUNT: count, WEIGHT_KIND: constants.WEIGHT_KIND },
      bindings: { y: plain, ...weightBindings(b.value, b.part) },
      workgroups: flatGrid(Math.ceil(count / 64), 64, settings),
    },
    {
      shader: 'matmul_cpu_vec4',
      constants: { ...columns, WEIGHT_KIND: 'f32' },
      bindings: { c: bindings.c, a: bindings.a, weight_data: plain },
      workgroups,
    },
  ];
}
