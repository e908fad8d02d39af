/**
 * Reads config.json: typed fields with defaults, and errors that name the key. Keys keep their names in the
 * checkpoint.
 */
import { UserError } from '../lib/errors.ts';

export type ModelConfigJson = Readonly<Record<string, unknown>>;

/** The fields that every architecture's parsed config has, under their names in config.json. */
export interface CommonConfig {
  model_type: string;
  vocab_size: number;
  hidden_size: number;
  num_hidden_layers: number;
  max_position_embeddings: number;
  tie_word_embeddings: boolean;
  /** Logits are cap · tanh(logit / cap); 0: as they are. */
  final_logit_softcapping: number;
}

/** One tensor that an architecture needs from a checkpoint. */
export interface TensorRequirement {
  name: string;
  shape: number[];
  /** A linear layer's weight inside the decoder's layers, which is stored as NF4 where the recipe says so. */
  quantise: boolean;
  /**
   * A linear layer's weight that takes an adapter but is not quantised, because it lies outside the layers.
   */
  linear?: true;
  /** A table that stays in storage: a batch is given the rows of its tokens. */
  byRows?: true;
  /** Its name in checkpoints, where that differs from the module's name in transformers, which PEFT uses. */
  storedAs?: string;
}

/** Whether a tensor is the weight of a linear layer, which `all-linear` gives an adapter. */
export function isLinear({ quantise, linear }: TensorRequirement): boolean {
  return quantise || linear === true;
}

/** Of layers: something is made for each of them before the files are read. */
const MOST_LAYERS = 4096;
/** Of anything else: sizes beyond it are not whole numbers on the GPU. */
const MOST = 2 ** 31 - 1;

export class ConfigReader {
  constructor(
    readonly json: ModelConfigJson,
    readonly modelType: string,
  ) {}

  integer(key: string, fallback?: number): number {
    const value = this.json[key] ?? fallback;
    if (!Number.isInteger(value) || (value as number) < 1)
      this.fail(`"${key}" must be a positive integer, found ${JSON.stringify(this.json[key] ?? null)}`);
    const most = key.endsWith('layers') ? MOST_LAYERS : MOST;
    if ((value as number) > most)
      this.fail(`"${key}" is ${JSON.stringify(value)}, no model has more than ${most}`);
    return value as number;
  }

  number(key: string, fallback?: number): number {
    const value = this.json[key] ?? fallback;
    if (typeof value !== 'number' || !Number.isFinite(value))
      this.fail(`"${key}" must be a number, found ${JSON.stringify(this.json[key] ?? null)}`);
    if (!Number.isFinite(Math.fround(value)) || (value !== 0 && Math.fround(value) === 0))
      this.fail(`"${key}" is ${value}, which float32 cannot hold`);
    return value;
  }

  boolean(key: string, fallback: boolean): boolean {
    const value = this.json[key] ?? fallback;
    if (typeof value !== 'boolean')
      this.fail(`"${key}" must be true or false, found ${JSON.stringify(value)}`);
    return value;
  }

  /** A positive integer, or null: where the key is null, or absent with null as its default. */
  integerOrNull(key: string, fallback: number | null): number | null {
    return (key in this.json ? this.json[key] : fallback) === null
      ? null
      : this.integer(key, fallback ?? undefined);
  }

  /** A number, or null: where the key is null, or absent with null as its default. */
  numberOrNull(key: string, fallback: number | null): number | null {
    return (key in this.json ? this.json[key] : fallback) === null
      ? null
      : this.number(key, fallback ?? undefined);
  }

  /** A string that must be one of `supported`. */
  choice<T extends string>(key: string, supported: readonly T[], fallback: T): T {
    const value = this.json[key] ?? fallback;
    if (!supported.includes(value as T))
      this.fail(`"${key}" is ${JSON.stringify(value)}; supported: ${supported.join(', ')}`);
    return value as T;
  }

  /** @throws UserError that says what this config asks for and is not supported */
  fail(what: string): never {
    throw new UserError(
      `config.json (model_type ${this.modelType}): ${what}. Choose a model that Finetab supports.`,
    );
  }
}
