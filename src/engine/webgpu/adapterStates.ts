/** The adapter, its gradients and AdamW's moments on the device, as tensors under PEFT's names. */
import type { GpuContext } from '../../gpu/gpuContext.ts';
import { magnitudeName, normName, type AdapterLayout } from '../../model/adapterLayout.ts';
import { adapterTensors, fillAdapter } from '../adapterTensors.ts';
import type { AdapterTensors } from '../engine.ts';
import type { AdapterState, DeviceBuffers } from './deviceBuffers.ts';

export class AdapterStates {
  constructor(
    private readonly context: GpuContext,
    private readonly layout: AdapterLayout,
    private readonly deviceBuffers: DeviceBuffers,
    private readonly adapterChanged: () => void,
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
    if (state === 'adapter') this.adapterChanged();
    for (const [i, { first, elements }] of this.layout.pieces.entries())
      this.context.device.queue.writeBuffer(
        this.buffers(state)[i],
        0,
        flat as Float32Array<ArrayBuffer>,
        first,
        elements,
      );
  }

  /** DoRA's first magnitudes: the norms, as they are now, of each module's rows. */
  normsToMagnitudes(): void {
    const { context, layout, deviceBuffers } = this;
    if (!layout.magnitudes) return;
    const encoder = context.device.createCommandEncoder();
    for (const { modules, outFeatures } of layout.groups)
      modules.forEach((module, g) => {
        const [norms] = deviceBuffers.state(normName(module), outFeatures[g]);
        const { offset } = layout.find(magnitudeName(module));
        const piece = layout.pieces.findLastIndex(({ first }) => first <= offset);
        const at = (offset - layout.pieces[piece].first) * 4;
        encoder.copyBufferToBuffer(norms, 0, this.buffers('adapter')[piece], at, outFeatures[g] * 4);
      });
    context.device.queue.submit([encoder.finish()]);
  }

  private buffers(state: AdapterState): readonly GPUBuffer[] {
    return this.deviceBuffers.state(state, this.layout.elements);
  }
}
