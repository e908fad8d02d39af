/** How each tensor of a checkpoint is stored: as it is, in NF4, or as the blocks of its GGUF. */
import { tensorPartBytes, type TensorInfo, type TensorKind } from '../formats/tensors.ts';
import { fileName, type SourceCheckpoint, type SourceTensor } from '../formats/checkpoint.ts';
import { UserError } from '../lib/errors.ts';
import type { TensorRequirement } from '../model/config.ts';
import { GGUF_BLOCKS, GGUF_FORMATS, type GgufBlockType } from '../quant/ggufBlocks.ts';

/** 'gguf': the blocks of a GGUF as they are. */
export type Quantization = 'nf4' | 'none' | 'gguf';

/** How a tensor of each dtype is stored where it is not quantised. */
const STORED: ReadonlyMap<string, TensorKind> = new Map([
  ['F64', 'f32'],
  ['F32', 'f32'],
  ['F16', 'f16'],
  ['BF16', 'bf16'],
  ['F8_E4M3', 'f32'],
  ['F8_E5M2', 'f32'],
]);

/**
 * Decides how each required tensor is stored. A checkpoint that is quantised already is stored as it is.
 * @throws UserError naming the first tensor that is missing, has another shape or an unreadable dtype
 */
export function planTensors(
  source: SourceCheckpoint,
  requirements: readonly TensorRequirement[],
  quantization: Quantization,
): Map<string, TensorInfo> {
  if (quantization === 'gguf' && !source.gguf)
    throw new UserError(
      'The recipe asks for quantization "gguf", which keeps the blocks of a GGUF file, but these are other files. Drop a .gguf, or set quantization to "nf4" or "none".',
    );
  const infos = new Map<string, TensorInfo>();
  for (const { name, shape, quantise, byRows } of requirements) {
    const tensor = source.tensors.get(name);
    if (!tensor) {
      throw new UserError(
        `The model's files have no tensor ${name} ([${shape}]), which config.json asks for. Drop all its safetensors files, or check that config.json belongs to them.`,
      );
    }
    const file = fileName(tensor.file.path);
    if (tensor.shape.join() !== shape.join())
      throw new UserError(
        `${file}: tensor ${name} is [${tensor.shape}], but config.json asks for [${shape}]. Use the config.json that belongs to these weights.`,
      );
    const stored = tensor.nf4 ? (tensor.nf4.nested ? 'nf4' : 'nf4_f32') : STORED.get(tensor.dtype);
    if (!stored)
      throw new UserError(
        `${file}: tensor ${name} is ${tensor.dtype}; Finetab reads ${[...STORED.keys()].join(', ')}. Use the original checkpoint, not a quantised one.`,
      );
    const kind = storedKind(tensor, stored, quantise, source, quantization);
    infos.set(name, { name, shape, kind, ...(byRows && { byRows }) });
  }
  return infos;
}

/** How a tensor is stored; `plain` is the kind that keeps its values. */
function storedKind(
  tensor: SourceTensor,
  plain: TensorKind,
  quantise: boolean,
  source: SourceCheckpoint,
  quantization: Quantization,
): TensorKind {
  if (quantization === 'gguf') return keptBlocks(tensor) ?? plain;
  if (quantization !== 'nf4' || source.prequantized) return plain;
  if (quantise) return 'nf4';
  // A table of GGUF blocks would take twice the memory in float32 that the original takes: rounded to
  // float16, within 2^-11.
  const blocks = tensor.gguf && GGUF_FORMATS.get(tensor.gguf.ggmlType)!.elements > 1;
  return blocks && tensor.shape.length === 2 ? 'f16' : plain;
}

/** The type of a tensor's blocks, where they can be kept: those of matrices that are stored as they are. */
function keptBlocks({ gguf, shape }: SourceTensor): TensorKind | null {
  if (!gguf || gguf.plusOne || shape.length !== 2) return null;
  const { name, elements } = GGUF_FORMATS.get(gguf.ggmlType)!;
  // Heads that are no whole blocks cannot change their places.
  if (gguf.headOrder?.axis === 'columns' && gguf.headOrder.size % elements !== 0) return null;
  return GGUF_BLOCKS.has(name) ? (name as GgufBlockType) : null;
}

/** Stored bytes of tensors, for estimates before an import. */
export function storedBytes(infos: Iterable<TensorInfo>): number {
  let sum = 0;
  for (const info of infos) for (const bytes of Object.values(tensorPartBytes(info))) sum += bytes;
  return sum;
}
