/** Replays a plan on the GPU. Pipelines and bind groups are made once; a replay only encodes them. */
import type { TensorPart } from '../formats/tensors.ts';
import type { BufferReference } from '../gpu/dispatch.ts';
import type { GpuContext } from '../gpu/gpuContext.ts';
import { valueBytes, type Value } from '../graph/value.ts';
import type { Plan } from './plan.ts';

export interface BufferRange {
  buffer: GPUBuffer;
  offset: number;
  size: number;
}

/** Where the values outside the arenas lie. The engine owns their buffers. */
export interface PlanBuffers {
  /** The `bytes` from `offset` of a value outside the arenas. */
  value(value: Value, offset: number, bytes: number): BufferRange;
  weight(value: Value, part: TensorPart, slice: number): BufferRange;
  /** A part of contiguous weights, from the start of the first to the end of the last. */
  weights(values: readonly Value[], part: TensorPart): BufferRange;
  quantizationTables(): BufferRange;
}

interface Command {
  pipeline: GPUComputePipeline;
  group: GPUBindGroup;
  x: number;
  y: number;
  z: number;
}

export class PlanExecutor {
  private constructor(
    readonly plan: Plan,
    private readonly commands: readonly Command[],
  ) {}

  /**
   * @param arenas at least as many and as large as plan.arenaBytes; shared by plans that never run at the
   * same time
   * @param onPipeline called when a distinct shader is compiled
   */
  static async create(
    context: GpuContext,
    plan: Plan,
    arenas: readonly GPUBuffer[],
    deviceBuffers: PlanBuffers,
    onPipeline?: (done: number, total: number) => void,
  ): Promise<PlanExecutor> {
    const values = new Map(plan.graph.values.map((value) => [value.id, value]));
    const total = new Set(plan.dispatches.map((dispatch) => dispatch.code)).size;
    const seen = new Map<string, Promise<unknown>>();
    let done = 0;
    for (const { code, shader } of plan.dispatches) {
      if (!seen.has(code))
        seen.set(
          code,
          context.pipeline(code, shader).then(() => onPipeline?.(++done, total)),
        );
    }
    await Promise.all(seen.values());

    const range = (reference: BufferReference, node: number): BufferRange => {
      switch (reference.type) {
        case 'quantizationTables':
          return deviceBuffers.quantizationTables();
        case 'weight':
          return deviceBuffers.weight(values.get(reference.id)!, reference.part, reference.slice);
        case 'weights':
          return deviceBuffers.weights(
            reference.ids.map((id) => values.get(id)!),
            reference.part,
          );
        case 'scratch': {
          const { arena, offsetBytes } = plan.placementOfScratch(node, reference.index);
          const { offsetBytes: from = 0, sizeBytes: size = reference.bytes } = reference;
          return { buffer: arenas[arena], offset: offsetBytes + from, size };
        }
        case 'value': {
          const value = values.get(reference.id)!;
          const { offsetBytes: from = 0, sizeBytes: size = valueBytes(value) } = reference;
          if (value.role !== 'activation') return deviceBuffers.value(value, from, size);
          const { arena, offsetBytes } = plan.placementOf(value);
          return { buffer: arenas[arena], offset: offsetBytes + from, size };
        }
      }
    };

    const commands: Command[] = [];
    for (const dispatch of plan.dispatches) {
      const { pipeline, layout } = await context.pipeline(dispatch.code, dispatch.shader);
      const group = context.device.createBindGroup({
        label: dispatch.shader,
        layout,
        entries: dispatch.resolved.map(({ binding, reference }) => ({
          binding,
          resource: range(reference, dispatch.node),
        })),
      });
      const [x, y, z] = dispatch.workgroups;
      commands.push({ pipeline, group, x, y, z });
    }
    return new PlanExecutor(plan, commands);
  }

  get length(): number {
    return this.commands.length;
  }

  /** Encodes dispatches [from, to) of one replay into a pass. */
  encode(pass: GPUComputePassEncoder, from = 0, to = this.commands.length): void {
    let current: GPUComputePipeline | null = null;
    for (let i = from; i < to; i++) {
      const command = this.commands[i];
      if (command.pipeline !== current) pass.setPipeline((current = command.pipeline));
      pass.setBindGroup(0, command.group);
      pass.dispatchWorkgroups(command.x, command.y, command.z);
    }
  }
}
