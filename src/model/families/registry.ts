/** The architectures by model type. A config is accepted or refused here, before any weight is read. */
import { unreadQuantization } from '../../formats/bitsandbytes.ts';
import { UserError } from '../../lib/errors.ts';
import type { Architecture, Model } from '../architecture.ts';
import type { CommonConfig, ModelConfigJson } from '../config.ts';
import { ernie4_5 } from './ernie4_5.ts';
import { exaone4 } from './exaone4.ts';
import { gemma2 } from './gemma/gemma2.ts';
import { gemma3 } from './gemma/gemma3.ts';
import { gemma4 } from './gemma/gemma4.ts';
import { granite } from './granite.ts';
import { hunyuan } from './hunyuan.ts';
import { lfm2, lfm3 } from './lfm.ts';
import { llama } from './llama.ts';
import { ministral3 } from './ministral3.ts';
import { mistral } from './mistral.ts';
import { nanochat } from './nanochat.ts';
import { olmo2, olmo3 } from './olmo.ts';
import { phi3 } from './phi3.ts';
import { qwen2 } from './qwen2.ts';
import { qwen3 } from './qwen3.ts';
import { qwen3_5 } from './qwen3_5.ts';
import { smollm3 } from './smollm3.ts';

/** An architecture without its config type, so that all fit in one list. */
interface Entry {
  modelType: string;
  read(json: ModelConfigJson): Omit<Model, 'headWeight'>;
}

function entry<C extends CommonConfig>(architecture: Architecture<C>): Entry {
  return {
    modelType: architecture.modelType,
    read(json) {
      const config = architecture.parse(json);
      return {
        config,
        tensors: architecture.tensors(config),
        forward: (builder) => architecture.forward(builder, config),
      };
    },
  };
}

const architectures = [
  entry(llama),
  entry(mistral),
  entry(qwen2),
  entry(qwen3),
  entry(qwen3_5),
  entry(smollm3),
  entry(phi3),
  entry(gemma2),
  entry(gemma3),
  entry(gemma4),
  entry(granite),
  entry(olmo2),
  entry(olmo3),
  entry(exaone4),
  entry(ernie4_5),
  entry(hunyuan),
  entry(ministral3),
  entry(nanochat),
  entry(lfm2),
  entry(lfm3),
];

/**
 * Multimodal model types whose text part is one of the architectures, unchanged where there is no image: by
 * what its modules' names begin with in the class that transformers loads (PEFT names adapters by them).
 */
const TEXT_PARTS: Readonly<Record<string, string>> = {
  gemma3: 'model.language_model.',
  gemma4: 'model.language_model.',
  mistral3: 'model.language_model.',
  llava: 'model.language_model.',
  llava_next: 'model.language_model.',
  qwen3_5: 'model.language_model.',
  lfm2_vl: 'model.language_model.',
};

/** Text-only relatives of multimodal model types that are not read. */
const TEXT_ONLY: Readonly<Record<string, string>> = {
  mllama: ', whose model_type is "llama" (1B and 3B are)',
};

/** Keys that only a mixture of experts has. */
const EXPERT_KEYS = [
  'num_local_experts',
  'num_experts',
  'n_routed_experts',
  'num_experts_per_tok',
  'moe_intermediate_size',
];

/** @throws UserError naming what is not supported */
export function modelOf(json: ModelConfigJson): Model {
  const type = json.model_type;
  if (typeof type !== 'string')
    throw new UserError(
      'config.json has no "model_type". Drop the folder of a model from the Hugging Face hub, config.json included.',
    );
  const unread = json.quantization_config
    ? unreadQuantization(json.quantization_config as Record<string, unknown>)
    : null;
  if (unread) {
    throw new UserError(
      `config.json: this checkpoint is quantised already (${unread}). Use the original 16-bit checkpoint, which Finetab quantises itself, or one in bitsandbytes' 4-bit NF4.`,
    );
  }
  const experts = EXPERT_KEYS.find((key) => Number(json[key]) > 0);
  if (experts)
    throw new UserError(
      `config.json (model_type ${type}): "${experts}" says that this is a mixture of experts, which is not supported. Choose a dense model.`,
    );
  const prefix = TEXT_PARTS[type];
  const text = json.text_config;
  if (prefix !== undefined && typeof text === 'object' && text !== null)
    return textPart(json, text as ModelConfigJson, prefix);
  const found = architectures.find((architecture) => architecture.modelType === type);
  if (!found) {
    const multimodal = 'vision_config' in json || 'text_config' in json;
    const advice = multimodal
      ? `It is a multimodal model: choose a text-only checkpoint${TEXT_ONLY[type] ?? ''}`
      : 'Choose a model of a supported type';
    throw new UserError(
      `config.json: model_type ${JSON.stringify(type)} is not supported. ${advice}. ` +
        `Supported: ${supportedModelTypes().join(', ')}.`,
    );
  }
  const model = found.read(json);
  return {
    ...model,
    headWeight: model.config.tie_word_embeddings ? 'model.embed_tokens.weight' : 'lm_head.weight',
  };
}

/** The text part of a multimodal model, under the names that the whole model gives its modules. */
function textPart(json: ModelConfigJson, text: ModelConfigJson, prefix: string): Model {
  const { quantization_config } = json;
  const model = modelOf({ quantization_config, ...text, tie_word_embeddings: isTied(json, text) });
  const rename = (name: string) => name.replace(/^model\./, prefix);
  return {
    ...model,
    tensors: model.tensors.map((tensor) => ({
      ...tensor,
      name: rename(tensor.name),
      storedAs: tensor.storedAs && rename(tensor.storedAs),
    })),
    forward(builder) {
      builder.rename = rename;
      return model.forward(builder);
    },
  };
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

/** Keys by which transformers drops values of the base while training, where they are above 0. */
export function dropoutKeys(json: ModelConfigJson): string[] {
  const text = (json.text_config ?? json) as ModelConfigJson;
  return ['attention_dropout', 'resid_pdrop', 'embd_pdrop'].filter((key) => Number(text[key]) > 0);
}

/** Supported values of `model_type`, for messages. */
export function supportedModelTypes(): string[] {
  return architectures.map((architecture) => architecture.modelType);
}
