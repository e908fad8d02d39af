/**
 * DoRA (arXiv:2402.09353) as PEFT computes it: an output of W x + s B A x is multiplied by m / |W + s B A|,
 * row by row, before the layer's bias is added. The norms are constants to the gradient (section 4.3). They
 * change with the adapter only, so a plan of their own computes them once for all plans that read them.
 */
import { flatGrid, value, type KernelSettings } from '../../gpu/dispatch.ts';
import type { Graph } from '../../graph/graph.ts';
import type { AccumulatingOp, Accumulator, Op } from '../../graph/op.ts';
import { elements, type Value } from '../../graph/value.ts';
import { rowReduction } from '../norm/rowGrid.ts';
import { weightBindings, weightKind } from '../weights/weightBindings.ts';
import { weightSlices } from '../weights/weightSlices.ts';

interface DoraScaleInputs extends Accumulator {
  /** W x + s B A x without bias, [T, out]. */
  x: Value;
  /** [out], parameter. */
  magnitude: Value;
  /** |W + s B A| of each row, [out]. */
  norm: Value;
  /** The scale of the adapter for each token, [T]: 1 as trained, 0 the base model. Forward only. */
  adapterScale?: Value;
}

/** @returns [T, out] */
export function doraScale(graph: Graph, inputs: Omit<DoraScaleInputs, 'sum'>): Value {
  return graph.append(doraScaleOp, inputs, {})[0];
}

/** The gradient with respect to x is the same op on dy. */
export const doraScaleOp: AccumulatingOp<DoraScaleInputs> = {
  name: 'doraScale',
  accumulates: true,
  outputs({ x, magnitude, norm, sum }) {
    if (elements(magnitude) !== x.shape[1] || elements(norm) !== x.shape[1])
      throw new Error(`doraScale ${magnitude.name}: [${magnitude.shape}] for an output of ${x.shape[1]}`);
    return [{ shape: x.shape, inPlaceOf: sum }];
  },
  gradient(backward, { inputs: { x, magnitude, norm, adapterScale } }, [dy]) {
    if (adapterScale) throw new Error('doraScale: nothing flows back through an adapter of a reduced scale');
    if (!dy) return;
    backward.emit(x, doraScaleOp, { x: dy, magnitude, norm }, {});
    backward.emit(magnitude, doraMagnitudeOp, { dy, z: x, norm }, {});
  },
  dispatches({ inputs: { x, magnitude, norm, adapterScale, sum }, outputs: [y] }, settings) {
    return [
      {
        shader: 'dora_scale',
        constants: {
          COUNT: elements(x),
          WIDTH: x.shape[1],
          ACCUMULATE: sum !== undefined,
          HAS_ADAPTER_SCALE: adapterScale !== undefined,
        },
        bindings: {
          y: value(y),
          x: value(x),
          magnitude: value(magnitude),
          norm: value(norm),
          ...(adapterScale && { adapter_scale: value(adapterScale) }),
        },
        workgroups: flatGrid(elements(x), 64, settings),
      },
    ];
  },
  tensorflow(tf, { x, magnitude, norm, adapterScale }) {
    const factor = tf.mul(magnitude, tf.divNoNan(tf.onesLike(norm), norm));
    if (!adapterScale) return [tf.mul(x, factor)];
    const s = tf.reshape(adapterScale, [-1, 1]);
    return [tf.mul(x, tf.add(tf.sub(1, s), tf.mul(s, factor)))];
  },
};

interface DoraMagnitudeInputs extends Accumulator {
  /** [T, out] */
  dy: Value;
  /** What was scaled, [T, out]. */
  z: Value;
  /** [out] */
  norm: Value;
}

/** Columns of a workgroup, and the invocations that share each on a GPU. */
const COLUMNS = 32;
const LANES = 8;

/** dm += Σ_t dy z / norm. */
const doraMagnitudeOp: AccumulatingOp<DoraMagnitudeInputs> = {
  name: 'doraMagnitude',
  accumulates: true,
  outputs() {
    throw new Error('doraMagnitude writes to gradients only');
  },
  dispatches({ inputs: { dy, z, norm }, outputs: [dm] }, { target }: KernelSettings) {
    const [T, WIDTH] = z.shape;
    const lanes = target === 'gpu' ? LANES : 1;
    return [
      {
        shader: 'dora_magnitude',
        constants: { T, WIDTH, COLUMNS, LANES: lanes, SERIAL: lanes === 1 },
        bindings: { dm: value(dm), dy: value(dy), z: value(z), norm: value(norm) },
        workgroups: [Math.ceil(WIDTH / COLUMNS), 1, 1],
      },
    ];
  },
};

interface DoraNormInputs {
  /** [out, in] of any kind. */
  weight: Value;
  /** The A matrices of the projections of one input, [G · r, in]. */
  a: Value;
  /** Their B matrices, [Σ out, r]. */
  b: Value;
}

interface DoraNormAttributes {
  /** α/r, or α/√r with rank stabilisation. */
  scale: number;
  /** First row of this projection in `a` and in `b`. */
  firstOfA: number;
  firstOfB: number;
}

/** |W + s B A| of each row of one projection, [out]. Nothing flows back through it. */
export const doraNormOp: Op<DoraNormInputs, DoraNormAttributes> = {
  name: 'doraNorm',
  outputs: ({ weight }) => [{ shape: [weight.shape[0]] }],
  dispatches(
    { inputs: { weight, a, b }, outputs: [norm], attributes: { scale, firstOfA, firstOfB } },
    settings,
  ) {
    return weightSlices(weight, settings.maxBindingBytes).map(({ first, rows }, slice) => {
      const { constants, workgroups } = rowReduction(Math.ceil(rows / 4), settings);
      return {
        shader: 'dora_norm',
        constants: {
          SERIAL_ROWS: constants.SERIAL_ROWS,
          WORKGROUP: constants.WORKGROUP,
          QUADS: constants.ROWS,
          ROWS: rows,
          WIDTH: weight.shape[1],
          RANK: b.shape[1],
          SCALE: { f32: scale },
          FIRST: first,
          A_FIRST: firstOfA,
          B_FIRST: firstOfB + first,
          WEIGHT_KIND: weightKind(weight),
        },
        bindings: { norm: value(norm), a: value(a), b: value(b), ...weightBindings(weight, slice) },
        workgroups,
      };
    });
  },
  tensorflow(tf, { weight, a, b }, { attributes: { scale, firstOfA, firstOfB } }) {
    const rank = b.shape[1]!;
    const [out] = weight.shape;
    const [down, up] = [tf.slice(a, [firstOfA, 0], [rank, -1]), tf.slice(b, [firstOfB, 0], [out, -1])];
    const merged = tf.add(weight, tf.mul(tf.matMul(up, down), scale));
    return [tf.sqrt(tf.sum(tf.square(merged), 1))];
  },
};

/** Appends the norms of projections that share an input, each to its state. */
export function doraNorms(
  graph: Graph,
  { weights, a, b, states, scale }: { weights: Value[]; a: Value; b: Value; states: Value[]; scale: number },
): void {
  let firstOfB = 0;
  weights.forEach((weight, g) => {
    const attributes = { scale, firstOfA: g * b.shape[1], firstOfB };
    graph.appendInto([states[g]], doraNormOp, { weight, a, b }, attributes);
    firstOfB += weight.shape[0];
  });
}
