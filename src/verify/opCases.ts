/**
 * Small graphs, one or more an op, over odd shapes: what tests and "check this GPU" compare between the kernels and TensorFlow.js. A leaf is a
 * parameter behind a product with the identity, so that every op's input gradient ends in a parameter's.
 */
import type { TensorKind } from '../formats/tensors.ts';
import { mix32, randomKey, randomUnit } from '../lib/counterRandom.ts';
import { add } from '../ops/elementwise/add.ts';
import { addBias } from '../ops/elementwise/addBias.ts';
import { attention } from '../ops/attention/attention.ts';
import type { AttentionSettings } from '../ops/attention/attentionVariants.ts';
import { dropout } from '../ops/elementwise/dropout.ts';
import { embedding } from '../ops/embedding/embedding.ts';
import { gated, type Activation } from '../ops/elementwise/gated.ts';
import { headGate } from '../ops/elementwise/headGate.ts';
import { scale } from '../ops/elementwise/scale.ts';
import { scaleByWeight } from '../ops/elementwise/scaleByWeight.ts';
import { shortConvolution } from '../ops/convolution/shortConvolution.ts';
import { gatherRows } from '../ops/embedding/gatherRows.ts';
import { Graph } from '../graph/graph.ts';
import { elements, type Value } from '../graph/value.ts';
import { linear } from '../ops/matmul/linear.ts';
import { linearGroup } from '../ops/matmul/linearGroup.ts';
import { linearCrossEntropy } from '../ops/loss/linearCrossEntropy.ts';
import { lora, loraDown } from '../ops/lora/lora.ts';
import { rmsNorm, type RmsNormSettings } from '../ops/norm/rmsNorm.ts';
import { rope } from '../ops/rope/rope.ts';
import { ropeRows } from '../ops/rope/ropeRows.ts';
import { softcap } from '../ops/elementwise/softcap.ts';
import { splitColumns } from '../ops/elementwise/splitColumns.ts';
import type { HostData } from '../graph/tensorflowTypes.ts';
import { dequantize, Nf4Quantizer } from '../quant/nf4.ts';
import { differentiate } from '../plan/autodiff.ts';

export interface CaseWeight {
  shape: readonly number[];
  /** As the kernels see it, float32. */
  values: Float32Array;
  /** As it lies on the GPU. */
  parts: Record<string, Uint8Array>;
}

