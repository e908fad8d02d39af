/**
 * FP8 checkpoints as transformers' `fp8` method saves them (finegrained_fp8.py): beside each `weight` lies
 * `weight_scale_inv`, one factor a tile of the weight, or one for all of it. A weight is its FP8 number times
 * its tile's factor.
 */
import { UserError } from '../lib/errors.ts';
import { fileName, type SourceTensor } from './sourceCheckpoint.ts';

const SCALE = '_scale_inv';
/** Scales of activations, which a product in float does not need. */
const ACTIVATION_SCALE = /\.activation_scale$/;

/**
 * Gives each FP8 weight its factors, whose tensors are removed from the list.
 * @param quantization config.json's `quantization_config`, whose `weight_block_size` gives a tile's rows and
 * columns
 * @throws UserError where factors do not fit
 */
export function combineFp8(
  tensors: ReadonlyMap<string, SourceTensor>,
  quantization: Readonly<Record<string, unknown>> | undefined,
): Map<string, SourceTensor> {
  const combined = new Map(tensors);
  const block = quantization?.weight_block_size;
  for (const [name, scales] of tensors) {
    if (!name.endsWith(SCALE)) {
      if (ACTIVATION_SCALE.test(name)) combined.delete(name);
      continue;
    }
    const weight = tensors.get(name.slice(0, -SCALE.length));
    if (!weight?.dtype.startsWith('F8_')) continue;
    const [out = 1, width = 1] = weight.shape;
    const [rows, columns]: [number, number] =
      scales.shape.every((size) => size === 1) || !Array.isArray(block)
        ? [out, width]
        : (block as [number, number]);
    const expected = Math.ceil(out / rows) * Math.ceil(width / columns);
    if (weight.shape.length !== 2 || scales.shape.reduce((a, b) => a * b, 1) !== expected)
      throw new UserError(
        `${fileName(scales.file.path)}: tensor ${name} is [${scales.shape}], but a weight [${weight.shape}] in tiles of [${[rows, columns]}] has ${expected} factors. Use the config.json that belongs to these weights.`,
      );
    combined.delete(name);
    combined.set(weight.name, { ...weight, fp8: { scales, rows, columns } });
  }
  return combined;
}
