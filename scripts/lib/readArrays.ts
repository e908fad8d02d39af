import { openAsBlob } from 'node:fs';
import { basename } from 'node:path';
import type { Float32Tensor } from '../../src/formats/tensors.ts';
import { readSafetensorsHeader, toFloat32 } from '../../src/formats/safetensors.ts';

/** Floating-point arrays of a safetensors file as float32, those whose name `wanted` accepts. */
export async function readArrays(
  path: string,
  wanted: (name: string) => boolean = () => true,
): Promise<Map<string, Float32Tensor>> {
  const blob = await openAsBlob(path);
  const arrays = new Map<string, Float32Tensor>();
  for (const { name, dtype, shape, begin, end } of await readSafetensorsHeader(blob, basename(path))) {
    if (wanted(name))
      arrays.set(name, {
        shape,
        data: toFloat32(dtype, new Uint8Array(await blob.slice(begin, end).arrayBuffer())),
      });
  }
  return arrays;
}
