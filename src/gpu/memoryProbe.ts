/** Allocates GPU memory and frees it again: the only means by which a page learns how much there is. */
import { promptly } from './promptly.ts';

/** Size of the buffers that a probe allocates. */
const PIECE_BYTES = 256 * 2 ** 20;

/**
 * Allocates and clears `bytes` in pieces, then frees them. Clearing makes drivers that allocate lazily commit
 * the memory. A driver that evicts other buffers to system memory grants more than the GPU has: a refusal is
 * certain, a grant is only likely. @returns bytes that were granted
 */
export async function probeMemory(device: GPUDevice, maxBufferBytes: number, bytes: number): Promise<number> {
  const pieces: GPUBuffer[] = [];
  let granted = 0;
  let lost = false;
  void device.lost.then(() => (lost = true));
  try {
    while (granted < bytes && !lost) {
      const size = Math.ceil(Math.min(bytes - granted, PIECE_BYTES, maxBufferBytes) / 4) * 4;
      device.pushErrorScope('out-of-memory');
      const piece = device.createBuffer({
        label: 'memory probe',
        size,
        usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST,
      });
      const encoder = device.createCommandEncoder();
      encoder.clearBuffer(piece);
      const commands = encoder.finish();
      if (await device.popErrorScope()) {
        piece.destroy();
        break;
      }
      pieces.push(piece);
      device.pushErrorScope('out-of-memory');
      device.queue.submit([commands]);
      await promptly(device, device.queue.onSubmittedWorkDone());
      if ((await device.popErrorScope()) || lost) break;
      granted += size;
    }
  } finally {
    for (const piece of pieces) piece.destroy();
  }
  return Math.min(granted, bytes);
}
