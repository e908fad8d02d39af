/**
 * y_g += bias_g: adds frozen vectors to every row in place, for all projections of one input at once. The
 * gradient passes through.
 */
import { isNf4, type TensorKind } from '../../formats/tensors.ts';
import { flatGrid, type BufferReference, type Dispatch, type KernelSettings } from '../../gpu/dispatch.ts';
import type { Graph } from '../../graph/graph.ts';
import type { NoAttributes, Op } from '../../graph/op.ts';
import type { Value } from '../../graph/value.ts';
import { weightBindings, weightKind } from '../weights/weightBindings.ts';
import { groupParts } from '../weights/weightGroups.ts';
import { exclusivePrefixSum, numberedBindings, numberedConstants, sum } from '../numbered.ts';

interface AddBiasInputs {
  ys: readonly Value[];
  /** One for each of `ys`. */
  biases: readonly Value[];
}

/** @param ys each [T, N_g]; their storage is taken over @param biases each [N_g] @returns as ys */
export function addBias(graph: Graph, ys: readonly Value[], biases: readonly Value[]): Value[] {
  return graph.append(addBiasOp, { ys, biases });
}

export const addBiasOp: Op<AddBiasInputs, NoAttributes> = {
  name: 'addBias',
  outputs({ ys, biases }) {
    return ys.map((y, g) => {
      if (y.shape[1] !== biases[g].shape[0])
        throw new Error(
          `addBias ${biases[g].name}: rows of ${y.shape[1]} and a bias of ${biases[g].shape[0]}`,
        );
      return { shape: y.shape, inPlaceOf: y };
    });
  },
  gradient(backward, { inputs: { ys } }, dys) {
    dys.forEach((dy, g) => dy && backward.pass(ys[g], dy));
  },
  contiguousWeights: ({ biases }) => biases,
  dispatches({ inputs: { biases }, outputs: ys }, settings) {
    const kind = weightKind(biases[0]);
    const data = groupParts(biases, settings.maxBindingBytes)?.data;
    if (!data || isNf4(kind))
      return ys.map((y, g) =>
        biasDispatch([y], [0], weightBindings(biases[g]), weightKind(biases[g]), settings),
      );
    const starts = data.startBytes.map((bytes) => bytes / (kind === 'f32' ? 4 : 2));
    const ids = biases.map(({ id }) => id);
    const all: BufferReference = { type: 'weights', ids, part: 'data', bytes: data.bytes };
    return [biasDispatch(ys, starts, { weight_data: all }, kind, settings)];
  },
  tensorflow: (tf, { ys, biases }) => ys.map((y, g) => tf.add(y, biases[g])),
};

/** @param starts the first element of each bias in the bound buffer */
function biasDispatch(
  ys: readonly Value[],
  starts: readonly number[],
  biases: Dispatch['bindings'],
  kind: TensorKind,
  settings: KernelSettings,
): Dispatch {
  const rows = ys[0].shape[0];
  const sizes = ys.map((y) => y.shape[1]);
  return {
    shader: 'add_bias',
    constants: {
      ROWS: rows,
      WEIGHT_KIND: kind,
      PROJECTIONS: ys.length,
      ...numberedConstants({ SIZE: sizes, FIRST: exclusivePrefixSum(sizes), START: starts }),
    },
    bindings: { ...biases, ...numberedBindings('y', ys) },
    workgroups: flatGrid(rows * sum(sizes), 64, settings),
  };
}
