/**
 * The operations that an architecture's forward pass is written with. One forward pass serves every plan: the
 * mode decides whether attention runs over whole documents or one token a slot against a KV cache, and
 * whether dropout applies.
 */
import { addBias } from '../ops/elementwise/addBias.ts';
import { attention } from '../ops/attention/attention.ts';
import type { AttentionSettings } from '../ops/attention/attentionVariants.ts';
import { attentionDecode, cacheWrite } from '../ops/attention/decodeAttention.ts';
import { dropout, type DropoutKeys } from '../ops/elementwise/dropout.ts';
import { embedding } from '../ops/embedding/embedding.ts';
import { neftune } from '../ops/embedding/neftune.ts';
import { Graph } from '../graph/graph.ts';
import type { Value } from '../graph/value.ts';
import { rmsNorm, type RmsNormSettings } from '../ops/norm/rmsNorm.ts';
import { rope } from '../ops/rope/rope.ts';
import { ropeRows } from '../ops/rope/ropeRows.ts';
import { scale } from '../ops/elementwise/scale.ts';
import { splitColumns } from '../ops/elementwise/splitColumns.ts';
import type { TensorInfo } from '../formats/tensors.ts';
import { adaptProducts } from './adaptedProjection.ts';
import type { ProjectionGroup } from './adapterLayout.ts';
import type { LoraShape } from './adapterTargets.ts';
import { roundTo } from './roundTo.ts';
import type { RopeSettings } from './ropeConfig.ts';
import { ropeConstants } from './ropeConstants.ts';

/** What the name of an input begins with that is the rows of a stored table; the table's name follows. */
export const TABLE_INPUT = 'rows of ';

export type PlanMode = 'train' | 'score' | 'prefill' | 'decode';

export interface BuilderOptions {
  mode: PlanMode;
  /** Tokens of the plan: T, or the number of slots when decoding. */
  tokens: number;
  /** Rows of the rope tables: one more than the largest position. */
  positions: number;
  lora: LoraShape;
  weights: ReadonlyMap<string, TensorInfo>;
  /** Of NEFTune's noise while training; 0 or absent: none. */
  neftuneAlpha?: number;
  /** Of the KV cache; needed by prefill and decode. */
  cache?: { slots: number; length: number };
}

export class ModelBuilder {
  readonly graph: Graph;
  /** Projections that were given an adapter, in order. */
  readonly groups: ProjectionGroup[] = [];
  private sites = 0;
  private longRows: Value | null = null;
  /**
   * Maps an architecture's module names to the names in the whole model. They differ for the text part of a
   * multimodal model.
   */
  rename: (name: string) => string = (name) => name;

  constructor(readonly options: BuilderOptions) {
    this.graph = new Graph(options.mode === 'train');
  }

  /**
   * Rows of the embedding by the input's ids.
   * @param rounded whether the scale is first rounded to the table's own precision, as Gemma's is in
   * transformers (`embed_scale.to(weight.dtype)`)
   * @returns [T, hidden]
   */
  embed(table: string, scale = 1, rounded = false): Value {
    const weight = this.weight(table);
    const ids = this.graph.input('inputIds', [this.options.tokens], 'u32');
    const x = embedding(this.graph, ids, weight, rounded ? roundTo(weight.kind!, scale) : scale);
    const { neftuneAlpha = 0, mode } = this.options;
    // Of Gemma 4's two tables the one a layer gets no noise: it is not the model's input embedding.
    if (neftuneAlpha === 0 || mode !== 'train' || !table.endsWith('embed_tokens.weight')) return x;
    return neftune(this.graph, { x, ...this.randomKeys(), ...this.documents() }, neftuneAlpha);
  }

  /**
   * The same of a table that stays in storage: its rows are an input, which the engine reads for each batch.
   * @returns [T, width]
   */
  embedFromStorage(table: string, factor: number): Value {
    const stored = this.rename(table);
    const info = this.options.weights.get(stored);
    if (!info) throw new Error(`the model has no tensor ${stored}`);
    const rows = this.graph.input(`${TABLE_INPUT}${stored}`, [this.options.tokens, info.shape[1]], 'f32');
    return scale(this.graph, rows, roundTo(info.kind, factor));
  }

  rmsNorm(x: Value, weight: string, settings: RmsNormSettings): Value {
    return rmsNorm(this.graph, x, this.weight(weight), settings);
  }

  /** RMSNorm without a weight, times `gain`, over each group of `width` columns of x. */
  plainNorm(x: Value, width: number, { eps }: RmsNormSettings, gain = 1): Value {
    const gains = this.graph.constant(`${gain} × ${width}`, [width], () =>
      new Float32Array(width).fill(gain),
    );
    return rmsNorm(this.graph, x, gains, { eps });
  }

  /** @param xs each [T, n · headDim]: queries and keys @returns as xs */
  rope(xs: readonly Value[], settings: RopeSettings, headDim: number): Value[] {
    const { positions } = this.options;
    const { scaling } = settings;
    const original =
      scaling.rope_type === 'longrope' && positions > scaling.original_max_position_embeddings
        ? scaling.original_max_position_embeddings
        : null;
    const table = ropeConstants(this.graph, settings, headDim, positions, original !== null);
    if (original !== null)
      this.longRows ??= ropeRows(this.graph, this.positions(), this.documents(), { positions, original });
    const rows = original === null ? this.positions() : this.longRows!;
    return rope(this.graph, xs, table, rows, headDim, settings.interleaved === true);
  }

