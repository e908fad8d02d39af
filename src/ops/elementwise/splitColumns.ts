/**
 * Splits rows into ranges of columns, such as the queries, keys and values in the output of one fused
 * projection. The gradient concatenates the parts again.
 */
import { flatGrid, value, type Dispatch, type KernelSettings } from '../../gpu/dispatch.ts';
import type { Graph } from '../../graph/graph.ts';
import type { NoAttributes, Op } from '../../graph/op.ts';
import type { Value } from '../../graph/value.ts';
import { exclusivePrefixSum, sum } from '../numbered.ts';

interface SplitColumnsAttributes {
  widths: readonly number[];
}

/** @param x [T, Σ widths] @returns one [T, width] for each width, in order */
export function splitColumns(graph: Graph, x: Value, widths: readonly number[]): Value[] {
  return graph.append(splitColumnsOp, { x }, { widths });
}

/** Each width with the column it starts at. */
function columns(widths: readonly number[]): { width: number; first: number }[] {
  return exclusivePrefixSum(widths).map((first, i) => ({ width: widths[i], first }));
}

/** to[t, toFirst + i] = from[t, fromFirst + i] for i < width. */
function copyColumns(
  from: { value: Value; first: number },
  to: { value: Value; first: number },
  width: number,
  settings: KernelSettings,
): Dispatch {
  const [rows, fromWidth] = from.value.shape;
  return {
    shader: 'copy_columns',
    constants: {
      ROWS: rows,
      WIDTH: width,
      FROM_WIDTH: fromWidth,
      FROM: from.first,
      TO_WIDTH: to.value.shape[1],
      TO: to.first,
    },
    bindings: { y: value(to.value), x: value(from.value) },
    workgroups: flatGrid(rows * width, 64, settings),
  };
}

export const splitColumnsOp: Op<{ x: Value }, SplitColumnsAttributes> = {
  name: 'splitColumns',
  outputs({ x }, { widths }) {
    if (sum(widths) !== x.shape[1])
      throw new Error(`splitColumns: rows of ${x.shape[1]} are not made of ${widths.join(' + ')}`);
    return widths.map((width) => ({ shape: [x.shape[0], width] }));
  },
  gradient(backward, { inputs: { x } }, dys) {
    const parts = dys.filter((dy) => dy !== null);
    if (parts.length < dys.length) throw new Error('splitColumns: a part is not used');
    backward.pass(x, backward.append(concatColumnsOp, { parts })[0]);
  },
  dispatches({ inputs: { x }, outputs, attributes: { widths } }, settings) {
    return columns(widths).map(({ width, first }, i) =>
      copyColumns({ value: x, first }, { value: outputs[i], first: 0 }, width, settings),
    );
  },
  tensorflow: (tf, { x }, { attributes: { widths } }) =>
    columns(widths).map(({ width, first }) => tf.slice(x, [0, first], [-1, width])),
};

/** Parts [T, width] side by side: [T, Σ widths]. */
export const concatColumnsOp: Op<{ parts: readonly Value[] }, NoAttributes> = {
  name: 'concatColumns',
  outputs: ({ parts }) => [{ shape: [parts[0].shape[0], sum(parts.map(({ shape }) => shape[1]))] }],
  dispatches({ inputs: { parts }, outputs: [y] }, settings) {
    return columns(parts.map(({ shape }) => shape[1])).map(({ width, first }, i) =>
      copyColumns({ value: parts[i], first: 0 }, { value: y, first }, width, settings),
    );
  },
};
