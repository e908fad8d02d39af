/** Converts between the one contiguous adapter buffer and tensors under PEFT's names. */
import { elements } from '../graph/value.ts';
import { UserError } from '../lib/errors.ts';
import type { AdapterLayout } from '../model/adapterLayout.ts';
import type { AdapterTensors } from './engine.ts';

/** @param flat [layout.elements] f32 */
export function adapterTensors(layout: AdapterLayout, flat: Float32Array): AdapterTensors {
  return new Map(
    layout.tensors.map(({ name, shape, offset }) => [
      name,
      { shape: [...shape], data: flat.slice(offset, offset + elements({ shape })) },
    ]),
  );
}

/**
 * @returns [layout.elements] float32
 * @throws UserError where a tensor is missing, unknown or of another shape
 */
export function fillAdapter(layout: AdapterLayout, tensors: AdapterTensors): Float32Array {
  const flat = new Float32Array(layout.elements);
  for (const { name, shape, offset } of layout.tensors) {
    const tensor = tensors.get(name);
    if (!tensor)
      throw new UserError(
        `The adapter has no ${name}. It was made for another model or other target_modules: use the recipe it was trained with.`,
      );
    if (tensor.shape.join() !== shape.join()) {
      throw new UserError(
        `The adapter's ${name} is [${tensor.shape}], this model with this recipe needs [${shape}]. Set lora.r as the adapter has it.`,
      );
    }
    flat.set(tensor.data, offset);
  }
  const known = new Set(layout.tensors.map(({ name }) => name));
  for (const name of tensors.keys())
    if (!known.has(name))
      throw new UserError(
        `The adapter has ${name}, which this recipe does not train. Set lora.target_modules as the adapter has them.`,
      );
  return flat;
}
