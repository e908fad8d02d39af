/** Multimodal models whose text part is one of the architectures, unchanged where there is no image. */
import type { ModelConfigJson } from '../../config.ts';

export interface TextPart {
  /** As the text part's own config.json would be. */
  config: ModelConfigJson;
  /** What its modules' names begin with in the class that transformers loads: PEFT names adapters by them. */
  prefix: string;
}

const PREFIX = 'model.language_model.';

/** What the text part is where its config does not say, by the whole model's type. */
const TEXT_TYPES: Readonly<Record<string, string>> = {
  gemma3: 'gemma3_text',
  gemma4: 'gemma4_text',
  mistral3: 'mistral',
  llava: 'llama',
  llava_next: 'llama',
  qwen3_5: 'qwen3_5_text',
  lfm2_vl: 'lfm2',
};

const sizes = (vocabulary: number, hidden: number, intermediate: number, layers: number, heads: number) => ({
  vocab_size: vocabulary,
  hidden_size: hidden,
  intermediate_size: intermediate,
  num_hidden_layers: layers,
  num_attention_heads: heads,
});

/**
 * Sizes that the text part's configuration class in transformers has where text_config leaves them out, as
 * those of Gemma 3 and LLaVA do. Each tensor's shape is checked against them.
 */
const CLASS_SIZES: Readonly<Record<string, ModelConfigJson>> = {
  llama: sizes(32000, 4096, 11008, 32, 32),
  mistral: sizes(32000, 4096, 14336, 32, 32),
  ministral3: sizes(131072, 4096, 14336, 34, 32),
  qwen2: sizes(151936, 4096, 22016, 32, 32),
  qwen3: sizes(151936, 4096, 22016, 32, 32),
  qwen3_5_text: sizes(248320, 4096, 12288, 32, 16),
  phi3: sizes(32064, 3072, 8192, 32, 32),
  gemma3_text: sizes(262208, 2304, 9216, 26, 8),
  gemma4_text: sizes(262144, 2304, 9216, 30, 8),
  lfm2: sizes(65536, 2560, 12288, 32, 32),
};

/** @returns null where the model is not one of these */
export function textPartOf(json: ModelConfigJson): TextPart | null {
  const text = json.text_config as ModelConfigJson | null | undefined;
  const whole = TEXT_TYPES[json.model_type as string];
  if (whole === undefined || typeof text !== 'object' || text === null) return null;
  const type = (text.model_type ?? whole) as string;
  const { quantization_config } = json;
  const config = {
    quantization_config,
    ...CLASS_SIZES[type],
    ...text,
    model_type: type,
    tie_word_embeddings: isTied(json, text),
  };
  return { config, prefix: PREFIX };
}

/**
 * Whether a multimodal model's head is its embedding: the whole model's key decides (`tie_weights` in
 * modeling_utils.py), but LLaVA's counts the text part's as well. undefined: as the text part's class has it.
 */
function isTied(json: ModelConfigJson, text: ModelConfigJson): unknown {
  const [whole, part] = [json.tie_word_embeddings, text.tie_word_embeddings];
  if (json.model_type === 'llava') return part === true || (whole ?? part);
  return whole ?? part ?? (json.model_type === 'mistral3' ? true : undefined);
}
