/**
 * What differentiation does with contributions to one gradient: it has ops accumulate, and refuses what would
 * be lost.
 */
import { describe, expect, it } from 'vitest';
import { Graph } from '../../src/graph/graph.ts';
import { isNodeOf, type AccumulatingOp, type Accumulator } from '../../src/graph/op.ts';
import type { Value } from '../../src/graph/value.ts';
import { add } from '../../src/ops/elementwise/add.ts';
import { loraDown } from '../../src/ops/lora/lora.ts';
import { linear, linearDxOp } from '../../src/ops/matmul/linear.ts';
import { differentiate } from '../../src/plan/autodiff.ts';

const seeded = (graph: Graph, value: Value) => ({
  value,
  gradient: graph.value('input', 'seed', value.shape),
});

/** y = x W1ᵀ + x W2ᵀ of an x that has a parameter behind it. */
function twoConsumers() {
  const graph = new Graph(true);
  const x = loraDown(graph, graph.input('tokens', [3, 4], 'f32'), graph.parameter('p', [8, 4]));
  const [w1, w2] = ['w1', 'w2'].map((name) => graph.weight(name, [5, 8], 'f32'));
  const y = add(graph, linear(graph, x, w1), linear(graph, x, w2));
  differentiate(graph, [seeded(graph, y)], { checkpoint: false });
  return graph.nodes.filter((node) => isNodeOf(node, linearDxOp));
}

describe('gradients of a value with several consumers', () => {
  it('are accumulated: the second op is given the sum so far and takes over its storage', () => {
    const [first, second] = twoConsumers();
    expect(first.inputs.sum).toBeUndefined();
    expect(first.inPlaceOf).toEqual([undefined]);
    expect(second.inputs.sum).toBe(first.outputs[0]);
    expect(second.inPlaceOf).toEqual([first.outputs[0]]);
  });

  it('are refused from an op that says that it accumulates but does not', () => {
    const broken: AccumulatingOp<{ dy: Value } & Accumulator> = {
      name: 'broken',
      accumulates: true,
      outputs: ({ dy }) => [{ shape: dy.shape }],
      dispatches: () => [],
    };
    const graph = new Graph(true);
    const x = loraDown(graph, graph.input('tokens', [3, 4], 'f32'), graph.parameter('p', [8, 4]));
    const copy: AccumulatingOp<{ x: Value } & Accumulator> = {
      name: 'copy',
      accumulates: true,
      outputs: (inputs) => [{ shape: inputs.x.shape }],
      gradient: (backward, { inputs }, [dy]) => dy && backward.emit(inputs.x, broken, { dy }, {}),
      dispatches: () => [],
    };
    const y = add(graph, graph.append(copy, { x })[0], graph.append(copy, { x })[0]);
    expect(() => differentiate(graph, [seeded(graph, y)], { checkpoint: false })).toThrow(
      'broken does not accumulate',
    );
  });
});

describe('the gradient of a parameter', () => {
  it('is never passed on as a value, where it would be lost', () => {
    const graph = new Graph(true);
    const y = add(graph, graph.parameter('p', [3, 4]), graph.input('x', [3, 4], 'f32'));
    expect(() => differentiate(graph, [seeded(graph, y)], { checkpoint: false })).toThrow(
      'the gradient of the parameter p is emitted, not passed',
    );
  });
});
