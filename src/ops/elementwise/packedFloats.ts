/**
 * Activations in 16 bits while they wait for the backward pass: 6 bits of exponent, 9 of mantissa
 * (shaders/lib/e6m9.wgsl). Plans insert these ops (plan/packActivations.ts); no model is written with them.
 */
import { flatGrid, value } from '../../gpu/dispatch.ts';
import type { Op } from '../../graph/op.ts';
import { elements, type Value } from '../../graph/value.ts';

/** Elements that one invocation packs; their number in a value must be a multiple of it. */
export const PACKED_TOGETHER = 8;

/** x [T, n] as [T, n / 2] u32. */
export const packE6m9Op: Op<{ x: Value }> = {
  name: 'packE6m9',
  outputs({ x }) {
    if (elements(x) % PACKED_TOGETHER !== 0)
      throw new Error(`packE6m9: [${x.shape}] is not made of ${PACKED_TOGETHER} elements`);
    return [{ shape: [elements(x) / 2], dtype: 'u32' }];
  },
  dispatches({ inputs: { x }, outputs: [packed] }, settings) {
    const COUNT = elements(x) / PACKED_TOGETHER;
    return [
      {
        shader: 'pack_e6m9',
        constants: { COUNT },
        bindings: { packed: value(packed), x: value(x) },
        workgroups: flatGrid(COUNT, 64, settings),
      },
    ];
  },
};

/** The values [T, n] that were packed. */
export const unpackE6m9Op: Op<{ packed: Value }, { shape: readonly number[] }> = {
  name: 'unpackE6m9',
  outputs: (_, { shape }) => [{ shape: [...shape] }],
  dispatches({ inputs: { packed }, outputs: [x] }, settings) {
    const COUNT = elements(x) / PACKED_TOGETHER;
    return [
      {
        shader: 'unpack_e6m9',
        constants: { COUNT },
        bindings: { x: value(x), packed: value(packed) },
        workgroups: flatGrid(COUNT, 64, settings),
      },
    ];
  },
};
