/**
 * Attention by the kernels for GPUs against the TensorFlow.js executor. SwiftShader compiles larger heads,
 * whose code is unrolled further, in seconds, lavapipe in minutes.
 */
import { describeAgreement, GPU_KERNELS } from '../helpers/agreement.ts';
import { testGpu } from '../helpers/gpu.ts';

describeAgreement((await testGpu()) !== null, GPU_KERNELS, (name) => /^attention /.test(name));
