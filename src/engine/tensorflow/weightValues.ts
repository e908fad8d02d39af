/** Reads whole weights as float32 on the CPU, for the fallback and for checks of small models. */
import { toFloat32, type SafetensorsDtype } from '../../formats/safetensors.ts';
import { isNf4, tensorPartBytes, type WeightSource } from '../../formats/tensors.ts';
import { dequantize } from '../../quant/nf4.ts';

/** @returns [elements] float32, dequantised where the tensor is NF4 */
export async function weightValues(source: WeightSource, name: string): Promise<Float32Array> {
  const info = source.tensors.get(name);
  if (!info) throw new Error(`The stored model has no tensor ${name}. Import it again.`);
  const parts = Object.fromEntries(
    Object.entries(tensorPartBytes(info)).map(([part, bytes]) => [part, new Uint8Array(bytes)]),
  );
  for await (const { part, byteOffset, bytes } of source.stream(name)) parts[part].set(bytes, byteOffset);
  if (!isNf4(info.kind)) return toFloat32(info.kind.toUpperCase() as SafetensorsDtype, parts.data);
  const elements = info.shape.reduce((a, b) => a * b, 1);
  if (info.kind === 'nf4_f32')
    return dequantize(parts.packed, new Float32Array(parts.absmax.buffer), elements);
  const nested = new Float32Array(parts.nested.buffer);
  return dequantize(
    parts.packed,
    { absmax_q: parts.absmax_q, nested_offset: nested[0], nested_absmax: nested.subarray(1) },
    elements,
  );
}
