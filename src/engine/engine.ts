/**
 * The interface of a training engine, whichever executor is under it. The trainer, evaluation and commands
 * see only this.
 */
import type { MicroBatch } from '../data/types.ts';
import type { Float32Tensor, WeightSource } from '../formats/tensors.ts';
import type { KernelLevel } from '../gpu/dispatch.ts';
import type { LoraShape } from '../model/adapterTargets.ts';
import type { InitLoraWeights } from '../model/initialAdapter.ts';
import type { Checkpointing } from '../plan/autodiff.ts';
import type { HeadDtype } from './headDtype.ts';
import type { TrainingSettings } from './trainingSettings.ts';

/** LoRA settings under PEFT's own names. */
export interface LoraSettings extends LoraShape {
  /** true where absent. */
  init_lora_weights?: InitLoraWeights;
}

export interface EngineOptions {
  weights: WeightSource;
  lora: LoraSettings;
  /** Of the training steps; the defaults where absent. */
  settings?: TrainingSettings;
  /** T: tokens a micro-batch, for training and scoring. */
  tokensPerMicroBatch: number;
  /**
   * What of every layer is recomputed in the backward pass (true: all); with `memoryAim`, any but false
   * recomputes only as much as it takes to fit.
   */
  gradientCheckpointing: boolean | Checkpointing;
  /** How activations wait for the backward pass; float32 where absent. */
  activationDtype?: ActivationDtype;
  /** How the output head lies on the GPU; as it is stored where absent. */
  headDtype?: HeadDtype;
  /** What to fit the run into; absent: T and checkpointing are taken as given. */
  memoryAim?: MemoryAim;
  /** Seeds the adapter's initial values and the dropout masks. */
  seed: number;
  /** false: the engine only answers and scores, and has nothing that training needs. */
  training?: boolean;
  /** Slots and longest sequence of generation. The KV cache is planned when generate is first called. */
  generation?: GenerationSize;
  /** What arithmetic its kernels may use; absent: what the device's settings say. */
  level?: KernelLevel;
  onProgress?: (event: EngineProgress) => void;
}

/** How many sequences are generated at once, and how long prompt and answer may be together. */
export interface GenerationSize {
  slots: number;
  maxLength: number;
}

export type EngineProgress =
  | { phase: 'measuring'; done: number; total: number; unit: 'measurements' }
  | { phase: 'weights'; done: number; total: number; unit: 'bytes' }
  | { phase: 'pipelines'; done: number; total: number; unit: 'shaders' };

export interface MemoryAim {
  /** The recipe's limit; null: a default, which is exceeded where nothing smaller can be planned. */
  limitBytes: number | null;
  /** T is lowered to no less than this: the length of the longest row. */
  leastTokens: number;
  /**
   * Counts the KV cache of so many prompts at once, up to the number of slots. It is allocated when it is
   * first used.
   */
  generation?: GenerationSize;
}

/**
 * How activations wait for the backward pass: e6m9 is 16 bits (plan/packActivations.ts), which rounds
 * gradients; auto takes it only where arithmetic is rounded to float16 as well and memory is short.
 */
export type ActivationDtype = 'auto' | 'float32' | 'e6m9';

/** How a run was made to fit: the numbers of layers by what of them is recomputed in the backward pass. */
export interface MemoryChoice {
  tokensPerMicroBatch: number;
  none: number;
  /** Layers of which norms and gated products are recomputed, as in those that follow. */
  cheap: number;
  /** Layers of which queries, keys and values are recomputed. */
  attention: number;
  full: number;
  /** Whether activations wait in 16 bits. */
  packed: boolean;
  /** Whether the output head lies in 8 bits though the model has more. */
  headInQ8_0: boolean;
  /** Whether a head in 8 bits would be smaller, and may be asked for. */
  headMayRound: boolean;
  limitBytes: number;
  /** Why, in words that can follow a colon. */
  reason: string;
}

/** Bytes of GPU memory by part. They are exact: an engine allocates what its plans say. */
export interface MemoryReport {
  weights: number;
  adapter: number;
  optimizer: number;
  activations: number;
  /** Token ids, positions, tables, step scalars and readback. */
  batch: number;
  kvCache: number;
  total: number;
}

/**
 * A loss that is more than a sum over tokens, such as DPO's: the log-probabilities of the micro-batches are
 * computed first, ahead of the update, and give the weight of each token's loss.
 */
