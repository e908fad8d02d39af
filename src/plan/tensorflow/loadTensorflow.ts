/** Loads TensorFlow.js with the first backend that starts. No other file imports its packages. */
import type { TensorFlow } from '../../graph/tensorflowTypes.ts';
import { report } from '../../lib/errorLog.ts';

export type TensorFlowBackend = 'webgl' | 'cpu';

/** @param backends tried in order @returns the module, and the backend that answered */
export async function loadTensorFlow(
  backends: readonly TensorFlowBackend[] = ['webgl', 'cpu'],
): Promise<{ tf: TensorFlow; backend: TensorFlowBackend }> {
  const tf = await import('@tensorflow/tfjs-core');
  await import('@tensorflow/tfjs-core/dist/register_all_gradients.js');
  for (const backend of backends) {
    try {
      await (backend === 'webgl'
        ? import('@tensorflow/tfjs-backend-webgl')
        : import('@tensorflow/tfjs-backend-cpu'));
      if (await tf.setBackend(backend)) {
        await tf.ready();
        return { tf, backend };
      }
    } catch (error) {
      // The next backend is tried: a browser without WebGL throws while the backend starts.
      report(error, `starting the ${backend} backend of TensorFlow.js`, 'warning');
    }
  }
  throw new Error('TensorFlow.js found no backend in this browser. Use a current Chrome, Edge or Firefox.');
}

/**
 * Loads TensorFlow.js on a device that exists already.
 * @returns the module, and `flush`, which must submit its commands before the device's owner submits commands
 * of its own
 */
export async function loadTensorFlowOn(
  device: GPUDevice,
  adapterInfo: GPUAdapterInfo,
): Promise<{ tf: TensorFlow; flush: () => void }> {
  const tf = await import('@tensorflow/tfjs-core');
  await import('@tensorflow/tfjs-core/dist/register_all_gradients.js');
  const { WebGPUBackend } = await import('@tensorflow/tfjs-backend-webgpu');
  if (tf.findBackendFactory('webgpu')) tf.removeBackend('webgpu');
  const backend = new WebGPUBackend(device, adapterInfo);
  tf.registerBackend('webgpu', () => backend);
  await tf.setBackend('webgpu');
  await tf.ready();
  return {
    tf,
    flush() {
      // Its encoder is null while nothing is recorded, and submitQueue would fail; a pass may be open still,
      // which submitQueue does not end.
      const open = backend as unknown as {
        commandEncoder: GPUCommandEncoder | null;
        endComputePassEncoder(): void;
      };
      if (!open.commandEncoder) return;
      open.endComputePassEncoder();
      backend.submitQueue();
    },
  };
}
