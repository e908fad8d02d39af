/** A browser's first answer to a request for an adapter may be null while its GPU process starts. */
import { expect, it } from 'vitest';
import { openGpu } from '../../src/gpu/gpuContext.ts';

/** A GPU whose answers to requestAdapter are these in turn; its adapters have no device. */
function gpuOf(answers: boolean[]): GPU {
  const adapter = {
    features: new Set(),
    limits: {},
    info: {},
    requestDevice: () => Promise.reject(new Error('the adapter was asked for its device')),
  };
  return { requestAdapter: () => Promise.resolve(answers.shift() ? adapter : null) } as unknown as GPU;
}

it('asks again where the first answer is that there is no adapter', async () => {
  await expect(openGpu(gpuOf([false, true]))).rejects.toThrow('the adapter was asked for its device');
});

it('says that there is none after two such answers', async () => {
  expect(await openGpu(gpuOf([false, false, true]))).toBeNull();
});
