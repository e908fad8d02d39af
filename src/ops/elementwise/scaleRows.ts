/** y[t, h] = x[t, h] · s[t]: how an upstream gradient reaches a row that was computed ahead of it. */
import { flatGrid, value } from '../../gpu/dispatch.ts';
import { elements, type Op } from '../../graph/graph.ts';

/** Inputs: x [T, H], s [T], and the sum so far where it accumulates. */
export const scaleRowsOp: Op = {
  name: 'scaleRows',
  outputs: ([x, , sum]) => [{ shape: x.shape, inPlaceOf: sum ? 2 : undefined }],
  dispatches({ inputs: [x, s], outputs: [y], attributes }, settings) {
    return [
      {
        shader: 'scale_rows',
        constants: { ROWS: x.shape[0], WIDTH: x.shape[1], ACCUMULATE: attributes.accumulate === true },
        bindings: { 0: value(y), 1: value(x), 2: value(s) },
        workgroups: flatGrid(elements(x), 64, settings),
      },
    ];
  },
};
