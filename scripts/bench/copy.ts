/** Measures the memory bandwidth that kernels are compared with. */
import type { GpuContext } from '../../src/gpu/gpuContext.ts';
import { flatGrid } from '../../src/gpu/dispatch.ts';
import { median } from '../../src/engine/pipelinedSteps.ts';
import { type BenchOptions } from './measuring.ts';

const SHADER = `
@group(0) @binding(0) var<storage, read_write> target_values: array<vec4f>;
@group(0) @binding(1) var<storage, read> source_values: array<vec4f>;
@compute @workgroup_size(256)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = (group.y * groups.x + group.x) * 256u + local;
  if (i < arrayLength(&target_values)) {
    target_values[i] = source_values[i];
  }
}`;

/**
 * @returns bytes a second that a copy reads and writes: the queue's own copy or a kernel's, whichever is
 * faster
 */
export async function measureCopy(context: GpuContext, size: BenchOptions['size']): Promise<number> {
  const { device, settings } = context;
  const bytes = Math.min(size === 'tiny' ? 2 ** 24 : 2 ** 29, settings.maxBindingBytes);
  const [source, target] = [0, 1].map((i) => context.createBuffer('batch', `copy ${i}`, bytes));
  const { pipeline, layout } = await context.pipeline(SHADER, 'copy');
  const group = device.createBindGroup({
    layout,
    entries: [target, source].map((buffer, binding) => ({ binding, resource: { buffer } })),
  });
  const grid = flatGrid(bytes / 16, 256, settings);
  const byQueue = (encoder: GPUCommandEncoder, repeats: number) => {
    for (let i = 0; i < repeats; i++) encoder.copyBufferToBuffer(source, 0, target, 0, bytes);
  };
  const byKernel = (encoder: GPUCommandEncoder, repeats: number) => {
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, group);
    for (let i = 0; i < repeats; i++) pass.dispatchWorkgroups(...grid);
    pass.end();
  };
  const rate = async (encode: typeof byQueue) => {
    const copy = async (repeats: number) => {
      const started = performance.now();
      const encoder = device.createCommandEncoder();
      encode(encoder, repeats);
      device.queue.submit([encoder.finish()]);
      await device.queue.onSubmittedWorkDone();
      return performance.now() - started;
    };
    await copy(2);
    // The difference of a long and a short one leaves out what a submission costs.
    const [short, long] = size === 'tiny' ? [2, 22] : [10, 110];
    const each: number[] = [];
    for (let run = 0; run < 5; run++) {
      const few = await copy(short);
      each.push(((await copy(long)) - few) / (long - short));
    }
    return (2 * bytes * 1000) / median(each);
  };
  const rates = [await rate(byQueue), await rate(byKernel)];
  for (const buffer of [source, target]) context.destroyBuffer(buffer);
  context.check();
  return Math.max(...rates);
}
