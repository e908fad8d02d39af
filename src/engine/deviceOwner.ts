/** Owns the one GPU device: opens it when it is first needed, and opens another after it was lost. */
import type { GpuContext } from '../gpu/gpuContext.ts';
import { UserError } from '../lib/errors.ts';

/**
 * Waits before each attempt to open a device again: a driver that restarts or a laptop that wakes takes a
 * while.
 */
const REOPEN_AFTER_MS = [0, 1000, 4000, 15_000];

export class DeviceOwner {
  private opened: Promise<GpuContext | null> | null = null;

  /** @param open gives null where there is no WebGPU */
  constructor(private readonly open: () => Promise<GpuContext | null>) {}

  /**
   * @returns null where there is no WebGPU
   * @throws UserError where the device was lost and none can be opened
   */
  async get(): Promise<GpuContext | null> {
    const before = await this.opened;
    if (before && before.lost === null) return before;
    for (const wait of before ? REOPEN_AFTER_MS : [0]) {
      await new Promise((resolve) => setTimeout(resolve, wait));
      this.opened = this.open();
      if (await this.opened) return this.opened;
    }
    if (!before) return null;
    this.opened = null;
    throw new UserError(
      'The GPU was lost and did not come back. Restart the browser; nothing that was saved is lost, and a run goes on from its last checkpoint.',
    );
  }
}
