/** Makes a plan from a graph: the dispatches of one replay, and where every value lies. It needs no GPU. */
import type { BufferReference, Dispatch, KernelSettings } from '../gpu/dispatch.ts';
import {
  declaredBindings,
  resolveBindings,
  type BindingDeclaration,
  type ResolvedBinding,
} from '../gpu/bindings.ts';
import { assembleShader } from '../gpu/shaders.ts';
import { tensorPartBytes, type TensorPart } from '../formats/tensors.ts';
import type { Graph } from '../graph/graph.ts';
import { countReads, type Node } from '../graph/op.ts';
import { valueBytes, type Value } from '../graph/value.ts';
import { groupParts, type WeightGroup } from '../ops/weights/weightGroups.ts';
import { weightSlices } from '../ops/weights/weightSlices.ts';
import { addPartsLater } from './addPartsLater.ts';
import { withoutDeadNodes } from './autodiff.ts';
import { dequantiseTogether } from './dequantiseTogether.ts';
import {
  BlockTooLargeError,
  planMemory,
  type Block,
  type MemoryLimits,
  type Placement,
} from './memoryPlan.ts';
import { packActivations } from './packActivations.ts';
import { takeOver } from './takeOver.ts';
import { checkInPlace, checkWrites } from './planChecks.ts';

export interface PlannedDispatch extends Dispatch {
  /** The whole shader text; equal texts share a pipeline. */
  code: string;
  /** Its bindings with the numbers that the text declares, in their order. */
  resolved: ResolvedBinding[];
  /** Index in the plan's nodes of the node it belongs to. Scratch is per node. */
  node: number;
  /** Name of that node's op. */
  op: string;
}

export interface Plan {
  name: string;
  graph: Graph;
  /** The nodes that are dispatched: those of the graph that something needs, after fusion. */
  nodes: readonly Node[];
  dispatches: PlannedDispatch[];
  /** Bytes of each arena. */
  arenaBytes: number[];
  placementOf(value: Value): Placement;
  placementOfScratch(node: number, index: number): Placement;
  /** Values outside the arenas that the dispatches use, by role, in order of first use. */
  external: Value[];
  /** Weights that must be contiguous, whether or not this plan's kernels make use of it. */
  weightGroups: WeightGroup[];
}

/** Operands that are small beside the largest: those of attention in a layer of Llama-3.2-1B take 42 MB. */
const FEW_BYTES = 2 ** 26;

export interface PlanChoices {
  /** Whether activations wait for the backward pass in 16 bits (packActivations.ts). */
  packs?: boolean;
  /** Most bytes of operands that are dequantised at once (dequantiseTogether.ts); few where absent. */
  dequantisedBytes?: number;
}

/**
 * @throws BlockTooLargeError where a value does not fit one binding of the adapter
 */
