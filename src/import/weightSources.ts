/** A checkpoint's files as a source of weights that was never stored: for Node commands and conversions. */
import type { SourceCheckpoint } from '../formats/checkpoint.ts';
import { TableRows } from '../formats/tableRows.ts';
import type { TensorChunk, WeightSource } from '../formats/tensors.ts';
import type { TensorRequirement } from '../model/config.ts';
import { planTensors, type Quantization } from './planTensors.ts';
import { withModelNames } from './tensorNames.ts';
import { storedChunks } from './weightStream.ts';

/**
 * A checkpoint as a weight source that stays in memory once it was read, for Node commands and small models.
 */
export function memoryWeightSource(
  checkpoint: SourceCheckpoint,
  requirements: readonly TensorRequirement[],
  quantization: Quantization,
): WeightSource {
  const source = withModelNames(checkpoint, requirements);
  const tensors = planTensors(source, requirements, quantization);
  const chunks = new Map<string, Promise<TensorChunk[]>>();
  const read = async (name: string) => {
    const made: TensorChunk[] = [];
    for await (const chunk of storedChunks(source.tensors.get(name)!, tensors.get(name)!)) made.push(chunk);
    return made;
  };
  const chunksOf = (name: string) => {
    if (!chunks.has(name)) chunks.set(name, read(name));
    return chunks.get(name)!;
  };
  return {
    config: source.config,
    tensors,
    async *stream(name) {
      yield* await chunksOf(name);
    },
    async readRows(name, rows) {
      const pieces = (await chunksOf(name)).map(({ byteOffset, bytes }) => ({
        byteOffset,
        byteLength: bytes.byteLength,
        read: () => Promise.resolve(bytes),
      }));
      return new TableRows(tensors.get(name)!, pieces).read(rows);
    },
  };
}

/**
 * A checkpoint's weights, read from its files again each time: for conversions of large models.
 * @param quantization 'none': as they are stored in the files
 */
export function streamingWeightSource(
  checkpoint: SourceCheckpoint,
  requirements: readonly TensorRequirement[],
  quantization: Quantization = 'none',
): WeightSource {
  const source = withModelNames(checkpoint, requirements);
  const tensors = planTensors(source, requirements, quantization);
  return {
    config: source.config,
    tensors,
    stream: (name) => storedChunks(source.tensors.get(name)!, tensors.get(name)!),
  };
}