export interface OpCase {
  /** Op and shape, for people. */
  name: string;
  graph: Graph;
  /** Output values, each also a graph output of its own name; `gradient` is what enters there, absent where nothing is differentiated. */
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

/** What one case is built with. */
class CaseBuilder {
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

/** An adapter whose scale differs from token to token. */
function adapterScaleCase(
  rank: number,
  tokens: number,
  width: number,
  outs: number[],
  kind?: TensorKind,
): OpCase {
  const name = `lora of ${outs.length} ${kind ? `linear ${kind}` : 'projections'} with an adapter scale a token, rank ${rank}, ${tokens}×${width}`;
  const graph = new Graph(false);
  const feeds: OpCase['feeds'] = {};
  const input = (key: string, shape: number[]) => {
    feeds[key] = uniform(elements({ shape }), Object.keys(feeds).length + 21);
    return graph.input(key, shape, 'f32');
  };
  const parameters: OpCase['parameters'] = new Map();
  const parameter = (key: string, shape: number[]) => {
    parameters.set(key, { shape, values: uniform(elements({ shape }), parameters.size + 31) });
    return graph.parameter(key, shape);
  };
  const weights: OpCase['weights'] = new Map();
  const weight = (key: string, shape: number[], of: TensorKind) => {
    weights.set(key, { shape, ...stored(uniform(elements({ shape }), weights.size + 41), of) });
    return graph.weight(key, shape, of);
  };
  const x = input('x', [tokens, width]);
  const ys = kind
    ? linearGroup(
        graph,
        x,
        outs.map((out, g) => weight(`w${g}`, [out, width], kind)),
      )
    : outs.map((out, g) => add(graph, input(`y${g}`, [tokens, out]), input(`z${g}`, [tokens, out])));
  const [a, b] = [
    parameter('A', [outs.length * rank, width]),
    parameter('B', [outs.reduce((sum, out) => sum + out, 0), rank]),
  ];
  const seen = lora(graph, x, { a, b, ys, scale: 0.5, adapterScale: input('adapterScale', [tokens]) });
  const outputs = seen.map((value, g) => ({
    name: `output.${g}`,
    value: graph.output(`output.${g}`, add(graph, value, input(`w${g}`, [tokens, outs[g]]))),
  }));
  return { name, graph, outputs, feeds, parameters, weights };
}

/** Loss and whether the target is the likeliest token: it is on every other row, and the last token is the first one's equal, never the first. */
function scoreCase(tokens: number, width: number, vocabulary: number, softcap: number): OpCase {
  const name = `linearCrossEntropy scores ${tokens}×${width}, ${vocabulary} tokens${softcap ? `, softcap ${softcap}` : ''}`;
  const graph = new Graph(false);
  const h = uniform(tokens * width, 11);
  const head = uniform(vocabulary * width, 12);
  head.copyWithin((vocabulary - 1) * width, 0, width);
  const likeliest = Array.from({ length: tokens }, (_, t) => {
    const logits = Array.from({ length: vocabulary }, (_, v) =>
      h.subarray(t * width, (t + 1) * width).reduce((sum, x, i) => sum + x * head[v * width + i], 0),
    );
    return logits.indexOf(Math.max(...logits));
  });
  const targets = Int32Array.from(likeliest, (v, t) =>
    t % 5 === 2 ? -1 : t % 2 === 0 ? v : v === 0 ? vocabulary - 1 : (v + 1) % vocabulary,
  );
  const { loss, correct } = linearCrossEntropy(
    graph,
    graph.input('h', [tokens, width], 'f32'),
    graph.weight('head', [vocabulary, width], 'f32'),
    graph.input('targets', [tokens], 'i32'),
    softcap,
  );
  const outputs = [loss, correct].map((value, i) => ({
    name: `output.${i}`,
    value: graph.output(`output.${i}`, value),
  }));
  return {
    name,
    graph,
    outputs,
    feeds: { h, targets },
    parameters: new Map(),
    weights: new Map([['head', { shape: [vocabulary, width], ...stored(head, 'f32') }]]),
  };
}

/** A weight of a kind: what the kernels see of `values`, and the bytes on the GPU. */
export function stored(values: Float32Array, kind: TensorKind): Pick<CaseWeight, 'values' | 'parts'> {
  switch (kind) {
    case 'f32':
      return { values, parts: { data: new Uint8Array(values.buffer) } };
    case 'bf16': {
      const bits = Uint16Array.from(new Uint32Array(values.buffer), (word) => word >>> 16);
      return {
        values: new Float32Array(Uint32Array.from(bits, (half) => half << 16).buffer),
        parts: { data: new Uint8Array(bits.buffer) },
      };
    }
    case 'f16': {
      // Multiples of 1/64 in [-1, 1): 0 or sign, biased exponent and a fraction that binary16 holds exactly.
      const coarse = values.map((value) => Math.trunc(value * 64) / 64);
      return { values: coarse, parts: { data: new Uint8Array(Uint16Array.from(coarse, halfBits).buffer) } };
    }
    case 'nf4':
    case 'nf4_f32': {
      const quantizer = new Nf4Quantizer(values.length);
      const whole = quantizer.push(values);
      const { packed: tail, scales } = quantizer.finish();
      const packed = Uint8Array.from([...whole, ...tail]);
      const { absmax } = quantizer;
      if (kind === 'nf4_f32')
        return {
          values: dequantize(packed, absmax, values.length),
          parts: { packed, absmax: new Uint8Array(absmax.buffer) },
        };
      return {
        values: dequantize(packed, scales, values.length),
        parts: {
          packed,
          absmax_q: scales.absmax_q,
          nested: new Uint8Array(new Float32Array([scales.nested_offset, ...scales.nested_absmax]).buffer),
        },
      };
    }
  }
}

/** Binary16 bits of a multiple of 1/64 below 1 in magnitude. */
function halfBits(value: number): number {
  if (value === 0) return 0;
  const exponent = Math.floor(Math.log2(Math.abs(value)));
  const fraction = Math.round((Math.abs(value) / 2 ** exponent - 1) * 1024);
  return (value < 0 ? 0x8000 : 0) | ((exponent + 15) << 10) | fraction;
}

const KINDS: TensorKind[] = ['f32', 'bf16', 'f16', 'nf4', 'nf4_f32'];

/** [T, in, out]: nothing a multiple of a tile, sums long enough to be split, and multiples of 4, which are read by vec4. */
const PRODUCTS: [number, number, number][] = [
  [1, 48, 33],
  [37, 96, 50],
  [65, 130, 66],
  [9, 520, 72],
  [4, 64, 36],
  [68, 132, 40],
  [72, 136, 520],
  [80, 64, 128],
];

/** [T, in, [out...]]: members narrower and wider than a tile, sums long enough to be split, and what does not fit one product. */
const GROUPS: [number, number, number[], TensorKind[]][] = [
  [80, 512, [96, 32, 16], KINDS],
  [80, 64, [128, 192, 320], ['nf4', 'bf16']],
  [68, 136, [40, 24], ['nf4_f32']],
  [9, 48, [50, 33], ['nf4']],
  [5, 64, [16, 16, 16, 32], ['nf4']],
];

/** Rank, tokens, in, out of each projection: ranks and widths that kernels for GPUs do not take, then ones they do, at and past the borders of their tiles. */
const LORAS: [rank: number, tokens: number, width: number, outs: number[]][] = [
  [5, 9, 41, [20]],
  [4, 34, 24, [8, 12, 16, 20]],
  [16, 132, 264, [64, 136]],
  [8, 71, 52, [140, 12, 4]],
  [64, 36, 128, [24, 40, 4]],
  [128, 34, 16, [20, 8]],
];

const ATTENTIONS: { name: string; lengths: number[]; settings: Omit<AttentionSettings, 'scale'> }[] = [
  { name: 'one document, ratio 1', lengths: [37], settings: { heads: 2, keyHeads: 2, headDim: 8 } },
  {
    name: 'documents of 1 to 3, ratio 2',
    lengths: [1, 2, 3, 1, 1, 3, 2, 2, 1],
    settings: { heads: 4, keyHeads: 2, headDim: 12 },
  },
  { name: 'mixed, ratio 3', lengths: [5, 1, 29, 2], settings: { heads: 6, keyHeads: 2, headDim: 16 } },
  { name: 'past a tile, ratio 8', lengths: [65, 66], settings: { heads: 8, keyHeads: 1, headDim: 4 } },
  { name: 'heads of 64, ratio 4', lengths: [70, 9], settings: { heads: 4, keyHeads: 1, headDim: 64 } },
  { name: 'heads of 32, ratio 2', lengths: [70, 26], settings: { heads: 4, keyHeads: 2, headDim: 32 } },
  {
    name: 'softcap 5, window 20, past a block',
    lengths: [66, 14],
    settings: { heads: 2, keyHeads: 1, headDim: 16, window: 20, softcap: 5 },
  },
  { name: 'window 4', lengths: [3, 21, 9], settings: { heads: 2, keyHeads: 1, headDim: 8, window: 4 } },
  {
    name: 'softcap 2, window 7',
    lengths: [33, 4],
    settings: { heads: 2, keyHeads: 2, headDim: 6, window: 7, softcap: 2 },
  },
];

/** Every case, built anew. */
export function opCases(): OpCase[] {
  const cases: OpCase[] = [];
  const build = (name: string, make: (c: CaseBuilder) => Value[]) => {
    const builder = new CaseBuilder(name);
    cases.push(builder.finish(...make(builder)));
  };

  build('add 7×45', (c) => {
    const a = c.leaf('a', 7, 45);
    return [add(c.graph, add(c.graph, a, c.leaf('b', 7, 45)), a)];
  });
  for (const kind of KINDS) {
    build(`addBias ${kind} 5×(37+3+200)`, (c) => {
      const sizes = [37, 3, 200];
      return addBias(
        c.graph,
        sizes.map((size, g) => c.leaf(`x${g}`, 5, size)),
        sizes.map((size, g) => c.weight(`bias${g}`, [size], kind)),
      );
    });
  }
  for (const kind of KINDS) {
    for (const [tokens, width, out] of PRODUCTS) {
      build(`linear ${kind} ${tokens}×${width}→${out}`, (c) => [
        linear(c.graph, c.leaf('x', tokens, width), c.weight('w', [out, width], kind)),
      ]);
    }
  }
  for (const [tokens, width, outs, kinds] of GROUPS) {
    for (const kind of kinds) {
      build(`linearGroup ${kind} ${tokens}×${width}→${outs.join('+')}`, (c) => {
        const x = c.leaf('x', tokens, width);
        const ys = linearGroup(
          c.graph,
          x,
          outs.map((out, g) => c.weight(`w${g}`, [out, width], kind)),
        );
        // What flows into x from elsewhere is kept: the sum is added to.
        return [...ys, add(c.graph, x, x)];
      });
    }
  }
  for (const [rank, tokens, width, outs] of LORAS) {
    build(`lora ${outs.length} projections, rank ${rank}, ${tokens}×${width}`, (c) => {
      const x = c.leaf('x', tokens, width);
      const a = c.parameter('A', [outs.length * rank, width]);
      const b = c.parameter('B', [outs.reduce((sum, out) => sum + out, 0), rank]);
      const ys = outs.map((out, g) => c.leaf(`y${g}`, tokens, out));
      return lora(c.graph, x, { a, b, ys, scale: 1.5 });
    });
  }
  for (const [kind, tokens, groups, width, settings] of [
    ['f32', 7, 1, 48, { eps: 1e-5 }],
    ['bf16', 66, 1, 130, { eps: 1e-6 }],
    ['bf16', 3, 1, 1060, { eps: 1e-6 }],
    ['f16', 5, 3, 12, { eps: 1e-6, unitOffset: 1 }],
    ['nf4', 3, 1, 257, { eps: 1e-3, unitOffset: 1 }],
  ] as [TensorKind, number, number, number, RmsNormSettings][]) {
    build(`rmsNorm ${kind} ${tokens}×${groups}×${width}${settings.unitOffset ? ', 1 + w' : ''}`, (c) => {
      const x = c.leaf('x', tokens, groups * width);
      return [add(c.graph, x, rmsNorm(c.graph, x, c.weight('w', [width], kind), settings))];
    });
  }
  for (const [kind, tokens, width, settings] of [
    ['f32', 7, 48, { eps: 1e-5 }],
    ['bf16', 66, 130, { eps: 1e-6, unitOffset: 1 }],
    ['bf16', 2, 520, { eps: 1e-5 }],
  ] as [TensorKind, number, number, RmsNormSettings][]) {
    build(`addRmsNorm ${kind} ${tokens}×${width}${settings.unitOffset ? ', 1 + w' : ''}`, (c) => {
      const [a, b] = [c.leaf('a', tokens, width), c.leaf('b', tokens, width)];
      const sum = add(c.graph, a, b);
      const norm = rmsNorm(c.graph, sum, c.weight('w', [width], kind), settings);
      // One sum flows on as a residual stream does, one only through its norm, and a has a gradient from elsewhere.
      const alone = rmsNorm(c.graph, add(c.graph, a, norm), c.weight('v', [width], kind), settings);
      return [add(c.graph, sum, norm), alone, add(c.graph, a, sum)];
    });
  }
  for (const [heads, dim, rest, interleaved] of [
    [1, 2, 0],
    [3, 10, 0],
    [2, 64, 0],
    [3, 6, 4],
    [2, 12, 0, 'interleaved'],
    [3, 4, 6, 'interleaved'],
  ] as [number, number, number, string?][]) {
    const layout = `${rest ? ` and ${rest} more` : ''}${interleaved ? ', interleaved' : ''}`;
    build(`rope ${heads}, 1 and 2 heads of ${dim}${layout}`, (c) => {
      const positions = Uint32Array.from({ length: 19 }, (_, t) => (t * 5) % 23);
      const table = (name: string, of: (x: number) => number) =>
        c.graph.constant(name, [23, dim / 2], () =>
          Float32Array.from({ length: (23 * dim) / 2 }, (_, i) =>
            of(Math.floor((i * 2) / dim) * 10000 ** (-(i % (dim / 2)) / dim)),
          ),
        );
      const xs = [heads, 1, 2].map((n, i) => c.leaf(`x${i}`, 19, n * (dim + rest)));
      return rope(
        c.graph,
        xs,
        { cos: table('cos', Math.cos), sin: table('sin', Math.sin) },
        c.input('positions', positions),
        dim + rest,
        interleaved !== undefined,
      );
    });
  }
  build('rope by length of 5 sequences', (c) => {
    const { documentStart, documentEnd } = documentFeeds([5, 1, 9, 4, 6]);
    const documents = {
      start: c.input('documentStart', documentStart),
      end: c.input('documentEnd', documentEnd),
    };
    const rows = ropeRows(
      c.graph,
      c.input(
        'positions',
        documentStart.map((start, t) => t - start),
      ),
      documents,
      { positions: 12, original: 5 },
    );
    const table = (name: string, seed: number) => c.graph.constant(name, [24, 4], () => uniform(96, seed));
    return rope(c.graph, [c.leaf('x', 25, 16)], { cos: table('cos', 1), sin: table('sin', 2) }, rows, 8);
  });
  build('splitColumns 9×(5+12+1)', (c) => splitColumns(c.graph, c.leaf('x', 9, 18), [5, 12, 1]));
  build('softcap 3 of 7×31', (c) => {
    const x = c.leaf('x', 7, 31);
    return [add(c.graph, x, softcap(c.graph, add(c.graph, x, x), 3))];
  });
  build('scale 0.22 of 7×31', (c) => {
    const x = c.leaf('x', 7, 31);
    return [add(c.graph, x, scale(c.graph, add(c.graph, x, x), 0.22))];
  });
  for (const kind of ['f32', 'bf16', 'f16'] as TensorKind[])
    build(`scaleByWeight ${kind} of 7×31`, (c) => {
      const x = c.leaf('x', 7, 31);
      return [add(c.graph, x, scaleByWeight(c.graph, x, c.weight('w', [1], kind)))];
    });
  build('headGate 3 heads of 7, 9 rows', (c) => {
    const [x, gate] = [c.leaf('x', 9, 21), c.leaf('gate', 9, 3)];
    // x has a gradient from elsewhere, which is added to.
    return [add(c.graph, x, headGate(c.graph, x, gate))];
  });
  build('squared ReLU 11×53', (c) => {
    const x = c.leaf('x', 11, 53);
    return [gated(c.graph, x, x, 'relu')];
  });
  for (const [kind, taps, width, lengths] of [
    ['bf16', 3, 33, [1, 2, 3, 1, 1, 7, 2]],
    ['f32', 7, 20, [5, 9, 1, 30, 3]],
    ['f16', 4, 64, [17]],
    ['bf16', 5, 6, [2]],
  ] as [TensorKind, number, number, number[]][]) {
    build(`shortConvolution ${kind}, ${taps} taps, documents of ${lengths.join('+')} × ${width}`, (c) => {
      const feeds = documentFeeds(lengths);
      const x = c.leaf('x', feeds.documentStart.length, width);
      const documents = {
        start: c.input('documentStart', feeds.documentStart),
        end: c.input('documentEnd', feeds.documentEnd),
      };
      return [
        add(c.graph, x, shortConvolution(c.graph, x, c.weight('w', [width, 1, taps], kind), documents)),
      ];
    });
  }
  for (const activation of ['silu', 'gelu_tanh', 'sigmoid', 'identity'] as Activation[])
    build(`gated ${activation} 11×53`, (c) => [
      gated(c.graph, c.leaf('gate', 11, 53), c.leaf('up', 11, 53), activation),
    ]);
  for (const { name, lengths, settings } of ATTENTIONS) {
    build(`attention ${name}`, (c) => {
      const feeds = documentFeeds(lengths);
      const tokens = feeds.documentStart.length;
      const { heads, keyHeads, headDim } = settings;
      const [q, k, v] = [
        c.leaf('q', tokens, heads * headDim),
        c.leaf('k', tokens, keyHeads * headDim),
        c.leaf('v', tokens, keyHeads * headDim),
      ];
      const documents = {
        start: c.input('documentStart', feeds.documentStart),
        end: c.input('documentEnd', feeds.documentEnd),
      };
      return [attention(c.graph, q, k, v, documents, { ...settings, scale: 1 / Math.sqrt(headDim) })];
    });
  }
  build('dropout 0.3 9×21', (c) => {
    const keys = {
      random: c.input('random', new Uint32Array([5, 3])),
      documentIndex: c.input('documentIndex', new Uint32Array([0, 0, 0, 1, 1, 4, 4, 4, 4])),
      positions: c.input('positions', new Uint32Array([0, 1, 2, 0, 1, 0, 1, 2, 3])),
    };
    return [dropout(c.graph, c.leaf('x', 9, 21), keys, 0.3, 2)];
  });
  for (const kind of KINDS) {
    build(`embedding ${kind} 11×34`, (c) => {
      const table = c.weight('table', [13, 34], kind);
      return [
        add(
          c.graph,
          c.leaf('x', 11, 34),
          embedding(
            c.graph,
            c.input('ids', new Uint32Array([0, 12, 3, 3, 5, 1, 0, 7, 12, 11, 2])),
            table,
            1.25,
          ),
        ),
      ];
    });
  }
  build('gatherRows 3 of 10×17', (c) => {
    const table = c.weight('table', [10, 17], 'f32');
    const x = embedding(
      c.graph,
      c.input(
        'ids',
        Uint32Array.from({ length: 10 }, (_, i) => 9 - i),
      ),
      table,
    );
    return [
      add(c.graph, c.leaf('x', 3, 17), gatherRows(c.graph, x, c.input('rows', new Uint32Array([9, 0, 4])))),
    ];
  });
  for (const [kind, tokens, width, vocabulary, softcap] of [
    ['f32', 5, 24, 97, 0],
    ['bf16', 70, 40, 131, 0],
    ['f16', 131, 33, 64, 3],
    ['bf16', 80, 64, 160, 0],
  ] as [TensorKind, number, number, number, number][]) {
    build(
      `linearCrossEntropy ${kind} ${tokens}×${width}, ${vocabulary} tokens${softcap ? `, softcap ${softcap}` : ''}`,
      (c) => {
        const targets = c.input(
          'targets',
          Int32Array.from({ length: tokens }, (_, t) => (t % 5 === 2 ? -100 : (t * 37) % vocabulary)),
        );
        return [
          linearCrossEntropy(
            c.graph,
            c.leaf('h', tokens, width),
            c.weight('head', [vocabulary, width], kind),
            targets,
            softcap,
          ).loss,
        ];
      },
    );
  }
  cases.push(
    scoreCase(70, 40, 131, 0),
    scoreCase(131, 12, 64, 3),
    adapterScaleCase(8, 45, 36, [132, 8, 4]),
    adapterScaleCase(3, 20, 13, [7, 5]),
  );
  // A few rows, as in generation.
  cases.push(
    adapterScaleCase(8, 5, 36, [132, 8, 4]),
    adapterScaleCase(16, 1, 1100, [70]),
    adapterScaleCase(12, 8, 40, [20, 64]),
  );
  cases.push(
    adapterScaleCase(16, 1, 1120, [40, 8, 20], 'nf4'),
    adapterScaleCase(8, 3, 96, [36], 'nf4'),
    adapterScaleCase(4, 8, 64, [12, 24], 'bf16'),
  );
  return cases;
}
