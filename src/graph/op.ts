/** What an op is and what a node of a graph is, with typed operands and attributes. */
import type { Dispatch, KernelSettings } from '../gpu/dispatch.ts';
import type { HostData, TensorFlow, TensorFlowTensor } from './tensorflowTypes.ts';
import type { DType, Value } from './value.ts';

/** What an op reads under one name: a value, several values, or nothing where the operand is optional. */
export type Operand = Value | readonly Value[] | undefined;

/** The type of an op that has no attributes. */
export type NoAttributes = Readonly<Record<string, never>>;

/**
 * One use of an op. `Node` without type arguments stands for a node of any op.
 * @typeParam Inputs the op's operands by name, each an Operand
 * @typeParam Attributes what the op is configured with, beside the shapes of its operands
 */
export interface Node<Inputs extends object = object, Attributes extends object = object> {
  op: Op<Inputs, Attributes>;
  inputs: Inputs;
  outputs: Value[];
  attributes: Attributes;
  /** For each output the input whose storage it takes over, if any. */
  inPlaceOf: (Value | undefined)[];
  /** The checkpointing segment: its nodes may be recomputed together just before their backward. */
  segment: number | null;
  /**
   * Whether the node computes queries, keys and values from its segment's input; they can be recomputed on
   * their own.
   */
  beforeAttention: boolean;
}

export interface OutputSpec {
  shape: readonly number[];
  /** f32 where absent. */
  dtype?: DType;
  /** The input whose storage this output takes over: no later node may read that input. */
  inPlaceOf?: Value;
}

/** The operands of an op as TensorFlow.js tensors, under the same names. */
export type Tensors<Inputs> = { [Name in keyof Inputs]: TensorOf<Inputs[Name]> };
type TensorOf<T> = T extends Value
  ? TensorFlowTensor
  : T extends readonly Value[]
    ? TensorFlowTensor[]
    : undefined;

/**
 * One operation: its shape rule, gradient, kernels and TensorFlow.js definition, together in one file of
 * src/ops. `Op` without type arguments stands for any op. Members are methods, not function properties, so
 * that every op is assignable to it.
 */
export interface Op<Inputs extends object = object, Attributes extends object = object> {
  name: string;
  /**
   * Its output takes little to compute again from inputs that its own gradient reads: keeping it would cost
   * memory for nothing.
   */
  isCheap?: true;
  /** @throws where the shapes do not fit */
  outputs(inputs: Inputs, attributes: Attributes): OutputSpec[];
  /** Emits the backward nodes. Absent: nothing flows back through this op. */
  gradient?(
    backward: Backward,
    node: Node<Inputs, Attributes>,
    outputGradients: readonly (Value | null)[],
  ): void;
  /**
   * A node that computes only the `needed` outputs with less arithmetic, or the node itself where there is
   * none.
   */
  prune?(node: Node<Inputs, Attributes>, needed: ReadonlySet<Value>): Node;
  /**
   * Where one kernel computes both this node and the one before it: a fused node, which plans have in their
   * place.
   * @param readsOf how often the nodes of the graph read a value; Infinity where it outlives the plan's nodes
   */
  fuse?(
    previous: Node,
    node: Node<Inputs, Attributes>,
    settings: KernelSettings,
    readsOf: (value: Value) => number,
  ): Node | null;
  /** The same, of this node and the one after it; asked where that one fuses with none before it. */
  fuseNext?(
    node: Node<Inputs, Attributes>,
    next: Node,
    settings: KernelSettings,
    readsOf: (value: Value) => number,
  ): Node | null;
  /**
   * Operands whose storage the first outputs can take over, all of them or none: plans do so where each is
   * read for the last time (`Node.inPlaceOf`). null: not of these operands.
   */
  takesOver?(inputs: Inputs): readonly Value[] | null;
  /**
   * Weights that its kernels bind as one where they are stored contiguously
   * (ops/weights/weightGroups.ts).
   */
  contiguousWeights?(inputs: Inputs): readonly Value[];
  /** The kernels of one node, in order. */
  dispatches(node: Node<Inputs, Attributes>, settings: KernelSettings): Dispatch[];
  /**
   * The same function in TensorFlow.js. Only forward ops have one: backward ops are checked against tf.grads.
   * @param host an input's array, where an op needs it on the CPU
   */
  tensorflow?(
    tf: TensorFlow,
    inputs: Tensors<Inputs>,
    node: Node<Inputs, Attributes>,
    host: (input: Value) => HostData,
  ): TensorFlowTensor[];
}

