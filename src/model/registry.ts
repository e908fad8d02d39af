/** Which architectures there are; decides from config.json alone, before any weight is read. */
import { UserError } from '../lib/errors.ts';
import type { Model } from './architecture.ts';
import type { ModelConfigJson } from './config.ts';
import { llama } from './llama.ts';

const architectures = [llama];

/** @throws UserError naming what is not supported */
export function modelOf(json: ModelConfigJson): Model {
  const type = json.model_type;
  if (typeof type !== 'string') throw new UserError('config.json has no "model_type". Drop the folder of a model from the Hugging Face hub, config.json included.');
  if (json.quantization_config) {
    const method = (json.quantization_config as { quant_method?: unknown }).quant_method;
    throw new UserError(
      `config.json: this checkpoint is quantised already (${JSON.stringify(method ?? 'unknown method')}). Use the original 16-bit checkpoint: Finetab quantises it itself.`,
    );
  }
  const found = architectures.find((architecture) => architecture.modelType === type);
  if (!found) {
    throw new UserError(`config.json: model_type ${JSON.stringify(type)} is not supported. Supported: ${architectures.map((architecture) => architecture.modelType).join(', ')}.`);
  }
  const config = found.parse(json);
  return {
    config,
    tensors: found.tensors(config),
    forward: (builder) => found.forward(builder, config),
    headWeight: config.tie_word_embeddings ? 'model.embed_tokens.weight' : 'lm_head.weight',
  };
}

/** How a model type's checkpoint says it, for the page. */
export function supportedModelTypes(): string[] {
  return architectures.map((architecture) => architecture.modelType);
}
