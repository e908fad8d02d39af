/** Element-wise ops: sums, biases, gates, caps, dropout, columns. */
import type { TensorKind } from '../../formats/tensors.ts';
import { activate } from '../../ops/elementwise/activate.ts';
import { add } from '../../ops/elementwise/add.ts';
import { addBias } from '../../ops/elementwise/addBias.ts';
import { dropout } from '../../ops/elementwise/dropout.ts';
import { gated } from '../../ops/elementwise/gated.ts';
import type { Activation } from '../../ops/elementwise/activation.ts';
import { headGate } from '../../ops/elementwise/headGate.ts';
import { scale } from '../../ops/elementwise/scale.ts';
import { scaleByWeight } from '../../ops/elementwise/scaleByWeight.ts';
import { softcap } from '../../ops/elementwise/softcap.ts';
import { splitColumns } from '../../ops/elementwise/splitColumns.ts';
import { caseList, KINDS, type OpCase } from '../caseBuilder.ts';

export function elementwiseCases(): OpCase[] {
  const { cases, build } = caseList();
  build('add 7×45', (c) => {
    const a = c.leaf('a', 7, 45);
    return [add(c.graph, add(c.graph, a, c.leaf('b', 7, 45)), a)];
  });
  for (const kind of KINDS) {
    build(`addBias ${kind} 5×(37+3+200)`, (c) => {
      const sizes = [37, 3, 200];
      return addBias(
        c.graph,
        sizes.map((size, g) => c.leaf(`x${g}`, 5, size)),
        sizes.map((size, g) => c.weight(`bias${g}`, [size], kind)),
      );
    });
  }
  build('splitColumns 9×(5+12+1)', (c) => splitColumns(c.graph, c.leaf('x', 9, 18), [5, 12, 1]));
  build('splitColumns 9×3×(4+2)', (c) => splitColumns(c.graph, c.leaf('x', 9, 18), [4, 2], 3));
  build('softcap 3 of 7×31', (c) => {
    const x = c.leaf('x', 7, 31);
    return [add(c.graph, x, softcap(c.graph, add(c.graph, x, x), 3))];
  });
  build('scale 0.22 of 7×31', (c) => {
    const x = c.leaf('x', 7, 31);
    return [add(c.graph, x, scale(c.graph, add(c.graph, x, x), 0.22))];
  });
  for (const kind of ['f32', 'bf16', 'f16'] as TensorKind[])
    build(`scaleByWeight ${kind} of 7×31`, (c) => {
      const x = c.leaf('x', 7, 31);
      return [add(c.graph, x, scaleByWeight(c.graph, x, c.weight('w', [1], kind)))];
    });
  build('headGate 3 heads of 7, 9 rows', (c) => {
    const [x, gate] = [c.leaf('x', 9, 21), c.leaf('gate', 9, 3)];
    // x has a gradient from elsewhere, which is added to.
    return [add(c.graph, x, headGate(c.graph, x, gate))];
  });
  build('activate silu 7×31', (c) => {
    const x = c.leaf('x', 7, 31);
    // x has a gradient from elsewhere, which is added to.
    return [add(c.graph, x, activate(c.graph, x, 'silu'))];
  });
  build('squared ReLU 11×53', (c) => {
    const x = c.leaf('x', 11, 53);
    return [gated(c.graph, x, x, 'relu')];
  });
  for (const activation of ['silu', 'gelu_tanh', 'sigmoid', 'identity'] as Activation[])
    build(`gated ${activation} 11×53`, (c) => [
      gated(c.graph, c.leaf('gate', 11, 53), c.leaf('up', 11, 53), activation),
    ]);
  build('dropout 0.3 9×21', (c) => {
    const keys = {
      random: c.input('random', new Uint32Array([5, 3])),
      documentIndex: c.input('documentIndex', new Uint32Array([0, 0, 0, 1, 1, 4, 4, 4, 4])),
      positions: c.input('positions', new Uint32Array([0, 1, 2, 0, 1, 0, 1, 2, 3])),
    };
    return [dropout(c.graph, c.leaf('x', 9, 21), keys, 0.3, 2)];
  });
  return cases;
}