/** The operand of ops that can accumulate. */
export interface Accumulator {
  /** Output 0 is added to this value and takes over its storage. Absent: output 0 is written. */
  sum?: Value;
}

/** An op that adds to its operand `sum` where it is given one. */
export interface AccumulatingOp<
  Inputs extends Accumulator,
  Attributes extends object = NoAttributes,
> extends Op<Inputs, Attributes> {
  accumulates: true;
}

/** Appends a node to a graph. @returns its outputs, fresh activations */
export interface Append {
  <Inputs extends object>(op: Op<Inputs, NoAttributes>, inputs: NoInfer<Inputs>): Value[];
  <Inputs extends object, Attributes extends object>(
    op: Op<Inputs, Attributes>,
    inputs: NoInfer<Inputs>,
    attributes: NoInfer<Attributes>,
  ): Value[];
}

/** What a gradient rule calls to emit backward nodes and to contribute their outputs to gradients. */
export interface Backward {
  append: Append;
  /** Whether this input needs a gradient. */
  wants(input: Value): boolean;
  /** Contributes an existing value as (part of) the gradient of `input`, which is no parameter. */
  pass(input: Value, gradient: Value): void;
  /**
   * Contributes output 0 of a node of `op`. Where there is a contribution already, `op` is given it as its
   * `sum`.
   */
  emit<Inputs extends Accumulator, Attributes extends object>(
    input: Value,
    op: AccumulatingOp<Inputs, Attributes>,
    inputs: NoInfer<Omit<Inputs, 'sum'>>,
    attributes: NoInfer<Attributes>,
  ): void;
  /** For ops that yield several gradients at once: output i is contributed to `targets[i]`. */
  emitAll<Inputs extends object, Attributes extends object>(
    targets: readonly (Value | null)[],
    op: Op<Inputs, Attributes>,
    inputs: NoInfer<Inputs>,
    attributes: NoInfer<Attributes>,
  ): void;
  /** For ops that always add to the gradients of several parameters at once. */
  emitParameters<Inputs extends object, Attributes extends object>(
    parameters: readonly Value[],
    op: Op<Inputs, Attributes>,
    inputs: NoInfer<Inputs>,
    attributes: NoInfer<Attributes>,
  ): void;
}

/** Every value that a node reads. */
export function inputValues({ inputs }: Node): Value[] {
  return Object.values(inputs as Record<string, Operand>).flatMap((operand) => operand ?? []);
}

/** How often the nodes read a value; Infinity where it outlives them. */
export function countReads(nodes: readonly Node[]): (value: Value) => number {
  const reads = new Map<Value, number>();
  for (const node of nodes)
    for (const input of inputValues(node)) reads.set(input, (reads.get(input) ?? 0) + 1);
  return (value) => (value.role === 'activation' ? (reads.get(value) ?? 0) : Infinity);
}

/** The same operands with each value replaced. */
export function mapInputs<Inputs extends object>(inputs: Inputs, replace: (value: Value) => Value): Inputs {
  const replaced = Object.entries(inputs as Record<string, Operand>).map(([name, operand]) => [
    name,
    operand && (isList(operand) ? operand.map(replace) : replace(operand)),
  ]);
  return Object.fromEntries(replaced) as Inputs;
}

/** Whether an operand is a list of values; Array.isArray does not narrow read-only arrays. */
export function isList(operand: Value | readonly Value[]): operand is readonly Value[] {
  return Array.isArray(operand);
}

/** Whether a node is one of `op`, whose types it then has. */
export function isNodeOf<Inputs extends object, Attributes extends object>(
  node: Node,
  op: Op<Inputs, Attributes>,
): node is Node<Inputs, Attributes> {
  return node.op === op;
}
