/**
 * The engine of browsers without WebGPU, on TensorFlow.js: a module of its own, which the player loads only
 * where it is needed.
 */
export { TensorFlowEngine } from '../engine/tensorflow/tensorflowEngine.ts';