export function makePlan(
  name: string,
  graph: Graph,
  settings: KernelSettings,
  limits: MemoryLimits,
  { packs = false, dequantisedBytes = FEW_BYTES }: PlanChoices = {},
): Plan {
  const whole = fused(withoutDeadNodes(graph.nodes), settings);
  const kept = takeOver(packs ? packActivations(whole, graph) : whole);
  const made = kept.map((node) => ({ node, dispatches: node.op.dispatches(node, settings) }));
  const summed = addPartsLater(made, graph, settings);
  const planned = dequantiseTogether(summed, graph, settings, dequantisedBytes);
  const nodes = planned.map(({ node }) => node);
  checkInPlace(nodes);
  // The layers of a model use the same few shaders, so each is assembled once.
  const shaders = new Map<string, { code: string; declared: BindingDeclaration[] }>();
  const assembled = ({ shader, constants }: Dispatch) => {
    const key = `${shader} ${JSON.stringify(constants)}`;
    let made = shaders.get(key);
    if (!made) {
      const code = assembleShader(shader, constants);
      shaders.set(key, (made = { code, declared: declaredBindings(code) }));
    }
    return made;
  };
  const dispatches = planned.flatMap(({ node, dispatches: ofNode }, index) =>
    ofNode.map((dispatch): PlannedDispatch => {
      const { code, declared } = assembled(dispatch);
      const resolved = resolveBindings(dispatch, declared);
      return { ...dispatch, code, resolved, node: index, op: node.op.name };
    }),
  );
  const owner = storageOwners(nodes);
  const values = new Map(graph.values.map((value) => [value.id, value]));
  checkWrites(nodes, dispatches, (id) => owner(values.get(id)!));
  const blocks: Block[] = [];
  const blockOfValue = new Map<Value, number>();
  const blockOfScratch = new Map<string, number>();
  const external = new Set<Value>();

  const touch = (reference: BufferReference, time: number, node: number): number | null => {
    if (reference.type === 'quantizationTables') return null;
    if (reference.type === 'weights') {
      for (const id of reference.ids) external.add(values.get(id)!);
      return null;
    }
    if (reference.type === 'scratch') {
      const key = `${node}:${reference.index}`;
      let index = blockOfScratch.get(key);
      if (index === undefined) {
        index =
          blocks.push({ bytes: 0, first: time, last: time, name: `scratch of ${nodes[node].op.name}` }) - 1;
        blockOfScratch.set(key, index);
      }
      blocks[index].bytes = Math.max(blocks[index].bytes, reference.bytes);
      blocks[index].last = time;
      return index;
    }
    const value = owner(values.get(reference.id)!);
    if (value.role !== 'activation') {
      external.add(value);
      return null;
    }
    let index = blockOfValue.get(value);
    if (index === undefined) {
      index = blocks.push({ bytes: valueBytes(value), first: time, last: time, name: value.name }) - 1;
      blockOfValue.set(value, index);
    }
    blocks[index].last = time;
    return index;
  };

  /**
   * Checks bindings outside the arenas. The memory plan checks the others, and contiguous weights are made to
   * fit.
   */
  const checkBinding = (reference: BufferReference): void => {
    if (reference.type !== 'weight' && reference.type !== 'value') return;
    const value = values.get(reference.id)!;
    if (reference.type === 'value' && value.role === 'activation') return;
    const bytes =
      reference.type === 'value'
        ? (reference.sizeBytes ?? valueBytes(value))
        : partBytes(value, reference.part, settings.maxBindingBytes);
    if (bytes > limits.maxBindingBytes)
      throw new BlockTooLargeError(value.name, bytes, limits.maxBindingBytes);
  };

  const apart: [number, number][] = [];
  dispatches.forEach((dispatch, time) => {
    const read: number[] = [];
    const written: number[] = [];
    for (const { access, reference } of dispatch.resolved) {
      checkBinding(reference);
      const block = touch(reference, time, dispatch.node);
      if (block !== null) (access === 'read_write' ? written : read).push(block);
    }
    for (const a of written) for (const b of read) apart.push([a, b]);
  });

  const { placements, arenaBytes } = planMemory(blocks, apart, limits);
  return {
    name,
    graph,
    nodes,
    dispatches,
    arenaBytes,
    placementOf: (value) => placements[blockOfValue.get(owner(value))!],
    placementOfScratch: (node, index) => placements[blockOfScratch.get(`${node}:${index}`)!],
    external: [...external],
    weightGroups: weightGroupsOf(nodes, settings),
  };
}

/**
 * Fuses neighbours that one kernel computes faster, and what came of them with its neighbour; the graph, its
 * gradients and TensorFlow.js keep the parts.
 */
function fused(nodes: readonly Node[], settings: KernelSettings): Node[] {
  const readsOf = countReads(nodes);
  const out: Node[] = [];
  for (const node of nodes) {
    let current = node;
    for (let before = out.at(-1); before; before = out.at(-1)) {
      const both =
        current.op.fuse?.(before, current, settings, readsOf) ??
        before.op.fuseNext?.(before, current, settings, readsOf);
      if (!both) break;
      out.pop();
      current = both;
    }
    out.push(current);
  }
  return out;
}

function weightGroupsOf(nodes: readonly Node[], { maxBindingBytes }: KernelSettings): WeightGroup[] {
  const groups = new Map<string, WeightGroup>();
  for (const { op, inputs } of nodes) {
    const weights = op.contiguousWeights?.(inputs) ?? [];
    const parts = groupParts(weights, maxBindingBytes);
    // A recomputed node has the same weights.
    if (parts) groups.set(weights[0].name, { names: weights.map(({ name }) => name), parts });
  }
  return [...groups.values()];
}

/** @returns bytes of a weight's part, or of its largest slice where the weight is split by rows */
function partBytes({ name, shape, kind }: Value, part: TensorPart, maxBindingBytes: number): number {
  const [{ rows }] = weightSlices({ shape, kind }, maxBindingBytes);
  return tensorPartBytes({ name, shape: [rows, ...shape.slice(1)], kind: kind! })[part]!;
}

/** @returns a function from a value to the one whose storage it uses, through all in-place outputs */
function storageOwners(nodes: readonly Node[]): (value: Value) => Value {
  const parent = new Map<Value, Value>();
  const root = (value: Value): Value => {
    const next = parent.get(value);
    return next ? root(next) : value;
  };
  for (const node of nodes) {
    node.outputs.forEach((output, i) => {
      const from = node.inPlaceOf[i];
      if (from) parent.set(output, from);
    });
  }
  for (const value of [...parent.keys()]) {
    const origin = root(value);
    if (value.role === 'output' && origin.role === 'activation')
      throw new Error(`${value.name}: an output may not be written in place of an activation`);
  }
  return root;
}
