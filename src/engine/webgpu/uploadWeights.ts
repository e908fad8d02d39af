/** Uploads a model's frozen weights to the GPU, chunk by chunk. */
import {
  tensorPartBytes,
  type TensorInfo,
  type TensorPart,
  type WeightSource,
} from '../../formats/tensors.ts';
import type { GpuContext } from '../../gpu/gpuContext.ts';
import { promptly } from '../../gpu/promptly.ts';
import type { GroupPart, WeightGroup } from '../../ops/weights/weightGroups.ts';
import { weightSlices } from '../../ops/weights/weightSlices.ts';
import type { BufferRange } from '../../plan/planExecutor.ts';
import type { EngineProgress } from '../engine.ts';

/**
 * Ranges by tensor and part: several where a weight is split by rows, and ranges of one buffer where weights
 * are contiguous.
 */
export type WeightBuffers = Map<string, Partial<Record<TensorPart, BufferRange[]>>>;

/** Bytes given to the queue before waiting for it, so that the browser's staging memory stays small. */
const BYTES_IN_FLIGHT = 64 * 1024 * 1024;

/**
 * @param names the tensors that the plans read
 * @param groups those of them that must be contiguous in one buffer
 * @throws where a tensor is missing from the source or a chunk does not fit
 */
export async function uploadWeights(
  context: GpuContext,
  source: WeightSource,
  names: Iterable<string>,
  groups: readonly WeightGroup[],
  onProgress?: (event: EngineProgress) => void,
): Promise<WeightBuffers> {
  const wanted = [...names].map((name) => {
    const info = source.tensors.get(name);
    if (!info) throw new Error(`The stored model has no tensor ${name}. Import it again.`);
    return info;
  });
  const total = wanted.reduce(
    (sum, info) => sum + Object.values(tensorPartBytes(info)).reduce((a, b) => a + b, 0),
    0,
  );
  const buffers = allocateGroups(context, groups, source.tensors);
  let done = 0;
  let inFlight = 0;
  for (const info of wanted) {
    const made = buffers.get(info.name) ?? allocate(context, info);
    buffers.set(info.name, made);
    for await (const { part, byteOffset, bytes } of source.stream(info.name)) {
      write(context.device, made[part]!, byteOffset, bytes);
      done += bytes.byteLength;
      inFlight += bytes.byteLength;
      if (inFlight > BYTES_IN_FLIGHT) {
        await promptly(context.device, context.device.queue.onSubmittedWorkDone());
        inFlight = 0;
      }
      onProgress?.({ phase: 'weights', done, total, unit: 'bytes' });
    }
  }
  await promptly(context.device, context.device.queue.onSubmittedWorkDone());
  context.check();
  return buffers;
}

function allocateGroups(
  context: GpuContext,
  groups: readonly WeightGroup[],
  tensors: ReadonlyMap<string, TensorInfo>,
): WeightBuffers {
  const buffers: WeightBuffers = new Map();
  for (const { names, parts } of groups) {
    for (const name of names) buffers.set(name, {});
    for (const [part, { startBytes, bytes }] of Object.entries(parts) as [TensorPart, GroupPart][]) {
      const buffer = context.createBuffer('weights', `${names.join(' + ')} ${part}`, bytes);
      names.forEach((name, g) => {
        const size = Math.ceil(tensorPartBytes(tensors.get(name)!)[part]! / 4) * 4;
        buffers.get(name)![part] = [{ buffer, offset: startBytes[g], size }];
      });
    }
  }
  return buffers;
}

function allocate(context: GpuContext, info: TensorInfo): Partial<Record<TensorPart, BufferRange[]>> {
  const slices = weightSlices(info, context.settings.maxBindingBytes);
  return Object.fromEntries(
    Object.entries(tensorPartBytes(info)).map(([part, bytes]) => [
      part,
      slices.map(({ rows }, i) => {
        const size = slices.length === 1 ? bytes : (bytes / info.shape[0]) * rows;
        const buffer = context.createBuffer(
          'weights',
          `${info.name} ${part}${slices.length > 1 ? ` ${i + 1} of ${slices.length}` : ''}`,
          size,
        );
        return { buffer, offset: 0, size: buffer.size };
      }),
    ]),
  );
}

/** Writes bytes at `offset` of ranges that continue one another. */
function write(device: GPUDevice, ranges: readonly BufferRange[], offset: number, bytes: Uint8Array): void {
  let first = 0;
  for (const { buffer, offset: start, size } of ranges) {
    const from = Math.max(offset - first, 0);
    const count = Math.min(size - from, bytes.byteLength - (first + from - offset));
    if (from < size && count > 0)
      writePiece(
        device,
        buffer,
        start + from,
        bytes.subarray(first + from - offset, first + from - offset + count),
      );
    first += size;
  }
}

/** Writes bytes whose count may not be a multiple of 4, at the end of a part. */
function writePiece(device: GPUDevice, buffer: GPUBuffer, offset: number, bytes: Uint8Array): void {
  const whole = bytes.byteLength & ~3;
  if (whole > 0) device.queue.writeBuffer(buffer, offset, bytes as Uint8Array<ArrayBuffer>, 0, whole);
  if (whole === bytes.byteLength) return;
  const tail = new Uint8Array(4);
  tail.set(bytes.subarray(whole));
  device.queue.writeBuffer(buffer, offset + whole, tail);
}
