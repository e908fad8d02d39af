/** An adapter in the layout of mlx-lm: `mlx_lm.generate --model BASE --adapter-path FOLDER`. */
import type { PeftSettings } from '../formats/peft.ts';
import { writeSafetensors, type TensorToWrite } from '../formats/safetensors.ts';
import type { Float32Tensor } from '../formats/tensors.ts';
import { UserError } from '../lib/errors.ts';
import { loraScale } from '../formats/loraScale.ts';
import { wholeFile, type ExportFile } from './exportFile.ts';

/**
 * mlx-lm computes y = W x + scale · (x A) B with A [in, r] and B [r, out] (mlx_lm/tuner/lora.py), so both
 * matrices are transposed and PEFT's scale is written as it is. Its loader replaces the modules that `keys`
 * names in the last `num_layers` layers (mlx_lm/tuner/utils.py).
 * @param layers of the base model
 * @throws UserError for adapters that change modules outside the layers
 */
export function mlxAdapterFiles(
  tensors: ReadonlyMap<string, Float32Tensor>,
  settings: PeftSettings,
  layers: number,
): ExportFile[] {
  const { r, lora_dropout, use_dora } = settings;
  const keys = new Set<string>();
  const written = new Map<string, TensorToWrite>();
  for (const [name, tensor] of tensors) {
    const [, module, part] =
      /^base_model\.model\.(.+)\.lora_(A\.weight|B\.weight|magnitude_vector(?:\.weight)?)$/.exec(name) ?? [];
    const [, key] = /^model\.layers\.\d+\.(.+)$/.exec(module ?? '') ?? [];
    if (key === undefined)
      throw new UserError(
        `${name} is outside the decoder's layers, where mlx-lm places no adapter. Export the merged model instead.`,
      );
    keys.add(key);
    if (part.startsWith('magnitude')) {
      written.set(`${module}.m`, { dtype: 'F32', shape: tensor.shape, data: tensor.data });
      continue;
    }
    const matrix = part.startsWith('A') ? 'lora_a' : 'lora_b';
    written.set(`${module}.${matrix}`, { dtype: 'F32', ...transposed(tensor) });
  }
  const config = {
    fine_tune_type: use_dora ? 'dora' : 'lora',
    model: settings.base_model_name_or_path,
    num_layers: layers,
    lora_parameters: {
      rank: r,
      scale: loraScale(settings),
      dropout: lora_dropout,
      keys: [...keys].sort(),
    },
  };
  return [
    wholeFile('adapter_config.json', `${JSON.stringify(config, null, 4)}\n`),
    wholeFile('adapters.safetensors', writeSafetensors(written, { format: 'mlx' })),
  ];
}

/** [rows, columns] → [columns, rows]. */
function transposed({ shape: [rows, columns], data }: Float32Tensor): Float32Tensor {
  const out = new Float32Array(data.length);
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) out[j * rows + i] = data[i * columns + j];
  return { shape: [columns, rows], data: out };
}
