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
import { textPartOf, type TextPart } from './multimodal/textParts.ts';

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
  const part = textPartOf(json);
  if (part) return textPart(part);
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
function textPart({ config, prefix }: TextPart): Model {
  const model = modelOf(config);
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

/** Keys by which transformers drops values of the base while training, where they are above 0. */
export function dropoutKeys(json: ModelConfigJson): string[] {
  const text = (json.text_config ?? json) as ModelConfigJson;
  return ['attention_dropout', 'resid_pdrop', 'embd_pdrop'].filter((key) => Number(text[key]) > 0);
}

/** Supported values of `model_type`, for messages. */
export function supportedModelTypes(): string[] {
  return architectures.map((architecture) => architecture.modelType);
}
