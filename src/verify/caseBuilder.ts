/** Builds small graphs with random data, on which kernels are compared with TensorFlow.js. */
import type { TensorKind } from '../formats/tensors.ts';
import { GGUF_BLOCKS, type GgufBlockType } from '../quant/ggufBlocks.ts';
import { Graph } from '../graph/graph.ts';
import { elements, type Value } from '../graph/value.ts';
import type { HostData } from '../graph/tensorflowTypes.ts';
import { mix32, randomKey, randomUnit } from '../lib/counterRandom.ts';
import { add } from '../ops/elementwise/add.ts';
import { loraDown } from '../ops/lora/lora.ts';
import { differentiate } from '../plan/autodiff.ts';
import { stored, type CaseWeight } from './caseWeights.ts';

/** Every kind of weight. */
export const KINDS: readonly TensorKind[] = ['f32', 'bf16', 'f16', 'nf4', 'nf4_f32'];

/** Every type of GGUF blocks. */
export const GGUF_KINDS = [...GGUF_BLOCKS.keys()] as GgufBlockType[];

export interface OpCase {
  /** Op and shape in words. */
  name: string;
  graph: Graph;
  /** Graph outputs; `gradient` is the input that enters the backward pass there, absent without one. */
  outputs: { name: string; value: Value; gradient?: Value }[];
  feeds: Record<string, HostData>;
  parameters: Map<string, { shape: readonly number[]; values: Float32Array }>;
  weights: Map<string, CaseWeight>;
}

/** Uniform in [-1, 1), the same on every machine. */
export function uniform(count: number, seed: number): Float32Array {
  const key = mix32(seed);
  return Float32Array.from({ length: count }, (_, i) => 2 * randomUnit(randomKey(key, i)) - 1);
}

/** documentStart and documentEnd of documents laid end to end. */
export function documentFeeds(lengths: readonly number[]): {
  documentStart: Uint32Array;
  documentEnd: Uint32Array;
} {
  const total = lengths.reduce((a, b) => a + b, 0);
  const documentStart = new Uint32Array(total);
  const documentEnd = new Uint32Array(total);
  let first = 0;
  for (const length of lengths) {
    documentStart.fill(first, first, first + length);
    documentEnd.fill(first + length, first, first + length);
    first += length;
  }
  return { documentStart, documentEnd };
}

/** Builds the graph of one case, with random data that depend on its name. */
export class CaseBuilder {
  readonly graph = new Graph(true);
  readonly parameters: OpCase['parameters'] = new Map();
  readonly weights: OpCase['weights'] = new Map();
  readonly feeds: OpCase['feeds'] = {};
  private seed: number;

  constructor(readonly name: string) {
    this.seed = [...name].reduce((key, letter) => randomKey(key, letter.charCodeAt(0)), 7);
  }

  parameter(name: string, shape: readonly number[]): Value {
    const value = this.graph.parameter(name, shape);
    this.parameters.set(name, { shape, values: uniform(elements(value), this.next()) });
    return value;
  }

  /** A [T, width] value whose gradient ends in the parameter of that name, transposed. */
  leaf(name: string, tokens: number, width: number): Value {
    const identity = this.graph.constant(`identity ${tokens}`, [tokens, tokens], () =>
      Float32Array.from({ length: tokens * tokens }, (_, i) => (i % (tokens + 1) === 0 ? 1 : 0)),
    );
    return loraDown(this.graph, identity, this.parameter(name, [width, tokens]));
  }

  weight(name: string, shape: readonly number[], kind: TensorKind): Value {
    const count = shape.reduce((a, b) => a * b, 1);
    this.weights.set(name, { shape, ...stored(uniform(count, this.next()), kind) });
    return this.graph.weight(name, shape, kind);
  }

  input(name: string, data: HostData): Value {
    this.feeds[name] = data;
    return this.graph.input(
      name,
      [data.length],
      data instanceof Float32Array ? 'f32' : data instanceof Int32Array ? 'i32' : 'u32',
    );
  }

  finish(...values: Value[]): OpCase {
    const outputs = values.map((value, i) => {
      const zero = this.graph.constant(
        `zero ${value.shape.join('x')}`,
        value.shape,
        () => new Float32Array(elements(value)),
      );
      const seen = this.graph.output(`output.${i}`, add(this.graph, value, zero));
      const gradient = this.graph.value('input', `seed.${i}`, value.shape);
      this.feeds[gradient.name] = uniform(elements(value), this.next());
      return { name: seen.name, value: seen, gradient };
    });
    differentiate(this.graph, outputs, { checkpoint: false });
    const { name, graph, feeds, parameters, weights } = this;
    return { name, graph, outputs, feeds, parameters, weights };
  }

  private next(): number {
    return (this.seed = mix32(this.seed + 1));
  }
}

/** A list of cases, and a function that builds one with the outputs that `make` returns and adds it. */
export function caseList(): {
  cases: OpCase[];
  build(name: string, make: (c: CaseBuilder) => Value[]): void;
} {
  const cases: OpCase[] = [];
  return {
    cases,
    build(name, make) {
      const builder = new CaseBuilder(name);
      cases.push(builder.finish(...make(builder)));
    },
  };
}
