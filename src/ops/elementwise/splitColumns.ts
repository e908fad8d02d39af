/** Cuts rows into column ranges: what a fused projection's output is (qkv, gate and up in one weight). The gradient lays the parts side by side. */
import { flatGrid, value } from '../../gpu/dispatch.ts';
import { elements, type Graph, type Op, type Value } from '../../graph/graph.ts';

/** @param x [T, Σ widths] @returns one [T, width] a width, in order */
export function splitColumns(graph: Graph, x: Value, widths: readonly number[]): Value[] {
  return graph.append(splitColumnsOp, [x], { widths });
}

/** Each width with the column it starts at. */
function columns(widths: readonly number[]): { width: number; first: number }[] {
  let first = 0;
  return widths.map((width) => ({ width, first: (first += width) - width }));
}

export const splitColumnsOp: Op = {
  name: 'splitColumns',
  outputs([x], attributes) {
    const widths = attributes.widths as readonly number[];
    if (widths.reduce((a, b) => a + b, 0) !== x.shape[1])
      throw new Error(`splitColumns: rows of ${x.shape[1]} are not made of ${widths.join(' + ')}`);
    return widths.map((width) => ({ shape: [x.shape[0], width] }));
  },
  gradient(backward, { inputs: [x] }, dys) {
    if (dys.some((dy) => !dy)) throw new Error('splitColumns: a part is not used');
    backward.pass(x, backward.graph.append(joinColumnsOp, dys as Value[])[0]);
  },
  dispatches({ inputs: [x], outputs, attributes }, settings) {
    return columns(attributes.widths as readonly number[]).map(({ width, first }, i) => ({
      shader: 'copy_columns',
      constants: {
        ROWS: x.shape[0],
        WIDTH: width,
        FROM_WIDTH: x.shape[1],
        FROM: first,
        TO_WIDTH: width,
        TO: 0,
      },
      bindings: { 0: value(outputs[i]), 1: value(x) },
      workgroups: flatGrid(elements(outputs[i]), 64, settings),
    }));
  },
  tensorflow: (tf, [x], { attributes }) =>
    columns(attributes.widths as readonly number[]).map(({ width, first }) =>
      tf.slice(x, [0, first], [-1, width]),
    ),
};

/** Inputs: parts [T, width]; their rows end to end, [T, Σ widths]. */
export const joinColumnsOp: Op = {
  name: 'joinColumns',
  outputs: (parts) => [{ shape: [parts[0].shape[0], parts.reduce((sum, { shape }) => sum + shape[1], 0)] }],
  dispatches({ inputs: parts, outputs: [joined] }, settings) {
    return columns(parts.map(({ shape }) => shape[1])).map(({ width, first }, i) => ({
      shader: 'copy_columns',
      constants: {
        ROWS: joined.shape[0],
        WIDTH: width,
        FROM_WIDTH: width,
        FROM: 0,
        TO_WIDTH: joined.shape[1],
        TO: first,
      },
      bindings: { 0: value(joined), 1: value(parts[i]) },
      workgroups: flatGrid(elements(parts[i]), 64, settings),
    }));
  },
};
