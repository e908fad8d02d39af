/**
 * The part of TensorFlow.js that op definitions use, as types only: the module itself is handed in by its
 * owner, the TensorFlow.js executor.
 */
import type * as tfjs from '@tensorflow/tfjs-core';

export type TensorFlow = typeof tfjs;
export type TensorFlowTensor = tfjs.Tensor;

/** What the host wrote into an input. */
export type HostData = Float32Array | Uint32Array | Int32Array;
