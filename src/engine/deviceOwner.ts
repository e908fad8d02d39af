/** Owns the one GPU device: opens it when it is first needed, and opens another after it was lost. */
import type { GpuContext } from '../gpu/gpuContext.ts';
import { GpuGoneError } from '../lib/errors.ts';

/**
 * Waits before each attempt to open a device again: a driver that restarts or a laptop that wakes takes a
 * while, and Chromium withholds WebGPU for about two minutes where its GPU process ended twice.
 */
const REOPEN_AFTER_MS = [0, 1000, 4000, 15_000, 30_000, 60_000, 60_000];

export class DeviceOwner {
  private opened: Promise<GpuContext | null> | null = null;
  /** A device was there and went: nothing else takes its place in silence. */
  private wasLost = false;
  /** Whether it was a GPU: an adapter on the CPU, ten times slower, is not taken for it either. */
  private wasGpu = false;
  /** Is called before each wait for a device that was lost. */
  onWait: (seconds: number) => void = () => undefined;

  /** @param open gives null where there is no WebGPU */
  constructor(private readonly open: () => Promise<GpuContext | null>) {}

  /**
   * @returns null where there is no WebGPU
   * @throws GpuGoneError where the device was lost and none can be opened
   */
  async get(): Promise<GpuContext | null> {
    const before = await this.opened;
    if (before && before.lost === null) return before;
    this.wasLost ||= before !== null;
    for (const wait of this.wasLost ? REOPEN_AFTER_MS : [0]) {
      if (wait > 0) {
        this.onWait(wait / 1000);
        await new Promise((resolve) => setTimeout(resolve, wait));
      }
      this.opened = this.open();
      const device = await this.opened;
      if (device && !(this.wasGpu && device.settings.target === 'cpu')) {
        this.wasGpu ||= device.settings.target === 'gpu';
        return device;
      }
    }
    if (!this.wasLost) return null;
    this.opened = null;
    throw new GpuGoneError(
      'The GPU was lost and did not come back within three minutes. Restart the browser; nothing that was saved is lost, and a run goes on from its last checkpoint.',
    );
  }
}
