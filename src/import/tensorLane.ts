import type { SourceTensor } from '../formats/checkpoint.ts';
import type { TensorInfo } from '../formats/tensors.ts';
import type { Database, StoredTensor } from '../storage/database.ts';
import { putTensor } from '../storage/models.ts';
import type { BlockQuantizer } from './gpuQuantizer.ts';
import { storedChunks } from './weightStream.ts';

/** Reads, quantises and stores one tensor. */
export type TensorLane = (
  modelId: string,
  tensor: SourceTensor,
  info: TensorInfo,
  onRead: (bytes: number) => void,
) => Promise<StoredTensor>;
/** A lane of this thread. @param quantize quantises whole blocks instead of this thread */
export function laneHere(database: Database, quantize?: BlockQuantizer): TensorLane {
  return (modelId, tensor, info, onRead) =>
    putTensor(database, modelId, info, storedChunks(tensor, info, onRead, quantize));
}