  /**
   * Linear layers that share an input, with bias and adapter where a module has them.
   * @returns one [T, out] a module
   */
  project(x: Value, modules: string[]): Value[] {
    const weights = modules.map((module) => this.weight(`${module}.weight`));
    const adapted = adaptProducts(
      {
        graph: this.graph,
        lora: this.options.lora,
        adapterScale: () => this.adapterScale(),
        dropout: (input) => this.dropout(input),
      },
      x,
      modules.map((module, i) => ({ name: this.rename(module), weight: weights[i] })),
      (products) => this.biased(products, modules),
    );
    for (const group of adapted.groups) this.groups.push(group);
    return adapted.outputs;
  }

  /** Adds the biases that there are. */
  biased(products: readonly Value[], modules: readonly string[]): Value[] {
    const outputs = [...products];
    const having = modules.flatMap((module, i) =>
      this.options.weights.has(this.rename(`${module}.bias`))
        ? [{ i, bias: this.weight(`${module}.bias`) }]
        : [],
    );
    if (having.length === 0) return outputs;
    const sums = addBias(
      this.graph,
      having.map(({ i }) => products[i]),
      having.map(({ bias }) => bias),
    );
    having.forEach(({ i }, g) => (outputs[i] = sums[g]));
    return outputs;
  }

  /**
   * Cuts the output of a fused projection, or each head of it, into parts.
   * @returns one [T, heads · width] a width
   */
  split(x: Value, widths: readonly number[], heads = 1): Value[] {
    return splitColumns(this.graph, x, widths, heads);
  }

  /** @param q [T, heads · d] @param k, v [T, keyHeads · d], rotated already @returns [T, heads · d] */
  attend(layer: number, q: Value, k: Value, v: Value, settings: AttentionSettings): Value {
    const { mode } = this.options;
    this.graph.markAttentionInputs();
    if (mode === 'train' || mode === 'score')
      return attention(this.graph, q, k, v, this.documents(), settings);
    const { keys, values } = this.cacheOf(layer, k);
    cacheWrite(this.graph, { keys, values }, k, v, this.slots(), this.positions());
    return mode === 'prefill'
      ? attention(this.graph, q, k, v, this.documents(), settings)
      : attentionDecode(this.graph, q, keys, values, this.positions(), settings);
  }

  /**
   * Attention that reads the keys and values of an earlier layer and stores none.
   * @param source that layer, whose cache is read
   * @param q [T, heads · d]
   * @param k, v [T, keyHeads · d] of that layer
   * @returns [T, heads · d]
   */
  attendShared(source: number, q: Value, k: Value, v: Value, settings: AttentionSettings): Value {
    const { mode } = this.options;
    this.graph.markAttentionInputs();
    if (mode !== 'decode') return attention(this.graph, q, k, v, this.documents(), settings);
    const { keys, values } = this.cacheOf(source, k);
    return attentionDecode(this.graph, q, keys, values, this.positions(), settings);
  }

  /** @param k of one batch, as wide as a row of the cache */
  private cacheOf(layer: number, k: Value): { keys: Value; values: Value } {
    const { mode, cache } = this.options;
    if (!cache) throw new Error(`${mode} needs a cache`);
    const rows = (what: string) =>
      this.graph.state(`cache.${layer}.${what}`, [cache.slots, cache.length, k.shape[1]]);
    return { keys: rows('key'), values: rows('value') };
  }

  /** Marks a decoder layer: the unit of activation checkpointing. */
  layer(build: () => Value): Value {
    return this.graph.segment(build);
  }

  weight(name: string): Value {
    const stored = this.rename(name);
    const info = this.options.weights.get(stored);
    if (!info) throw new Error(`the model has no tensor ${stored}`);
    return this.graph.weight(stored, info.shape, info.kind);
  }

  positions(): Value {
    return this.graph.input('positions', [this.options.tokens], 'u32');
  }

  /** Where each token's document begins and ends; when decoding, 0 and the length of its slot's sequence. */
  documents(): { start: Value; end: Value } {
    const input = (name: string) => this.graph.input(name, [this.options.tokens], 'u32');
    return { start: input('documentStart'), end: input('documentEnd') };
  }

  /** The slot of each token in generation; one that is no slot is not stored. */
  slots(): Value {
    return this.graph.input('slots', [this.options.tokens], 'u32');
  }

  /** How strongly the adapter acts on each token: 1 as trained, 0 the base model. Training has none. */
  private adapterScale(): Value | undefined {
    const { mode, tokens } = this.options;
    return mode === 'train' ? undefined : this.graph.input('adapterScale', [tokens], 'f32');
  }

  private dropout(x: Value): Value {
    const { lora, mode } = this.options;
    if (lora.lora_dropout === 0 || mode !== 'train') return x;
    return dropout(this.graph, x, this.randomKeys(), lora.lora_dropout, this.sites++);
  }

  /** What random numbers of a training step are keyed by. */
  private randomKeys(): DropoutKeys {
    return {
      random: this.graph.input('random', [2], 'u32'),
      documentIndex: this.graph.input('documentIndex', [this.options.tokens], 'u32'),
      positions: this.positions(),
    };
  }
}
