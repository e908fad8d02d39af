/** The gradients of a graph while its backward nodes are appended. */
import { addOp } from '../ops/elementwise/add.ts';
import type { Graph } from '../graph/graph.ts';
import type { AccumulatingOp, Accumulator, Append, Backward, Op } from '../graph/op.ts';
import { valueBytes, type Value } from '../graph/value.ts';

/** Sums the contributions to each value's gradient, in place where nothing else reads the sum so far. */
export class GradientAccumulator implements Backward {
  private readonly sums = new Map<Value, Value>();
  /**
   * How many forward values have this gradient at the moment. It may be changed in place only where that is
   * one.
   */
  private readonly owners = new Map<Value, number>();
  private readonly originals = new Map<Value, Value>();
  private readonly parameterGradients = new Map<Value, Value>();

  readonly append: Append;

  constructor(
    private readonly graph: Graph,
    private readonly reached: ReadonlySet<Value>,
  ) {
    this.append = graph.append;
  }

  /** Makes the gradient of a recomputed copy that of its original. */
  replaces(copy: Value, original: Value): void {
    this.originals.set(copy, original);
  }

  of(value: Value): Value | null {
    return this.sums.get(this.original(value)) ?? null;
  }

  /** Drops the gradient of a value whose producer's gradient rule has run. */
  release(value: Value): void {
    this.replace(value, null);
  }

  wants(input: Value): boolean {
    return input.role === 'parameter' || this.reached.has(this.original(input));
  }

  pass(input: Value, gradient: Value): void {
    if (!this.wants(input)) return;
    if (input.role === 'parameter')
      throw new Error(`the gradient of the parameter ${input.name} is emitted, not passed`);
    const target = this.original(input);
    const sum = this.sums.get(target);
    this.replace(target, sum ? this.append(addOp, { a: sum, b: gradient })[0] : gradient);
  }

  emit<Inputs extends Accumulator, Attributes extends object>(
    input: Value,
    op: AccumulatingOp<Inputs, Attributes>,
    inputs: NoInfer<Omit<Inputs, 'sum'>>,
    attributes: NoInfer<Attributes>,
  ): void {
    if (!this.wants(input)) return;
    const anyOp: Op = op;
    if (input.role === 'parameter') {
      const gradient = this.parameterGradient(input);
      this.graph.appendInto([gradient], anyOp, { ...inputs, sum: gradient }, attributes);
      return;
    }
    const target = this.original(input);
    const sum = this.sums.get(target);
    const isRead = Object.values(inputs).flat().includes(sum);
    if (sum && sum.role === 'activation' && this.owners.get(sum) === 1 && !isRead) {
      const [output] = this.append(anyOp, { ...inputs, sum }, attributes);
      if (this.graph.nodes.at(-1)!.inPlaceOf[0] !== sum)
        throw new Error(`${op.name} does not accumulate: contribute with emitAll`);
      this.replace(target, output);
    } else {
      this.pass(input, this.append(anyOp, inputs, attributes)[0]);
    }
  }

  emitAll<Inputs extends object, Attributes extends object>(
    targets: readonly (Value | null)[],
    op: Op<Inputs, Attributes>,
    inputs: NoInfer<Inputs>,
    attributes: NoInfer<Attributes>,
  ): void {
    if (!targets.some((target) => target && this.wants(target))) return;
    const outputs = this.append(op, inputs, attributes);
    targets.forEach((target, i) => target && this.pass(target, outputs[i]));
  }

  emitParameters<Inputs extends object, Attributes extends object>(
    parameters: readonly Value[],
    op: Op<Inputs, Attributes>,
    inputs: NoInfer<Inputs>,
    attributes: NoInfer<Attributes>,
  ): void {
    const gradients = parameters.map((parameter) => this.parameterGradient(parameter));
    this.graph.appendInto(gradients, op, inputs, attributes);
  }

  private original(value: Value): Value {
    return this.originals.get(value) ?? value;
  }

  private parameterGradient(parameter: Value): Value {
    let gradient = this.parameterGradients.get(parameter);
    if (!gradient) {
      gradient = this.graph.value('gradient', parameter.name, parameter.shape, { parameter });
      this.parameterGradients.set(parameter, gradient);
    }
    return gradient;
  }

  private replace(target: Value, gradient: Value | null): void {
    const before = this.sums.get(target);
    if (before) this.owners.set(before, this.owners.get(before)! - 1);
    if (!gradient) {
      this.sums.delete(target);
      return;
    }
    if (valueBytes(gradient) !== valueBytes(target))
      throw new Error(`gradient [${gradient.shape}] of ${target.name} [${target.shape}]`);
    this.sums.set(target, gradient);
    this.owners.set(gradient, (this.owners.get(gradient) ?? 0) + 1);
  }
}
