/** Every op but attention (tiledAttention.test.ts) by the kernels for GPUs against the TensorFlow.js executor. */
import { isSoftwareAdapter } from '../../src/gpu/adapterInfo.ts';
import { describeAgreement, GPU_KERNELS } from '../helpers/agreement.ts';
import { testGpu } from '../helpers/gpu.ts';

const gpu = await testGpu();
// A software adapter takes seconds to compile one of these kernels. There, products have only the two kinds
// of weight whose readers differ; the other kinds are read by code that the kernels for CPU adapters share.
// Of LoRA it has one, two and four projections of ranks 4, 5, 16 and 128; three come between them.
const onCpu = gpu !== null && isSoftwareAdapter(gpu.adapterInfo);

describeAgreement(
  gpu !== null,
  GPU_KERNELS,
  (name) =>
    !/^attention /.test(name) &&
    (!onCpu || !/^(linear(Group)? (bf16|f16|nf4_f32)|lora 3 projections,) /.test(name)),
);
