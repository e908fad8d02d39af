/** The part of TensorFlow.js that op definitions use, as types only: the module itself is handed in by its owner, the TensorFlow.js executor. */
export type TensorFlow = typeof import('@tensorflow/tfjs-core');
export type TensorFlowTensor = import('@tensorflow/tfjs-core').Tensor;

/** What the host wrote into an input. */
export type HostData = Float32Array | Uint32Array | Int32Array;
