/** Every op of the tiled kernels against the TensorFlow.js executor. */
import { describeAgreement, TILED } from '../helpers/agreement.ts';
import { testGpu } from '../helpers/gpu.ts';

describeAgreement((await testGpu()) !== null, TILED);
