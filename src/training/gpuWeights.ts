/** Brings a model's frozen weights to the GPU, chunk by chunk. */
import { tensorPartBytes, type TensorPart, type WeightSource } from '../formats/tensors.ts';
import type { GpuContext } from '../gpu/context.ts';
import type { EngineProgress } from './engine.ts';

export type WeightBuffers = Map<string, Partial<Record<TensorPart, GPUBuffer>>>;

/** Bytes handed to the queue before waiting for it, so that staging memory stays small. */
const BYTES_IN_FLIGHT = 64 * 1024 * 1024;

/** @param names the tensors that the plans use @throws where a tensor is missing from the source or a chunk does not fit */
export async function uploadWeights(context: GpuContext, source: WeightSource, names: Iterable<string>, onProgress?: (event: EngineProgress) => void): Promise<WeightBuffers> {
  const wanted = [...names].map((name) => {
    const info = source.tensors.get(name);
    if (!info) throw new Error(`The stored model has no tensor ${name}. Import it again.`);
    return { info, parts: tensorPartBytes(info) };
  });
  const total = wanted.reduce((sum, { parts }) => sum + Object.values(parts).reduce((a, b) => a + b, 0), 0);
  const buffers: WeightBuffers = new Map();
  let done = 0;
  let inFlight = 0;
  for (const { info, parts } of wanted) {
    const made = Object.fromEntries(Object.entries(parts).map(([part, bytes]) => [part, context.createBuffer('weights', `${info.name} ${part}`, bytes)])) as Record<
      string,
      GPUBuffer
    >;
    buffers.set(info.name, made);
    for await (const { part, byteOffset, bytes } of source.stream(info.name)) {
      write(context.device, made[part], byteOffset, bytes);
      done += bytes.byteLength;
      inFlight += bytes.byteLength;
      if (inFlight > BYTES_IN_FLIGHT) {
        await context.device.queue.onSubmittedWorkDone();
        inFlight = 0;
      }
      onProgress?.({ phase: 'weights', done, total, unit: 'bytes' });
    }
  }
  await context.device.queue.onSubmittedWorkDone();
  context.check();
  return buffers;
}

/** Writes bytes whose count may be no multiple of 4 (the end of a part). */
function write(device: GPUDevice, buffer: GPUBuffer, offset: number, bytes: Uint8Array): void {
  const whole = bytes.byteLength & ~3;
  if (whole > 0) device.queue.writeBuffer(buffer, offset, bytes as Uint8Array<ArrayBuffer>, 0, whole);
  if (whole === bytes.byteLength) return;
  const tail = new Uint8Array(4);
  tail.set(bytes.subarray(whole));
  device.queue.writeBuffer(buffer, offset + whole, tail);
}
