/**
 * The graph that a model file appends its forward pass to and from which every plan is made. Shapes are
 * static, and nothing here touches a GPU. A value is written once; gradients and state (KV caches) are the
 * exception, because they live outside the step and nodes update them in place.
 */
import type { TensorKind } from '../formats/tensors.ts';
import type { Append, Node, Op } from './op.ts';
import type { DType, Value, ValueRole } from './value.ts';

export class Graph {
  nodes: Node[] = [];
  readonly values: Value[] = [];
  /** The first id of the values of the backward pass; null: there is none. */
  backwardFrom: number | null = null;
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

  /** Appends a node. @returns its outputs, fresh activations */
  readonly append: Append = (op: Op, inputs: object, attributes: object = {}): Value[] => {
    const specs = op.outputs(inputs, attributes);
    const outputs = specs.map(({ shape, dtype = 'f32' }, i) =>
      this.value('activation', `${op.name}.${this.nodes.length}.${i}`, shape, { dtype }),
    );
    const inPlaceOf = specs.map((spec) => spec.inPlaceOf);
    this.push(op, inputs, attributes, outputs, inPlaceOf);
    return outputs;
  };

  /** Appends a node that writes to `targets` (gradients or state) in place of fresh outputs. */
  appendInto<Inputs extends object, Attributes extends object>(
    targets: Value[],
    op: Op<Inputs, Attributes>,
    inputs: NoInfer<Inputs>,
    attributes: NoInfer<Attributes>,
  ): void {
    const inPlaceOf = targets.map(() => undefined);
    this.push(op, inputs, attributes, targets, inPlaceOf);
  }

  private push(
    op: Op,
    inputs: object,
    attributes: object,
    outputs: Value[],
    inPlaceOf: (Value | undefined)[],
  ): void {
    const segment = this.currentSegment;
    this.nodes.push({ op, inputs, outputs, attributes, inPlaceOf, segment, beforeAttention: false });
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

  /**
   * Marks what the current segment computed so far as what its attention reads: the part that selective
   * recomputation (arXiv:2205.05198) recomputes on its own.
   */
  markAttentionInputs(): void {
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
