/**
 * Reverse-mode differentiation at plan time: walks the forward nodes backwards, and each op's gradient rule
 * appends the op's backward nodes. With activation checkpointing the forward nodes of a segment (a decoder
 * layer) are appended again just before their backward nodes, so that only the values that cross a segment's
 * border stay in memory (arXiv:1604.06174). Selective recomputation does that only for nodes that are cheap,
 * such as norms, and for those that make the queries, keys and values of a layer's attention
 * (arXiv:2205.05198).
 */
import type { Graph } from '../graph/graph.ts';
import { inputValues, mapInputs, type Node } from '../graph/op.ts';
import type { Value } from '../graph/value.ts';
import { GradientAccumulator } from './gradientAccumulator.ts';

/**
 * What of a layer is recomputed in the backward pass: nothing; what is cheap (`Op.isCheap`); that and the
 * inputs of its attention; or all of it.
 */
export type Checkpointing = 'none' | 'cheap' | 'attention' | 'full';

/** A loss and the gradient that enters there (a value of the same shape). */
export interface Seed {
  value: Value;
  gradient: Value;
}

/**
 * Appends the backward nodes of `seeds` to the graph. Every parameter that takes part gets a value of role
 * 'gradient'; contributions are added to it, so the step must zero it first.
 * @param checkpoint for all segments (true: full), or one for each
 */
export function differentiate(
  graph: Graph,
  seeds: Seed[],
  { checkpoint }: { checkpoint: boolean | Checkpointing | readonly Checkpointing[] },
): void {
  const forward = [...graph.nodes];
  graph.backwardFrom = graph.values.length;
  const wanted = reachableFromParameters(forward);
  // The last segment is never recomputed: its backward pass follows at once, so that would save nothing.
  const lastSegment = forward.reduce((last, node) => Math.max(last, node.segment ?? -1), -1);
  const rules = new GradientAccumulator(graph, wanted);
  const copies = new Map<Value, Value>();
  const recomputed = new Set<number>();
  const policy = (segment: number | null): Checkpointing => {
    if (segment === null || segment === lastSegment) return 'none';
    if (typeof checkpoint === 'boolean') return checkpoint ? 'full' : 'none';
    return typeof checkpoint === 'string' ? checkpoint : checkpoint[segment];
  };
  const isRecomputed = ({ segment, op, beforeAttention }: Node): boolean => {
    switch (policy(segment)) {
      case 'none':
        return false;
      case 'cheap':
        return op.isCheap === true;
      case 'attention':
        return op.isCheap === true || beforeAttention;
      case 'full':
        return true;
    }
  };
  const made = new Map(forward.flatMap((node) => node.outputs.map((output) => [output, node] as const)));
  for (const seed of seeds) rules.pass(seed.value, seed.gradient);

  for (const node of forward.toReversed()) {
    const gradients = node.outputs.map((output) => rules.of(output));
    if (!node.op.gradient || gradients.every((gradient) => gradient === null)) continue;
    const { segment } = node;
    // A node that is not recomputed must read the copies of what is, or the originals would have to stay in
    // memory.
    const reads = (value: Value) => made.get(value)?.segment === segment && isRecomputed(made.get(value)!);
    const recompute = segment !== null && (isRecomputed(node) || inputValues(node).some(reads));
    if (recompute && !recomputed.has(segment)) {
      recomputed.add(segment);
      for (const original of forward)
        if (original.segment === segment && isRecomputed(original))
          recomputeNode(graph, original, copies, rules);
    }
    const copy = (value: Value) => (recompute ? (copies.get(value) ?? value) : value);
    node.op.gradient(
      rules,
      { ...node, inputs: mapInputs(node.inputs, copy), outputs: node.outputs.map(copy) },
      gradients,
    );
    for (const output of node.outputs) rules.release(output);
  }
  graph.nodes = withoutDeadNodes(graph.nodes);
}

function recomputeNode(
  graph: Graph,
  node: Node,
  copies: Map<Value, Value>,
  rules: GradientAccumulator,
): void {
  if (node.outputs.some((output) => output.role === 'state')) return;
  const inputs = mapInputs(node.inputs, (input) => copies.get(input) ?? input);
  const outputs = graph.append(node.op, inputs, node.attributes);
  node.outputs.forEach((original, i) => {
    copies.set(original, outputs[i]);
    rules.replaces(outputs[i], original);
  });
}

function reachableFromParameters(nodes: readonly Node[]): Set<Value> {
  const reached = new Set<Value>();
  for (const node of nodes) {
    if (inputValues(node).some((input) => input.role === 'parameter' || reached.has(input)))
      node.outputs.forEach((output) => reached.add(output));
  }
  return reached;
}

/**
 * Drops nodes and outputs that nothing observable depends on: the tail of a recomputed segment, gradients
 * without use.
 */
export function withoutDeadNodes(nodes: readonly Node[]): Node[] {
  const needed = new Set<Value>();
  const kept: Node[] = [];
  for (const node of nodes.toReversed()) {
    const wanted = new Set(
      node.outputs.filter(
        (output) =>
          needed.has(output) ||
          output.role === 'output' ||
          output.role === 'state' ||
          output.role === 'gradient',
      ),
    );
    if (wanted.size === 0) continue;
    const slim = node.op.prune?.(node, wanted) ?? node;
    kept.push(slim);
    inputValues(slim).forEach((input) => needed.add(input));
  }
  return kept.reverse();
}
