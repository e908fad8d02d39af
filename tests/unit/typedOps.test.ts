/**
 * Operands and attributes of ops are typed: a name that is misspelt, missing or of the wrong type does not
 * compile.
 */
import { describe, expect, it } from 'vitest';
import { Graph } from '../../src/graph/graph.ts';
import { inputValues, isNodeOf, mapInputs, type Backward } from '../../src/graph/op.ts';
import { attentionDeltaOp } from '../../src/ops/attention/attentionBackward.ts';
import { addOp } from '../../src/ops/elementwise/add.ts';
import { softcapDxOp, softcapOp } from '../../src/ops/elementwise/softcap.ts';
import { splitColumnsOp } from '../../src/ops/elementwise/splitColumns.ts';
import { lora, loraOp } from '../../src/ops/lora/lora.ts';
import { ropeOp } from '../../src/ops/rope/rope.ts';

const graph = new Graph(true);
const x = graph.input('x', [2, 8], 'f32');

/**
 * Never called: the type checker, which `npm run check` runs, reads it. Each line without an error is an
 * error.
 */
export function doesNotCompile(backward: Backward): void {
  // @ts-expect-error an attribute that is misspelt
  graph.append(softcapOp, { x }, { capp: 5 });
  // @ts-expect-error an attribute that is missing
  graph.append(softcapOp, { x }, {});
  // @ts-expect-error attributes that are missing altogether
  graph.append(softcapOp, { x });
  // @ts-expect-error an attribute of another type
  graph.append(softcapOp, { x }, { cap: '5' });
  // @ts-expect-error an attribute of an op that has none
  graph.append(addOp, { a: x, b: x }, { cap: 5 });
  // @ts-expect-error an operand that is misspelt
  graph.append(addOp, { a: x, c: x });
  // @ts-expect-error an operand that is missing
  graph.append(addOp, { a: x });
  // @ts-expect-error a value where the op reads a list of values
  graph.append(ropeOp, { table: x, rows: x, xs: x }, { headDim: 4, inverse: false });
  // @ts-expect-error one of several attributes is missing
  graph.append(ropeOp, { table: x, rows: x, xs: [x] }, { headDim: 4 });
  // @ts-expect-error the attributes of another op
  graph.append(attentionDeltaOp, { o: x, dO: x, lse: x }, { cap: 5 });
  // @ts-expect-error the same for nodes that write to values of their own
  graph.appendInto([x], splitColumnsOp, { x }, { width: [4, 4] });
  // @ts-expect-error an op that cannot add to a sum
  backward.emit(x, softcapOp, { x }, { cap: 5 });
  // @ts-expect-error a backward op's attribute that is misspelt
  backward.emit(x, softcapDxOp, { y: x, dy: x }, { capp: 5 });
  // @ts-expect-error the sum is given by the differentiation alone
  backward.emit(x, softcapDxOp, { y: x, dy: x, sum: x }, { cap: 5 });
  const node = graph.nodes[0];
  // @ts-expect-error the attributes of a node whose op is unknown
  void node.attributes.cap;
  // @ts-expect-error an attribute that the node's op does not have
  if (isNodeOf(node, softcapOp)) void node.attributes.capp;
}

describe('the operands of a node', () => {
  const own = new Graph(true);
  const [a, b, y, z] = ['a', 'b', 'y', 'z'].map((name) =>
    own.input(name, name === 'b' ? [4, 2] : [2, 4], 'f32'),
  );
  lora(own, y, { a, b, ys: [z], scale: 2 });
  const [node] = own.nodes;

  it('are all of its values, lists included and absent ones left out', () => {
    expect(inputValues(node)).toEqual([y, a, b, z]);
  });

  it('are replaced value by value under the same names', () => {
    const swapped = mapInputs(node.inputs, (value) => (value === z ? y : value));
    expect(swapped).toEqual({ x: y, a, b, ys: [y], adapterScale: undefined });
  });

  it('have the types of the op that the node is recognised by', () => {
    expect(isNodeOf(node, addOp)).toBe(false);
    if (!isNodeOf(node, loraOp)) throw new Error('not recognised');
    expect(node.inputs.ys[0]).toBe(z);
    expect(node.attributes.scale).toBe(2);
  });
});
