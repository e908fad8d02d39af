/**
 * The output head in 8 bits, where the recipe says so or the run would not fit otherwise: GGUF's Q8_0 blocks
 * of 32 weights of a row, made while the head is uploaded. The stored model keeps its 16 bits.
 */
import { isGguf, isNf4, type TensorChunk, type TensorInfo, type WeightSource } from '../formats/tensors.ts';
import { UserError } from '../lib/errors.ts';
import type { Model } from '../model/architecture.ts';
import { floatsOf, type FloatFormat } from '../quant/floatFormats.ts';
import { GGUF_BLOCKS } from '../quant/ggufBlocks.ts';
import { quantizeQ8_0 } from '../quant/ggufQuantize.ts';

/**
 * How the output head lies on the GPU. 'stored': as the model has it; 'q8_0': in 8 bits; 'auto': in 8 bits
 * only where the recipe's own memory limit cannot be kept otherwise.
 */
export type HeadDtype = 'auto' | 'stored' | 'q8_0';

/**
 * Most that a weight of Q8_0 is off, of the largest weight of its block: half a step, largest / 127 / 2, and
 * the step's own rounding to float16, 2^-11 of up to 127 steps. A logit is off by at most this times
 * Σ |h_i| · (largest of i's block).
 */
export const Q8_0_ERROR = 1 / 254 + 2 ** -11;

/** What a head in 8 bits is, for messages. */
export const Q8_0_BOUND = `each weight within ${Math.ceil(1e4 * Q8_0_ERROR) / 100} % of the largest of its block`;

/** Whether an engine's head lies in 8 bits: as it chose, or where it chooses nothing, as the recipe says. */
export function isHeadInQ8_0(
  engine: { memoryChoice?: { headInQ8_0: boolean } },
  { head_dtype }: { head_dtype: HeadDtype },
): boolean {
  return engine.memoryChoice?.headInQ8_0 ?? head_dtype === 'q8_0';
}

/** What an engine is asked for, that its head lies as another's did. */
export const keptHead = (isInQ8_0: boolean): HeadDtype => (isInQ8_0 ? 'q8_0' : 'stored');

const Q8_0 = GGUF_BLOCKS.get('Q8_0')!;

/**
 * Why a model's head has to stay as it is; null where it may lie in 8 bits. A head that is the embedding
 * stays: its rounding would reach the model's input as well.
 */
export function headObstacle(model: Model, weights: ReadonlyMap<string, TensorInfo>): string | null {
  if (model.config.tie_word_embeddings) return 'it is the embedding as well';
  const head = weights.get(model.headWeight)!;
  if (isNf4(head.kind) || isGguf(head.kind)) return `it is stored as ${head.kind}`;
  if (head.shape[1] % Q8_0.elements !== 0)
    return `its rows of ${head.shape[1]} weights are no whole blocks of ${Q8_0.elements}`;
  return null;
}

/** @returns the weights with the head as Q8_0 @throws UserError where it has to stay as it is */
export function withHeadInQ8_0(
  model: Model,
  weights: ReadonlyMap<string, TensorInfo>,
): ReadonlyMap<string, TensorInfo> {
  const obstacle = headObstacle(model, weights);
  if (obstacle !== null)
    throw new UserError(
      `training.head_dtype is "q8_0", but the output head of this model cannot be kept in 8 bits: ${obstacle}. Set it to "auto" or "stored".`,
    );
  const head = weights.get(model.headWeight)!;
  return new Map([...weights, [head.name, { ...head, kind: 'Q8_0' as const }]]);
}

/** The weights as they lie on the GPU where nothing is chosen by memory. @throws as `withHeadInQ8_0` does */
export function withHead(
  dtype: HeadDtype | undefined,
  model: Model,
  weights: ReadonlyMap<string, TensorInfo>,
): ReadonlyMap<string, TensorInfo> {
  return dtype === 'q8_0' ? withHeadInQ8_0(model, weights) : weights;
}

/**
 * A source whose tensors have the kinds that were planned: floats that are planned as Q8_0 are quantised
 * piece by piece while they are read.
 */
export function asPlanned(source: WeightSource, planned: ReadonlyMap<string, TensorInfo>): WeightSource {
  const { tensors } = source;
  const changed = [...planned.values()].filter(({ name, kind }) => tensors.get(name)?.kind !== kind);
  if (changed.length === 0) return source;
  const names = new Set(changed.map(({ name }) => name));
  return {
    ...source,
    tensors: planned,
    stream: (name) =>
      names.has(name)
        ? inQ8_0(source.stream(name), tensors.get(name)!.kind.toUpperCase() as FloatFormat)
        : source.stream(name),
  };
}

/** Chunks of floats as chunks of blocks, an even number of them but at the end: 4-byte words. */
async function* inQ8_0(chunks: AsyncIterable<TensorChunk>, format: FloatFormat): AsyncGenerator<TensorChunk> {
  const unit = 2 * Q8_0.elements;
  let rest = new Float32Array(0);
  let byteOffset = 0;
  for await (const { bytes } of chunks) {
    const read = floatsOf(format, bytes);
    const values = new Float32Array(rest.length + read.length);
    values.set(rest);
    values.set(read, rest.length);
    const whole = values.length - (values.length % unit);
    rest = values.slice(whole);
    if (whole === 0) continue;
    const blocks = quantizeQ8_0(values.subarray(0, whole));
    yield { part: 'data', byteOffset, bytes: blocks };
    byteOffset += blocks.byteLength;
  }
  if (rest.length > 0) yield { part: 'data', byteOffset, bytes: quantizeQ8_0(rest) };
}
