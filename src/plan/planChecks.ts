/**
 * What a plan refuses: a value that is read after it was overwritten, and kernels that write what they must
 * not.
 */
import type { Dispatch } from '../gpu/dispatch.ts';
import type { ResolvedBinding } from '../gpu/bindings.ts';
import { inputValues, type Node } from '../graph/op.ts';
import type { Value } from '../graph/value.ts';

interface BoundDispatch extends Dispatch {
  resolved: ResolvedBinding[];
  /** Index of its node. */
  node: number;
  op: string;
}

/** @throws Error where a node reads a value after another wrote over its storage */
export function checkInPlace(nodes: readonly Node[]): void {
  const taken = new Map<Value, string>();
  for (const node of nodes) {
    for (const input of inputValues(node)) {
      const by = taken.get(input);
      if (by) throw new Error(`${node.op.name} reads ${input.name} after ${by} overwrote it`);
    }
    for (const from of node.inPlaceOf) if (from) taken.set(from, node.op.name);
  }
}

/**
 * A kernel may write to outputs of its node alone, and some kernel of the node must write each of them.
 * @param ownerOf the value whose storage the value of an id lies in
 * @throws Error naming the op, the shader and the value
 */
export function checkWrites(
  nodes: readonly Node[],
  dispatches: readonly BoundDispatch[],
  ownerOf: (id: number) => Value,
): void {
  const unwritten = nodes.map(({ outputs }) => new Set(outputs.map(({ id }) => ownerOf(id))));
  const outputs = unwritten.map((owners) => new Set(owners));
  for (const { resolved, shader, op, node } of dispatches) {
    for (const { name, access, reference } of resolved) {
      if (access === 'read' || reference.type !== 'value') continue;
      const owner = ownerOf(reference.id);
      if (!outputs[node].has(owner))
        throw new Error(
          `${op}: ${shader}.wgsl writes to ${name}, but ${owner.name} is no output of the node`,
        );
      unwritten[node].delete(owner);
    }
  }
  unwritten.forEach((owners, node) => {
    for (const { name } of owners)
      throw new Error(`${nodes[node].op.name}: no kernel writes the output ${name}`);
  });
}
