/**
 * Forward passes on the GPU: a batch's inputs are written, the plan is replayed, and its outputs are read.
 */
import type { MicroBatch } from '../../data/types.ts';
import type { WeightSource } from '../../formats/tensors.ts';
import type { Plan } from '../../plan/plan.ts';
import { checkBatchIds } from '../checkIds.ts';
import { hostRows, tableInputs } from '../hostRows.ts';
import type { DeviceBuffers } from './deviceBuffers.ts';
import type { GpuReplay } from './planReplay.ts';

const BATCH_INPUTS = [
  'inputIds',
  'positions',
  'documentStart',
  'documentEnd',
  'documentIndex',
  'targets',
] as const;

export class ForwardPass {
  /** @param tokensPerMicroBatch T of all plans @param vocabularySize ids from here on are refused */
  constructor(
    private readonly deviceBuffers: DeviceBuffers,
    private readonly replay: GpuReplay,
    private readonly tokensPerMicroBatch: number,
    private readonly vocabularySize: number,
    private readonly weights: WeightSource,
  ) {}

  /**
   * @param outputs the bytes to read of each output
   * @returns the outputs by name, as float32
   */
  async run<Name extends string>(
    plan: Plan,
    batch: MicroBatch,
    adapterScale: number,
    outputs: Record<Name, number>,
  ): Promise<Record<Name, Float32Array>> {
    const { deviceBuffers } = this;
    await this.writeBatch(plan, batch);
    deviceBuffers.write(plan, 'adapterScale', new Float32Array(batch.tokens).fill(adapterScale));
    await this.replay.run(plan);
    const read = {} as Record<Name, Float32Array>;
    for (const [name, bytes] of Object.entries(outputs) as [Name, number][])
      read[name] = new Float32Array(await deviceBuffers.read(deviceBuffers.output(plan, name), bytes));
    return read;
  }

  /** Writes those inputs of a batch that the plan has, and the rows of stored tables. */
  async writeBatch(plan: Plan, batch: MicroBatch): Promise<void> {
    if (batch.tokens !== this.tokensPerMicroBatch)
      throw new Error(`a batch of ${batch.tokens} tokens for a plan of ${this.tokensPerMicroBatch}`);
    checkBatchIds(batch, this.vocabularySize);
    const rows = await hostRows(this.weights, tableInputs(plan.external), batch.inputIds);
    for (const name of BATCH_INPUTS) this.deviceBuffers.write(plan, name, batch[name]);
    for (const [name, data] of Object.entries(rows)) this.deviceBuffers.write(plan, name, data);
  }
}
