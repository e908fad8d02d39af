/** A LoRA adapter as a GGUF file for llama.cpp, Ollama and LM Studio (convert_lora_to_gguf.py). */
import { permuteRows } from '../../formats/gguf/rowOrder.ts';
import { ggufArchitecture, ggufModuleName, permutedHeads } from '../../formats/ggufNames.ts';
import { writeGguf, type GgufMetadata, type GgufValue } from '../../formats/ggufWriter.ts';
import type { PeftSettings } from '../../formats/peft.ts';
import type { Float32Tensor } from '../../formats/tensors.ts';
import { UserError } from '../../lib/errors.ts';

const PREFIX = 'base_model.model.';

/** Of the base model's config.json. */
export interface LoraBaseConfig {
  model_type: string;
  num_attention_heads: number;
  num_key_value_heads: number;
}

/**
 * llama.cpp adds (adapter.lora.alpha / r) B A x. The alpha written is PEFT's scale times r, so that α/√r of
 * a rank-stabilised adapter survives.
 * @param tensors float32 under PEFT's names, `lora_A` [r, in] and `lora_B` [out, r] of every module
 * @param base of config.json of the base model @param name what the file calls itself
 * @returns the file; the same adapter gives the same bytes
 * @throws UserError for DoRA, whose norm llama.cpp does not compute, and for models without a GGUF form
 */
export function loraGguf(
  tensors: ReadonlyMap<string, Float32Tensor>,
  settings: Pick<PeftSettings, 'r' | 'lora_alpha' | 'use_rslora' | 'use_dora'>,
  base: LoraBaseConfig,
  name: string,
): Uint8Array {
  if (settings.use_dora)
    throw new UserError(
      'This adapter is a DoRA adapter: llama.cpp does not apply its magnitude vectors, and would answer ' +
        'otherwise than here. Export the merged model as GGUF instead.',
    );
  const architecture = ggufArchitecture(base.model_type);
  const { r, lora_alpha, use_rslora } = settings;
  const alpha = use_rslora ? lora_alpha * Math.sqrt(r) : lora_alpha;
  const metadata: GgufMetadata = new Map<string, GgufValue>([
    ['general.architecture', { type: 'string', value: architecture.name }],
    ['general.type', { type: 'string', value: 'adapter' }],
    ['general.name', { type: 'string', value: name }],
    ['adapter.type', { type: 'string', value: 'lora' }],
    ['adapter.lora.alpha', { type: 'float32', value: alpha }],
  ]);
  const written = [...tensors].map(([peftName, tensor]) => {
    const [, module, matrix] = /^(.*)\.lora_([AB])\.weight$/.exec(peftName.slice(PREFIX.length)) ?? [];
    if (!peftName.startsWith(PREFIX) || module === undefined)
      throw new UserError(`${peftName} is not a LoRA matrix, which is all that a GGUF adapter holds.`);
    const [rows, width] = tensor.shape;
    const heads = matrix === 'B' ? permutedHeads(module, architecture, base) : null;
    const data = heads === null ? tensor.data : permuteRows(tensor.data, rows, width, heads);
    return {
      name: `${ggufModuleName(module, architecture)}.weight.lora_${matrix.toLowerCase()}`,
      shape: tensor.shape,
      type: 'F32' as const,
      data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
    };
  });
  return writeGguf(metadata, written);
}
