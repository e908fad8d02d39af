/** The interface that each file of families/ implements, and the model that plans are built from. */
import type { Value } from '../graph/value.ts';
import type { ModelBuilder } from './builder.ts';
import type { CommonConfig, ModelConfigJson, TensorRequirement } from './config.ts';

/** One architecture: what its config means, which tensors it needs, and its forward pass. */
export interface Architecture<C extends CommonConfig = CommonConfig> {
  modelType: string;
  /** @throws UserError naming the key that is not supported */
  parse(json: ModelConfigJson): C;
  tensors(config: C): TensorRequirement[];
  /** @returns hidden states after the last norm, [T, hidden_size] */
  forward(model: ModelBuilder, config: C): Value;
}

/** An architecture with its config: what plans are built from. */
export interface Model {
  config: CommonConfig;
  tensors: TensorRequirement[];
  forward(builder: ModelBuilder): Value;
  /** The output head's weight: the embedding where they are tied. */
  headWeight: string;
}
