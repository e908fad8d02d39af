/**
 * y[t, h] = x[t, h] · s[t]: multiplies a row that was computed ahead of its upstream gradient with that
 * gradient.
 */
import { flatGrid, value } from '../../gpu/dispatch.ts';
import type { AccumulatingOp, Accumulator, NoAttributes } from '../../graph/op.ts';
import { elements, type Value } from '../../graph/value.ts';

interface ScaleRowsInputs extends Accumulator {
  /** [T, H] */
  x: Value;
  /** [T] */
  s: Value;
}

export const scaleRowsOp: AccumulatingOp<ScaleRowsInputs, NoAttributes> = {
  name: 'scaleRows',
  accumulates: true,
  outputs: ({ x, sum }) => [{ shape: x.shape, inPlaceOf: sum }],
  dispatches({ inputs: { x, s, sum }, outputs: [y] }, settings) {
    return [
      {
        shader: 'scale_rows',
        constants: { ROWS: x.shape[0], WIDTH: x.shape[1], ACCUMULATE: sum !== undefined },
        bindings: { y: value(y), x: value(x), s: value(s) },
        workgroups: flatGrid(elements(x), 64, settings),
      },
    ];
  },
};
