/**
 * The graph: what an architecture file appends to and every plan is made from. Shapes are static; nothing here touches a GPU.
 * A value is written once, except for the ones that live outside the step (gradients, KV caches), which nodes update in place.
 */
import type { TensorKind } from '../formats/tensors.ts';
import type { Dispatch, KernelSettings } from '../gpu/dispatch.ts';
import type { HostData, TensorFlow, TensorFlowTensor } from './tensorflowTypes.ts';

export type DType = 'f32' | 'u32' | 'i32';

/**
 * Where a value lives.
 * input: written by the host before a replay · constant: written once · weight: frozen, from the checkpoint · parameter: a slice of the
 * contiguous adapter buffer · gradient: the same slice of the gradient buffer, always added to · state: persists between replays (KV
 * cache) · activation: placed in an arena by the memory plan · output: read by the host after a replay.
 */
export type ValueRole =
  'input' | 'constant' | 'weight' | 'parameter' | 'gradient' | 'state' | 'activation' | 'output';

export interface Value {
  id: number;
  name: string;
  role: ValueRole;
  shape: readonly number[];
  dtype: DType;
  /** Of a weight: how it is stored. */
  kind?: TensorKind;
  /** Of a constant: its contents. */
  data?: Float32Array | Uint32Array;
  /** Of a gradient: the parameter it belongs to. */
  parameter?: Value;
}

export interface Node {
  op: Op;
  inputs: Value[];
  outputs: Value[];
  attributes: Attributes;
  /** For each output the index of the input whose storage it takes over, if any. */
  inPlaceOf: (number | undefined)[];
  /** Checkpointing: nodes of one segment are recomputed together before their backward. */
  segment: number | null;
  /** Whether it makes the queries, keys and values of its segment's attention, from the segment's input. */
  beforeAttention: boolean;
}

export type Attributes = Readonly<Record<string, number | boolean | string | null | readonly number[]>>;

export interface OutputSpec {
  shape: readonly number[];
  dtype?: DType;
  /** Index of the input whose storage this output takes over: nothing may read that input afterwards. */
  inPlaceOf?: number;
}

/** Hands a gradient rule what it needs: emits backward nodes and adds up contributions. */
export interface Backward {
  graph: Graph;
  /** Whether a gradient is wanted for this input at all. */
  wants(input: Value): boolean;
  /** Contributes an existing value as (part of) the gradient of `input`. */
  pass(input: Value, gradient: Value): void;
  /**
   * Contributes output `slot` of a node of `op`. Where a contribution is there already the op adds to it in place: it is given the sum so far
   * as a last input and `accumulate: true`.
   */
  emit(input: Value, op: Op, inputs: Value[], attributes?: Attributes): void;
  /** For ops that yield several gradients at once: one fresh value an output. */
  emitAll(inputs: (Value | null)[], op: Op, opInputs: Value[], attributes?: Attributes): void;
  /** For ops that add to the gradients of several parameters at once. */
  emitParameters(parameters: Value[], op: Op, opInputs: Value[], attributes?: Attributes): void;
}

/** One operation: shape rule, gradient, kernels and TensorFlow.js definition, together in one file of this folder. */
export interface Op {
  name: string;
  /** Throws when the shapes do not fit. */
  outputs(inputs: readonly Value[], attributes: Attributes): OutputSpec[];
  /** Absent: nothing flows back through this op. */
  gradient?(backward: Backward, node: Node, outputGradients: readonly (Value | null)[]): void;
  /** Where some outputs turn out to be of no use: a node that makes these of them with less work, or the node itself. */
  only?(node: Node, wanted: ReadonlySet<Value>): Node;
  /** Where one kernel does both this node and the one before it: a node of both, which plans have in their place. `isReadOnce`: whether no other node reads a value, nor the host. */
  joined?(
    before: Node,
    node: Node,
    settings: KernelSettings,
    isReadOnce: (value: Value) => boolean,
  ): Node | null;
  /** Weights that its kernels read as one where they can: they are placed together (ops/weightGroups.ts). */
  together?(inputs: readonly Value[]): Value[];
  /** The kernels of one node, in order. */
  dispatches(node: Node, settings: KernelSettings): Dispatch[];
  /** The same function in TensorFlow.js; only forward ops have one (backward ones are checked against tf.grads). `host` gives an input's array where an op needs it on the CPU. */
  tensorflow?(
    tf: TensorFlow,
    inputs: TensorFlowTensor[],
    node: Node,
    host: (input: Value) => HostData,
  ): TensorFlowTensor[];
}

