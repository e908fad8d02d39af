/**
 * Reads bytes and timestamps from the GPU through staging buffers of their own: for measurements, not for a
 * step's results.
 */
import { promptly } from './promptly.ts';

/** The bytes that `write`'s commands leave in a buffer. @param usage of that buffer, beside COPY_SRC */
export async function readBack(
  device: GPUDevice,
  bytes: number,
  usage: GPUBufferUsageFlags,
  write: (encoder: GPUCommandEncoder, buffer: GPUBuffer) => void,
): Promise<ArrayBuffer> {
  const buffer = device.createBuffer({ size: bytes, usage: usage | GPUBufferUsage.COPY_SRC });
  const staging = device.createBuffer({
    size: bytes,
    usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
  });
  const encoder = device.createCommandEncoder();
  write(encoder, buffer);
  encoder.copyBufferToBuffer(buffer, 0, staging, 0, bytes);
  device.queue.submit([encoder.finish()]);
  await promptly(device, staging.mapAsync(GPUMapMode.READ));
  const copy = staging.getMappedRange().slice(0);
  buffer.destroy();
  staging.destroy();
  return copy;
}

/** The first `count` timestamps of a query set, in nanoseconds, once all submitted commands have run. */
export async function readTimestamps(
  device: GPUDevice,
  querySet: GPUQuerySet,
  count: number,
): Promise<BigUint64Array> {
  return new BigUint64Array(
    await readBack(device, 8 * count, GPUBufferUsage.QUERY_RESOLVE, (encoder, buffer) =>
      encoder.resolveQuerySet(querySet, 0, count, buffer, 0),
    ),
  );
}
