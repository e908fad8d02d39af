/** Lets outputs take over the storage of operands that are read for the last time (`Op.takesOver`). */
import { inputValues, type Node } from '../graph/op.ts';
import type { Value } from '../graph/value.ts';

export function takeOver(nodes: readonly Node[]): Node[] {
  const lastRead = new Map<Value, number>();
  /** Values whose storage another node takes over. */
  const given = new Set<Value>();
  nodes.forEach((node, index) => {
    for (const value of inputValues(node)) lastRead.set(value, index);
    for (const from of node.inPlaceOf) if (from) given.add(from);
  });
  return nodes.map((node, index) => {
    const from = node.op.takesOver?.(node.inputs);
    const isFree = (value: Value) =>
      value.role === 'activation' && !given.has(value) && lastRead.get(value) === index;
    return from?.every(isFree) ? { ...node, inPlaceOf: node.outputs.map((_, i) => from[i]) } : node;
  });
}
