/** y_g += bias_g, frozen vectors added to every row in place, those of projections that share an input at once. The gradient passes through. */
import { isNf4 } from '../../formats/tensors.ts';
import { flatGrid, type BufferReference, type Dispatch, type KernelSettings } from '../../gpu/dispatch.ts';
import type { Graph, Op, Value } from '../../graph/graph.ts';
import { before, memberBindings, memberConstants } from '../batchedBindings.ts';
import { weightBindings, weightKind } from '../matmul/matmulProblem.ts';
import { groupParts } from '../matmul/weightGroups.ts';

/** @param ys each [T, N_g], taken over @param biases each [N_g] @returns as ys */
export function addBias(graph: Graph, ys: readonly Value[], biases: readonly Value[]): Value[] {
  return graph.append(addBiasOp, [...ys, ...biases]);
}

export const addBiasOp: Op = {
  name: 'addBias',
  outputs(inputs) {
    const count = inputs.length / 2;
    return inputs.slice(0, count).map((y, g) => {
      const bias = inputs[count + g];
      if (y.shape[1] !== bias.shape[0])
        throw new Error(`addBias ${bias.name}: rows of ${y.shape[1]} and a bias of ${bias.shape[0]}`);
      return { shape: y.shape, inPlaceOf: g };
    });
  },
  gradient(backward, { inputs }, dys) {
    dys.forEach((dy, g) => dy && backward.pass(inputs[g], dy));
  },
  together: (inputs) => inputs.slice(inputs.length / 2),
  dispatches({ inputs, outputs: ys }, settings) {
    const biases = inputs.slice(ys.length);
    const kind = weightKind(biases[0]);
    const data = groupParts(biases, settings.maxBindingBytes)?.data;
    if (!data || isNf4(kind))
      return ys.map((y, g) =>
        biasDispatch([y], [0], weightBindings(biases[g]), weightKind(biases[g]), settings),
      );
    const starts = data.startBytes.map((bytes) => bytes / (kind === 'f32' ? 4 : 2));
    return [
      biasDispatch(
        ys,
        starts,
        { 4: { type: 'weights', ids: biases.map(({ id }) => id), part: 'data', bytes: data.bytes } },
        kind,
        settings,
      ),
    ];
  },
  tensorflow: (tf, inputs) =>
    inputs.slice(0, inputs.length / 2).map((y, g) => tf.add(y, inputs[inputs.length / 2 + g])),
};

/** @param starts the first element of each bias */
function biasDispatch(
  ys: readonly Value[],
  starts: readonly number[],
  biases: Record<number, BufferReference>,
  kind: string,
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
      ...memberConstants({ SIZE: sizes, FIRST: before(sizes), START: starts }),
    },
    bindings: { ...biases, ...memberBindings(ys) },
    workgroups: flatGrid(rows * sizes.reduce((a, b) => a + b, 0), 64, settings),
  };
}
