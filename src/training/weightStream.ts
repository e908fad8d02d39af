/** From a checkpoint's tensors to what the engine stores: checked, quantised where the recipe says so, chunk by chunk. */
import { tensorPartBytes, type TensorChunk, type TensorInfo, type TensorKind, type WeightSource } from '../formats/tensors.ts';
import type { SourceCheckpoint, SourceTensor } from '../formats/checkpoint.ts';
import { fileName } from '../formats/checkpoint.ts';
import { DTYPE_BYTES, toFloat32 } from '../formats/safetensors.ts';
import { UserError } from '../lib/errors.ts';
import type { TensorRequirement } from '../model/config.ts';
import { Nf4Quantizer, type QuantizedScales } from '../quant/nf4.ts';

export type Quantization = 'nf4' | 'none';

/** Source bytes read at once: a multiple of every dtype's width and of a block's bytes. */
export const READ_BYTES = 4 * 1024 * 1024;

const STORED: Partial<Record<string, TensorKind>> = { F32: 'f32', F16: 'f16', BF16: 'bf16', F64: 'f32' };

/** What will be stored of each required tensor. @throws UserError naming the first tensor that is missing, has another shape or an unreadable dtype */
export function planTensors(source: SourceCheckpoint, requirements: readonly TensorRequirement[], quantization: Quantization): Map<string, TensorInfo> {
  const infos = new Map<string, TensorInfo>();
  for (const { name, shape, quantise } of requirements) {
    const tensor = source.tensors.get(name);
    if (!tensor) {
      throw new UserError(
        `The model's files have no tensor ${name} ([${shape}]), which config.json asks for. Drop all its safetensors files, or check that config.json belongs to them.`,
      );
    }
    const file = fileName(tensor.file.path);
    if (tensor.shape.join() !== shape.join())
      throw new UserError(`${file}: tensor ${name} is [${tensor.shape}], but config.json asks for [${shape}]. Use the config.json that belongs to these weights.`);
    const stored = STORED[tensor.dtype];
    if (!stored) throw new UserError(`${file}: tensor ${name} is ${tensor.dtype}; Finetab reads F32, F16 and BF16. Use the original checkpoint, not a quantised one.`);
    infos.set(name, { name, shape, kind: quantise && quantization === 'nf4' ? 'nf4' : stored });
  }
  return infos;
}

/** Reads one tensor and yields its stored parts in order. @throws UserError where a weight is NaN or infinite, naming the tensor and index */
export async function* storedChunks(tensor: SourceTensor, info: TensorInfo, onRead?: (bytes: number) => void): AsyncGenerator<TensorChunk> {
  const quantizer = info.kind === 'nf4' ? new Nf4Quantizer(info.shape.reduce((a, b) => a * b, 1)) : null;
  let packedBytes = 0;
  for (let at = tensor.begin; at < tensor.end; at += READ_BYTES) {
    const end = Math.min(at + READ_BYTES, tensor.end);
    const bytes = new Uint8Array(await tensor.file.blob.slice(at, end).arrayBuffer());
    if (bytes.byteLength !== end - at) throw new UserError(`${fileName(tensor.file.path)} changed or became unreadable while it was read. Drop it again.`);
    const values = toFloat32(tensor.dtype, bytes);
    checkFinite(values, (at - tensor.begin) / DTYPE_BYTES[tensor.dtype], tensor);
    onRead?.(bytes.byteLength);
    if (quantizer) {
      const packed = quantizer.push(values);
      if (packed.byteLength > 0) yield { part: 'packed', byteOffset: packedBytes, bytes: packed };
      packedBytes += packed.byteLength;
    } else if (tensor.dtype === 'F64') {
      yield { part: 'data', byteOffset: (at - tensor.begin) / 2, bytes: new Uint8Array(values.buffer, values.byteOffset, values.byteLength) };
    } else yield { part: 'data', byteOffset: at - tensor.begin, bytes };
  }
  if (!quantizer) return;
  const { packed, scales } = quantizer.finish();
  if (packed.byteLength > 0) yield { part: 'packed', byteOffset: packedBytes, bytes: packed };
  yield { part: 'absmax_q', byteOffset: 0, bytes: scales.absmax_q };
  yield { part: 'nested', byteOffset: 0, bytes: nestedBytes(scales) };
}

/** The 'nested' part: float32 [offset, nested_absmax...]. */
export function nestedBytes({ nested_offset, nested_absmax }: QuantizedScales): Uint8Array {
  return new Uint8Array(new Float32Array([nested_offset, ...nested_absmax]).buffer);
}

function checkFinite(values: Float32Array, first: number, tensor: SourceTensor): void {
  for (let i = 0; i < values.length; i++) {
    if (values[i] - values[i] !== 0) {
      throw new UserError(
        `${fileName(tensor.file.path)}: tensor ${tensor.name} holds ${values[i]} at element ${first + i}. The checkpoint is damaged or was saved from a diverged run: use another copy.`,
      );
    }
  }
}

/** A checkpoint as a weight source held in memory after its first reading: for Node commands and small models. */
export function memoryWeightSource(source: SourceCheckpoint, requirements: readonly TensorRequirement[], quantization: Quantization): WeightSource {
  const tensors = planTensors(source, requirements, quantization);
  const chunks = new Map<string, Promise<TensorChunk[]>>();
  const read = async (name: string) => {
    const made: TensorChunk[] = [];
    for await (const chunk of storedChunks(source.tensors.get(name)!, tensors.get(name)!)) made.push(chunk);
    return made;
  };
  return {
    config: source.config,
    tensors,
    async *stream(name) {
      if (!chunks.has(name)) chunks.set(name, read(name));
      yield* await chunks.get(name)!;
    },
  };
}

/** Stored bytes of tensors, for estimates before an import. */
export function storedBytes(infos: Iterable<TensorInfo>): number {
  let sum = 0;
  for (const info of infos) for (const bytes of Object.values(tensorPartBytes(info))) sum += bytes;
  return sum;
}
