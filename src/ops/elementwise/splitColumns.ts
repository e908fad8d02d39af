/**
 * Splits rows into ranges of columns, such as the queries, keys and values in the output of one fused
 * projection. The gradient concatenates the parts again.
 */
import { flatGrid, value, type Dispatch, type KernelSettings } from '../../gpu/dispatch.ts';
import type { Graph } from '../../graph/graph.ts';
import type { Op } from '../../graph/op.ts';
import type { Value } from '../../graph/value.ts';
import { exclusivePrefixSum, sum } from '../numbered.ts';

interface HeadsAttribute {
  /** Each row is this many groups of columns, every one of which is split. */
  heads: number;
}

interface SplitColumnsAttributes extends HeadsAttribute {
  widths: readonly number[];
}

/**
 * @param x [T, heads · Σ widths] @param heads the groups of columns in a row, each of which is split
 * @returns one [T, heads · width] for each width, in order
 */
export function splitColumns(graph: Graph, x: Value, widths: readonly number[], heads = 1): Value[] {
  return graph.append(splitColumnsOp, { x }, { widths, heads });
}

/** Each width with the column it starts at. */
function columns(widths: readonly number[]): { width: number; first: number }[] {
  return exclusivePrefixSum(widths).map((first, i) => ({ width: widths[i], first }));
}

/** to[t, toFirst + i] = from[t, fromFirst + i] for i < width, where t counts the heads of all rows. */
function copyColumns(
  from: { value: Value; first: number },
  to: { value: Value; first: number },
  width: number,
  heads: number,
  settings: KernelSettings,
): Dispatch {
  const rows = from.value.shape[0] * heads;
  return {
    shader: 'copy_columns',
    constants: {
      ROWS: rows,
      WIDTH: width,
      FROM_WIDTH: from.value.shape[1] / heads,
      FROM: from.first,
      TO_WIDTH: to.value.shape[1] / heads,
      TO: to.first,
    },
    bindings: { y: value(to.value), x: value(from.value) },
    workgroups: flatGrid(rows * width, 64, settings),
  };
}

export const splitColumnsOp: Op<{ x: Value }, SplitColumnsAttributes> = {
  name: 'splitColumns',
  outputs({ x }, { widths, heads }) {
    if (sum(widths) * heads !== x.shape[1])
      throw new Error(`splitColumns: rows of ${x.shape[1]} are not ${heads} times ${widths.join(' + ')}`);
    return widths.map((width) => ({ shape: [x.shape[0], heads * width] }));
  },
  gradient(backward, { inputs: { x }, attributes: { heads } }, dys) {
    const parts = dys.filter((dy) => dy !== null);
    if (parts.length < dys.length) throw new Error('splitColumns: a part is not used');
    backward.pass(x, backward.append(concatColumnsOp, { parts }, { heads })[0]);
  },
  dispatches({ inputs: { x }, outputs, attributes: { widths, heads } }, settings) {
    return columns(widths).map(({ width, first }, i) =>
      copyColumns({ value: x, first }, { value: outputs[i], first: 0 }, width, heads, settings),
    );
  },
  tensorflow(tf, { x }, { attributes: { widths, heads } }) {
    const groups = tf.reshape(x, [-1, heads, sum(widths)]);
    return columns(widths).map(({ width, first }) =>
      tf.reshape(tf.slice(groups, [0, 0, first], [-1, -1, width]), [-1, heads * width]),
    );
  },
};

/** Parts [T, heads · width] side by side within each head: [T, heads · Σ widths]. */
export const concatColumnsOp: Op<{ parts: readonly Value[] }, HeadsAttribute> = {
  name: 'concatColumns',
  outputs: ({ parts }) => [{ shape: [parts[0].shape[0], sum(parts.map(({ shape }) => shape[1]))] }],
  dispatches({ inputs: { parts }, outputs: [y], attributes: { heads } }, settings) {
    return columns(parts.map(({ shape }) => shape[1] / heads)).map(({ width, first }, i) =>
      copyColumns({ value: parts[i], first: 0 }, { value: y, first }, width, heads, settings),
    );
  },
};
