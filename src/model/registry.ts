/** Which architectures there are; decides from config.json alone, before any weight is read. */
import { unreadQuantization } from '../formats/bitsandbytes.ts';
import { UserError } from '../lib/errors.ts';
import type { Architecture, Model } from './architecture.ts';
import type { CommonConfig, ModelConfigJson } from './config.ts';
import { gemma2 } from './gemma2.ts';
import { gemma3 } from './gemma3.ts';
import { llama } from './llama.ts';
import { mistral } from './mistral.ts';
import { phi3 } from './phi3.ts';
import { qwen2 } from './qwen2.ts';
import { qwen3 } from './qwen3.ts';
import { smollm3 } from './smollm3.ts';

/** An architecture whose config type stays its own affair. */
interface Entry {
  modelType: string;
  read(json: ModelConfigJson): Omit<Model, 'headWeight'>;
}

function entry<C extends CommonConfig>(architecture: Architecture<C>): Entry {
  return {
    modelType: architecture.modelType,
    read(json) {
      const config = architecture.parse(json);
      return { config, tensors: architecture.tensors(config), forward: (builder) => architecture.forward(builder, config) };
    },
  };
}

const architectures = [entry(llama), entry(mistral), entry(qwen2), entry(qwen3), entry(smollm3), entry(phi3), entry(gemma2), entry(gemma3)];

/** What to do about model types that are near ones which are supported. */
const ADVICE: Readonly<Record<string, string>> = {
  gemma3: 'It is the multimodal Gemma 3; choose a text-only checkpoint, whose model_type is "gemma3_text" (270m and 1b are).',
  mllama: 'It is the multimodal Llama 3.2; choose a text-only checkpoint, whose model_type is "llama" (1B and 3B are).',
};

/** Keys that only a mixture of experts has. */
const EXPERT_KEYS = ['num_local_experts', 'num_experts', 'n_routed_experts', 'num_experts_per_tok', 'moe_intermediate_size'];

/** @throws UserError naming what is not supported */
export function modelOf(json: ModelConfigJson): Model {
  const type = json.model_type;
  if (typeof type !== 'string') throw new UserError('config.json has no "model_type". Drop the folder of a model from the Hugging Face hub, config.json included.');
  const unread = json.quantization_config ? unreadQuantization(json.quantization_config as Record<string, unknown>) : null;
  if (unread) {
    throw new UserError(
      `config.json: this checkpoint is quantised already (${unread}). Use the original 16-bit checkpoint, which Finetab quantises itself, or one in bitsandbytes' 4-bit NF4.`,
    );
  }
  const experts = EXPERT_KEYS.find((key) => typeof json[key] === 'number');
  if (experts) throw new UserError(`config.json (model_type ${type}): "${experts}" says that this is a mixture of experts, which is not supported. Choose a dense model.`);
  const found = architectures.find((architecture) => architecture.modelType === type);
  if (!found) {
    const supported = architectures.map((architecture) => architecture.modelType).join(', ');
    throw new UserError(`config.json: model_type ${JSON.stringify(type)} is not supported. ${ADVICE[type] ?? `Choose a model of one of these types: ${supported}.`}`);
  }
  const model = found.read(json);
  return { ...model, headWeight: model.config.tie_word_embeddings ? 'model.embed_tokens.weight' : 'lm_head.weight' };
}

/** How a model type's checkpoint says it, for the page. */
export function supportedModelTypes(): string[] {
  return architectures.map((architecture) => architecture.modelType);
}