/** Elements of a value. */
export function elements(value: { shape: readonly number[] }): number {
  return value.shape.reduce((a, b) => a * b, 1);
}

/** Bytes of a value on the GPU (not for weights, whose kinds differ); every dtype is 4 bytes wide. */
export function valueBytes(value: { shape: readonly number[] }): number {
  return elements(value) * 4;
}

export class Graph {
  nodes: Node[] = [];
  readonly values: Value[] = [];
  private currentSegment: number | null = null;
  private segments = 0;

  constructor(
    /** A training graph's loss head computes its gradient in the same sweep. */
    readonly training: boolean,
  ) {}

  value(role: ValueRole, name: string, shape: readonly number[], more: Partial<Value> = {}): Value {
    if (shape.some((size) => !Number.isInteger(size) || size < 1))
      throw new Error(`${name}: shape [${shape}] is not made of positive integers`);
    const value: Value = { id: this.values.length, role, name, shape, dtype: 'f32', ...more };
    this.values.push(value);
    return value;
  }

  input(name: string, shape: readonly number[], dtype: DType): Value {
    return this.named('input', name) ?? this.value('input', name, shape, { dtype });
  }

  constant(name: string, shape: readonly number[], data: () => Float32Array): Value {
    return this.named('constant', name) ?? this.value('constant', name, shape, { data: data() });
  }

  weight(name: string, shape: readonly number[], kind: TensorKind): Value {
    return this.named('weight', name) ?? this.value('weight', name, shape, { kind });
  }

  parameter(name: string, shape: readonly number[]): Value {
    return this.named('parameter', name) ?? this.value('parameter', name, shape);
  }

  state(name: string, shape: readonly number[]): Value {
    return this.named('state', name) ?? this.value('state', name, shape);
  }

  /** Appends a node and returns its outputs. `into`: write to these values (gradients, state) instead of fresh ones. */
  append(op: Op, inputs: Value[], attributes: Attributes = {}, into?: Value[]): Value[] {
    const specs = into ? [] : op.outputs(inputs, attributes);
    const outputs =
      into ??
      specs.map((spec, i) =>
        this.value('activation', `${op.name}.${this.nodes.length}.${i}`, spec.shape, {
          dtype: spec.dtype ?? 'f32',
        }),
      );
    this.nodes.push({
      op,
      inputs,
      outputs,
      attributes,
      inPlaceOf: outputs.map((_, i) => specs[i]?.inPlaceOf),
      segment: this.currentSegment,
      beforeAttention: false,
    });
    return outputs;
  }

  /** Runs `build` with its nodes marked as one checkpointing segment. */
  segment<T>(build: () => T): T {
    if (this.currentSegment !== null) throw new Error('segments do not nest');
    this.currentSegment = this.segments++;
    try {
      return build();
    } finally {
      this.currentSegment = null;
    }
  }

  /** Says that what the current segment has made so far is what its attention reads: the part that is recomputed alone where attention's inputs are. */
  attentionBegins(): void {
    for (const node of this.nodes)
      if (node.segment !== null && node.segment === this.currentSegment) node.beforeAttention = true;
  }

  /** Marks an activation as read by the host after a replay. */
  output(name: string, value: Value): Value {
    if (value.role !== 'activation') throw new Error(`${name}: only an activation can become an output`);
    value.role = 'output';
    value.name = name;
    return value;
  }

  find(role: ValueRole, name: string): Value {
    const value = this.named(role, name);
    if (!value) throw new Error(`the graph has no ${role} ${name}`);
    return value;
  }

  private named(role: ValueRole, name: string): Value | undefined {
    return this.values.find((value) => value.role === role && value.name === name);
  }
}
