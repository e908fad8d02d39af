/**
 * The reference executor: runs a graph by each op's TensorFlow.js definition and takes gradients by tf.grads.
 * It checks both the kernels and the differentiation, and it trains where a browser has no WebGPU.
 */
import type { Scalar, Tensor } from '@tensorflow/tfjs-core';
import type { Graph } from '../../graph/graph.ts';
import { inputValues, isList, type Node, type Operand, type Tensors } from '../../graph/op.ts';
import type { Value } from '../../graph/value.ts';
import type { HostData, TensorFlow } from '../../graph/tensorflowTypes.ts';

/** Host arrays of inputs, by name. */
export type Feeds = Readonly<Record<string, HostData>>;

/** The operands of a node as tensors, by name. */
function tensorsOf<Inputs extends object>(
  { inputs }: Node<Inputs>,
  tensorOf: (value: Value) => Tensor,
): Tensors<Inputs> {
  const tensors = Object.entries(inputs as Record<string, Operand>).map(([name, operand]) => [
    name,
    operand && (isList(operand) ? operand.map(tensorOf) : tensorOf(operand)),
  ]);
  return Object.fromEntries(tensors) as Tensors<Inputs>;
}

export class TensorFlowExecutor {
  private readonly producers = new Map<Value, Node>();
  private readonly constants = new Map<Value, Tensor>();

  /** @param weights frozen tensors by name, float32, owned by the caller */
  constructor(
    private readonly tf: TensorFlow,
    private readonly graph: Graph,
    private readonly weights: ReadonlyMap<string, Tensor>,
  ) {
    for (const node of graph.nodes)
      for (const output of node.outputs) if (!this.producers.has(output)) this.producers.set(output, node);
  }

  /** Values of `wanted` for these inputs and parameters. The caller disposes of the result. */
  run(wanted: readonly Value[], feeds: Feeds, parameters: ReadonlyMap<string, Tensor>): Tensor[] {
    return this.tf.tidy(() => this.evaluate(wanted, feeds, parameters));
  }

  /**
   * Σ seed · value over the seeds, and its gradient for every parameter, by tf.grads.
   * @returns the scalar and gradients in the order of `parameters`; the caller disposes of them
   */
  gradients(
    seeds: readonly { value: Value; gradient: Value }[],
    feeds: Feeds,
    parameters: ReadonlyMap<string, Tensor>,
  ): { loss: Scalar; gradients: Map<string, Tensor> } {
    const { tf } = this;
    const names = [...parameters.keys()];
    const objective = (...tensors: Tensor[]): Scalar => {
      const values = this.evaluate(
        seeds.map(({ value }) => value),
        feeds,
        new Map(names.map((name, i) => [name, tensors[i]])),
      );
      return values
        .map((value, i) => tf.sum(tf.mul(tf.reshape(value, [-1]), this.feed(seeds[i].gradient, feeds))))
        .reduce((a, b) => tf.add(a, b)) as Scalar;
    };
    const { value, grads } = tf.valueAndGrads(objective)([...parameters.values()]);
    return { loss: value, gradients: new Map(names.map((name, i) => [name, grads[i]])) };
  }

  dispose(): void {
    for (const tensor of this.constants.values()) tensor.dispose();
    this.constants.clear();
  }

  private evaluate(
    wanted: readonly Value[],
    feeds: Feeds,
    parameters: ReadonlyMap<string, Tensor>,
  ): Tensor[] {
    const known = new Map<Value, Tensor>();
    for (const node of this.nodesFor(wanted)) {
      if (!node.op.tensorflow) throw new Error(`${node.op.name} has no TensorFlow.js definition`);
      const inputs = tensorsOf(node, (input) => known.get(input) ?? this.leaf(input, feeds, parameters));
      const outputs = node.op.tensorflow(this.tf, inputs, node, (value) => this.host(value, feeds));
      outputs.forEach((output, i) => known.set(node.outputs[i], output));
    }
    return wanted.map((value) => known.get(value)!);
  }

  /** The nodes that `wanted` needs, in the graph's order. */
  private nodesFor(wanted: readonly Value[]): Node[] {
    const needed = new Set<Node>();
    const pending = [...wanted];
    while (pending.length > 0) {
      const node = this.producers.get(pending.pop()!);
      if (!node || needed.has(node)) continue;
      needed.add(node);
      for (const value of inputValues(node)) pending.push(value);
    }
    return this.graph.nodes.filter((node) => needed.has(node));
  }

  private leaf(value: Value, feeds: Feeds, parameters: ReadonlyMap<string, Tensor>): Tensor {
    const given =
      value.role === 'parameter'
        ? parameters.get(value.name)
        : value.role === 'weight'
          ? this.weights.get(value.name)
          : undefined;
    if (given) return given;
    if (value.role === 'constant') {
      let tensor = this.constants.get(value);
      if (!tensor) {
        tensor = this.tf.keep(this.tf.tensor(value.data!, [...value.shape]));
        this.constants.set(value, tensor);
      }
      return tensor;
    }
    return this.tf.reshape(this.feed(value, feeds), [...value.shape]);
  }

  private feed(value: Value, feeds: Feeds): Tensor {
    const data = this.host(value, feeds);
    return this.tf.tensor1d(
      value.dtype === 'f32' ? Float32Array.from(data) : Int32Array.from(data),
      value.dtype === 'f32' ? 'float32' : 'int32',
    );
  }

  private host(value: Value, feeds: Feeds): HostData {
    const data = feeds[value.name];
    if (!data) throw new Error(`no data for the ${value.role} ${value.name}`);
    return data;
  }
}
