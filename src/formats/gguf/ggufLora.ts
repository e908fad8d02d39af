/** A GGUF LoRA adapter, as llama.cpp's convert_lora_to_gguf.py or Finetab writes it, under PEFT's names. */
import { UserError } from '../../lib/errors.ts';
import { decodeBlocks } from '../../quant/ggufBlocks.ts';
import { withOneRank, type ModuleScaling } from '../oneRank.ts';
import type { ReadAdapter } from '../peft.ts';
import type { Float32Tensor } from '../tensors.ts';
import { readGguf } from './gguf.ts';
import { GGUF_FAMILIES, hubName } from './ggufFamilies.ts';
import { GgufMetadata } from './ggufMetadata.ts';
import { unpermuteRows } from './rowOrder.ts';

/** Heads of the model that the adapter belongs to: rows of q and k were reordered by them. */
export interface LoraHeads {
  num_attention_heads: number;
  num_key_value_heads: number;
}

/**
 * @param name for messages @throws UserError where the file is no LoRA adapter, or holds more than LoRA
 * matrices
 */
export async function readGgufLora(file: Blob, name: string, heads: LoraHeads): Promise<ReadAdapter> {
  const { metadata, tensors: index } = await readGguf(file, name);
  const m = new GgufMetadata(metadata, name);
  if (m.text('general.type', 'model') !== 'adapter' || m.text('adapter.type', '') !== 'lora')
    m.fail('this GGUF is no LoRA adapter (general.type "adapter", adapter.type "lora").');
  const family = GGUF_FAMILIES.get(m.architecture);
  if (!family)
    return m.fail(
      `the adapter is for the architecture "${m.architecture}", which Finetab does not read from GGUF.`,
    );
  const alpha = m.number('adapter.lora.alpha');
  const tensors = new Map<string, Float32Tensor>();
  for (const { name: written, shape, format, begin, end } of index) {
    const [, stem, matrix] = /^(.+\.weight)\.lora_([ab])$/.exec(written) ?? [];
    const hub = stem === undefined ? null : hubName(family, stem);
    if (!hub || hub === 'model.embed_tokens.weight' || matrix === undefined)
      return m.fail(`${written} is not a LoRA matrix of a linear layer, which is all that Finetab reads.`);
    const module = hub.replace(/\.weight$/, '');
    const data = decodeBlocks(format, new Uint8Array(await file.slice(begin, end).arrayBuffer()));
    if (!data.every(Number.isFinite)) m.fail(`${written} holds NaN or infinite values.`);
    const permuted = matrix === 'b' && family.permuted === true && /\.self_attn\.[qk]_proj$/.test(module);
    const count = module.endsWith('q_proj') ? heads.num_attention_heads : heads.num_key_value_heads;
    tensors.set(`base_model.model.${module}.lora_${matrix.toUpperCase()}.weight`, {
      shape,
      data: permuted ? unpermuted(data, shape, count) : data,
    });
  }
  const modules = [
    ...new Set(
      [...tensors.keys()].map((key) => key.replace(/^base_model\.model\.|\.lora_[AB]\.weight$/g, '')),
    ),
  ];
  const own = new Map(
    modules.map((module): [string, ModuleScaling] => [module, scalingOf(module, tensors, alpha)]),
  );
  if (own.size === 0) throw new UserError(`${name} holds no LoRA matrix.`);
  const settings = {
    r: 1,
    lora_alpha: alpha,
    lora_dropout: 0,
    use_rslora: false,
    use_dora: false,
    base_model_name_or_path: null,
  };
  return { ...withOneRank(tensors, settings, own), tensors, modules };

  function scalingOf(module: string, all: ReadonlyMap<string, Float32Tensor>, ofAll: number): ModuleScaling {
    const [a, b] = ['A', 'B'].map((matrix) => all.get(`base_model.model.${module}.lora_${matrix}.weight`));
    const r = a?.shape[0];
    if (r === undefined || b?.shape[1] !== r) m.fail(`${module} has no pair of LoRA matrices of one rank.`);
    // llama.cpp takes an alpha of zero for "no scale".
    return { r: r!, lora_alpha: ofAll === 0 ? r! : ofAll };
  }
}

/** Rows of whole heads put back, [out, r]. */
function unpermuted(data: Float32Array, [out, r]: readonly number[], heads: number): Float32Array {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return new Float32Array(unpermuteRows(bytes, r! * 4, out! / heads).buffer);
}