export interface StepObjective {
  /** Whether `evaluate` reads the losses; where it does not an engine may give 0 in their place. */
  readsLosses?: boolean;
  /** Further batches whose tokens are scored and get no gradient. */
  extra?: readonly MicroBatch[];
  /**
   * Called once, or again where the step is repeated with a smaller loss scale.
   * @param losses cross entropy of each token, [T], of each micro-batch, then of each of `extra`
   * @returns the step's loss, and its slope by each token's cross entropy, [T] for each micro-batch
   */
  evaluate(losses: readonly Float32Array[]): { loss: number; weights: Float32Array[] };
}

/** One optimiser step: all its micro-batches, and the numbers of the schedule. */
export interface StepInput {
  microBatches: MicroBatch[];
  /** Absent: cross entropy over the supervised tokens of the step, every one with the same weight. */
  objective?: StepObjective;
  /** 0-based. It keys the dropout mask; AdamW's bias correction uses step + 1. */
  step: number;
  learningRate: number;
  weightDecay: number;
  /** Global-norm clip; 0 switches it off. */
  maxGradNorm: number;
  /** LoRA+: learning rate of B over that of A; 1 when absent. */
  loraPlusLrRatio?: number;
}

export interface StepOutput {
  /**
   * Before the update: sum of cross entropy over supervised tokens / supervised tokens of the whole step, or
   * the objective's.
   */
  loss: number;
  /** Global norm before clipping. */
  gradNorm: number;
}

export interface GenerationOptions {
  maxNewTokens: number;
  /** Generation of a slot stops after one of these. */
  stopTokenIds: number[];
  doSample: boolean;
  temperature: number;
  topP: number;
  seed: number;
  /**
   * The adapter scale of each prompt: 1 as trained, 0 the base model, s as if B were multiplied by s. 1 where
   * absent.
   */
  adapterScales?: readonly number[];
  /**
   * Keys each prompt's random numbers; its index where absent. Prompts with the same key draw the same
   * numbers.
   */
  streams?: readonly number[];
}

/** Observes a generation while it runs. */
export interface GenerationWatch {
  /** All ids of a prompt's answer so far. */
  onIds?(prompt: number, ids: readonly number[]): void;
  /** Asked before each further token: true ends all answers as they are. */
  stopped?(): boolean;
}

/**
 * Adapter tensors under PEFT's names: base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight [r, in].
 */
export type AdapterTensors = Map<string, Float32Tensor>;

/**
 * What a resumed run needs besides the adapter: AdamW's moments under the adapter's names, and the steps
 * taken.
 */
export interface OptimizerState {
  expAvg: AdapterTensors;
  expAvgSq: AdapterTensors;
  steps: number;
}

/** For each position of a batch, float32 [T]; 0 where there is no target. */
export interface TokenScores {
  /** Cross entropy of the target, in nats. */
  loss: Float32Array;
  /** 1 where the target is the argmax of the logits. */
  correct: Float32Array;
}

export interface Engine {
  /** The adapter in words, for reports: 'webgpu: NVIDIA ...'. */
  readonly device: string;
  /** Exact bytes. They grow by the KV cache when generation is first asked for. */
  readonly memory: MemoryReport;
  /** Present where it was created with a memory aim. */
  readonly memoryChoice?: MemoryChoice;
  readonly tokensPerMicroBatch: number;
  /**
   * How many steps may be asked for before the previous one has ended. Results are those of one after the
   * other.
   */
  readonly stepsAhead: number;
  /**
   * Forward, backward, clip, AdamW.
   * @throws NonFiniteError, with the adapter unchanged, where loss or norm is NaN or infinite. Steps that
   * were asked for before that was known end with the same error.
   */
  trainStep(input: StepInput): Promise<StepOutput>;
  /** @param adapterScale as in GenerationOptions; 1 where absent */
  score(batch: MicroBatch, adapterScale?: number): Promise<TokenScores>;
  /**
   * @returns the new ids of each prompt, without the prompt and with the stop token where one was generated
   */
  generate(prompts: number[][], options: GenerationOptions, watch?: GenerationWatch): Promise<number[][]>;
  readAdapter(): Promise<AdapterTensors>;
  loadAdapter(tensors: AdapterTensors): Promise<void>;
  readOptimizer(): Promise<OptimizerState>;
  loadOptimizer(state: OptimizerState): Promise<void>;
  dispose(): void;
}

/** Loss or gradient norm became NaN or infinite: the step was not applied. */
export class NonFiniteError extends Error {
  override name = 'NonFiniteError';
  constructor(
    readonly quantity: 'loss' | 'gradient norm',
    readonly step: number,
  ) {
    super(
      `The ${quantity} became NaN or infinite at step ${step + 1}; the step was not applied and the adapter is as it was before. Lower learning_rate, or check the training rows for extreme lengths.`,
    );
  }
}
