/**
 * Several dequantisations ahead of products (dequantiseAhead.ts) as one dispatch: they read weights alone, so
 * that nothing has to be waited for between them.
 */
import { value, type BufferReference, type Dispatch, type KernelSettings } from '../../gpu/dispatch.ts';
import type { Value } from '../../graph/value.ts';
import { exclusivePrefixSum, numberedConstants, sum } from '../numbered.ts';

/** Storage buffers beside those of the sources, and of each source. */
const SHARED_BUFFERS = 2;
const SOURCE_BUFFERS = 3;
/** Sources that the kernel has bindings for. */
const MAX_SOURCES = 10;
/** Where a slice of a value may begin. */
const ALIGNMENT_BYTES = 256;

/** A kernel that writes a dequantised operand to its node's scratch. */
export interface Dequantisation extends Dispatch {
  bindings: Dispatch['bindings'] & { y: Extract<BufferReference, { type: 'scratch' }> };
}

/** Whether a dispatch is a dequantisation that others can join: of NF4 with quantised scales. */
export function isDequantisation(dispatch: Dispatch): dispatch is Dequantisation {
  return (
    (dispatch.shader === 'dequantize_nf4_transposed' || dispatch.shader === 'dequantize_nf4_words') &&
    dispatch.constants.WEIGHT_KIND === 'nf4' &&
    dispatch.bindings.y.type === 'scratch'
  );
}

/** Bytes that an operand takes in the array of several. */
export function slotBytes({ bindings }: Dequantisation): number {
  return Math.ceil(bindings.y.bytes / ALIGNMENT_BYTES) * ALIGNMENT_BYTES;
}

/** Whether one kernel can make all of these. */
export function fitTogether(all: readonly Dequantisation[], settings: KernelSettings): boolean {
  const [{ shader, constants }] = all;
  return (
    all.length <= MAX_SOURCES &&
    SHARED_BUFFERS + SOURCE_BUFFERS * all.length <= settings.maxStorageBuffers &&
    sum(all.map(slotBytes)) <= settings.maxBindingBytes &&
    all.every((each) => each.shader === shader && each.constants.TILE_F16 === constants.TILE_F16)
  );
}

/** @param y receives each operand from a multiple of 256 bytes on, in the order of `all` */
export function dequantiseSeveral(
  all: readonly Dequantisation[],
  y: Value,
  settings: KernelSettings,
): Dispatch {
  const transposed = all[0].shader === 'dequantize_nf4_transposed';
  const isF16 = all[0].constants.TILE_F16 === true;
  const of = (name: string) => all.map(({ constants }) => Number(constants[name]));
  const [rows, columns, counts] = [of('N'), of('K'), of('COUNT')];
  const across = rows.map((n) => Math.ceil(n / 64));
  const tiles = transposed
    ? across.map((count, s) => count * (columns[s] / 64))
    : counts.map((count) => Math.ceil(count / 512));
  // Rows or elements of all sources count on, so that they name a tensor.
  const units = exclusivePrefixSum(transposed ? rows : counts);
  const tensors = all.flatMap(({ constants }, s) => {
    const count = Number(constants.PROBLEMS);
    const places = Array.from({ length: count }, (_, g) =>
      ['FIRST', 'START', 'BLOCK', 'NESTED'].map((name) => Number(constants[`${name}${g}`])),
    );
    return (count === 0 ? [[0, 0, 0, 0]] : places).map(([first, ...rest]) => [units[s] + first, ...rest]);
  });
  const sourceConstants: Record<string, number[]> = transposed
    ? { N: rows, K: columns, ACROSS: across }
    : { COUNT: counts };
  const total = sum(tiles);
  const x = Math.min(total, settings.maxWorkgroups);
  return {
    shader: 'dequantize_nf4_several',
    constants: {
      SOURCES: all.length,
      TENSORS: tensors.length,
      TRANSPOSED: transposed,
      TILE_F16: isF16,
      ...numberedConstants({
        ...sourceConstants,
        UNIT: units,
        OUT: exclusivePrefixSum(all.map(slotBytes)).map((bytes) => bytes / (isF16 ? 2 : 4)),
        TILE: exclusivePrefixSum(tiles),
        FIRST: tensors.map(([first]) => first),
        START: tensors.map(([, start]) => start),
        BLOCK: tensors.map(([, , block]) => block),
        NESTED: tensors.map(([, , , nested]) => nested),
      }),
    },
    bindings: {
      y: value(y),
      weight_tables: { type: 'quantizationTables' },
      ...Object.fromEntries(
        all.flatMap(({ bindings }, s) => [
          [`packed${s}`, bindings.weight_packed],
          [`absmax_q${s}`, bindings.weight_absmax_q],
          [`nested${s}`, bindings.weight_nested],
        ]),
      ),
    },
    workgroups: [x, Math.ceil(total / x), 1],
  };
}
