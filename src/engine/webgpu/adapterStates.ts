/** The adapter, its gradients and AdamW's moments on the device, as tensors under PEFT's names. */
import type { GpuContext } from '../../gpu/gpuContext.ts';
import type { AdapterLayout } from '../../model/adapterLayout.ts';
import { adapterTensors, fillAdapter } from '../adapterTensors.ts';
import type { AdapterTensors } from '../engine.ts';
import type { AdapterState, DeviceBuffers } from './deviceBuffers.ts';

export class AdapterStates {
  constructor(
    private readonly context: GpuContext,
    private readonly layout: AdapterLayout,
    private readonly deviceBuffers: DeviceBuffers,
  ) {}

  async read(state: AdapterState): Promise<AdapterTensors> {
    const { layout, deviceBuffers } = this;
    const flat = new Float32Array(layout.elements);
    for (const [i, { first, elements }] of layout.pieces.entries())
      flat.set(new Float32Array(await deviceBuffers.read(this.buffers(state)[i], elements * 4)), first);
    return adapterTensors(layout, flat);
  }

  /** @throws UserError where a tensor is missing, unknown or of another shape */
  write(state: AdapterState, tensors: AdapterTensors): void {
    this.writeFlat(state, fillAdapter(this.layout, tensors));
  }

  /** @param flat [layout.elements] float32 */
  writeFlat(state: AdapterState, flat: Float32Array): void {
    for (const [i, { first, elements }] of this.layout.pieces.entries())
      this.context.device.queue.writeBuffer(
        this.buffers(state)[i],
        0,
        flat as Float32Array<ArrayBuffer>,
        first,
        elements,
      );
  }

  private buffers(state: AdapterState): readonly GPUBuffer[] {
    return this.deviceBuffers.state(state, this.layout.elements);
  }
}
