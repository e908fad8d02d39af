/** Dispatches and scratch buffers as the kernels of the gated delta rule share them. */
import { flatGrid, type BufferReference, type Dispatch, type KernelSettings } from '../../gpu/dispatch.ts';

/** @param elements float32 */
export function scratch(index: number, elements: number): BufferReference {
  return { type: 'scratch', index, bytes: elements * 4 };
}

/** Makes dispatches of one invocation an element, 64 a workgroup. @param constants of all of them */
export function flatKernels(constants: Dispatch['constants'], settings: KernelSettings) {
  return (
    shader: string,
    invocations: number,
    bindings: Dispatch['bindings'],
    more: Dispatch['constants'] = {},
  ): Dispatch => ({
    shader,
    constants: { ...constants, ...more },
    bindings,
    workgroups: flatGrid(invocations, 64, settings),
  });
}
