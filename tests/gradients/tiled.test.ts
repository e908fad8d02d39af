/** Every op of the tiled kernels against the TensorFlow.js executor. */
import { isSoftwareAdapter } from '../../src/gpu/gpuContext.ts';
import { describeAgreement, GPU_KERNELS } from '../helpers/agreement.ts';
import { testGpu } from '../helpers/gpu.ts';

const gpu = await testGpu();
// A CPU adapter takes seconds to compile one of these kernels: there, products have the two kinds of weight
// whose readers differ; the others are read as float32 is, by the readers that the direct kernels share.
const onCpu = gpu !== null && isSoftwareAdapter(gpu.adapterInfo);

describeAgreement(
  gpu !== null,
  GPU_KERNELS,
  (name) => !onCpu || !/^linear(Group)? (bf16|f16|nf4_f32) /.test(name),
);
