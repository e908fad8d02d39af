/** What a training engine does, whichever executor is under it. The trainer, the evaluator and the reference command see only this. */
import type { MicroBatch } from '../data/types.ts';
import type { Float32Tensor, WeightSource } from '../formats/tensors.ts';
import type { KernelChoice } from '../tuning/kernelChoice.ts';

/** LoRA settings under PEFT's own names. */
export interface LoraSettings {
  r: number;
  lora_alpha: number;
  lora_dropout: number;
  /** 'all-linear' or module names as PEFT matches them (suffixes: 'q_proj'). */
  target_modules: 'all-linear' | string[];
  use_rslora: boolean;
  use_dora: boolean;
}

export interface EngineOptions {
  weights: WeightSource;
  lora: LoraSettings;
  /** T: tokens a micro-batch, for training and scoring. */
  tokensPerMicroBatch: number;
  /** Recompute every layer's values in the backward; with `memoryAim`, only as much as it takes. */
  gradientCheckpointing: boolean;
  /** What to fit the run into; absent: T and checkpointing are as said. */
  memoryAim?: MemoryAim;
  /** Seeds the adapter's initial values and the dropout masks. */
  seed: number;
  /** false: for answering and scoring only, without what training needs. */
  training?: boolean;
  /** Slots and longest sequence of generation; the KV cache is planned when generate is first called. */
  generation?: { slots: number; maxLength: number };
  /** Level and choices of its kernels; absent: the device's own settings. */
  kernels?: Pick<KernelChoice, 'level' | 'choices'>;
  onProgress?: (event: EngineProgress) => void;
}

export type EngineProgress =
  | { phase: 'measuring'; done: number; total: number; unit: 'shapes' }
  | { phase: 'weights'; done: number; total: number; unit: 'bytes' }
  | { phase: 'pipelines'; done: number; total: number; unit: 'shaders' };

export interface MemoryAim {
  /** The recipe's; null: a default, which may be exceeded where nothing smaller can be planned. */
  limitBytes: number | null;
  /** T is lowered to this at most: the longest row's. */
  leastTokens: number;
  /** Counts the KV cache of so many prompts at once, as far as there are slots, the longest with its answer; it is allocated when first used. */
  generation?: { slots: number; maxLength: number };
}

/** How a run was made to fit: layers by what of them is recomputed in the backward. */
export interface MemoryChoice {
  tokensPerMicroBatch: number;
  none: number;
  /** Layers of which queries, keys and values are recomputed. */
  attention: number;
  full: number;
  limitBytes: number;
  /** Why, in words that follow "because" or a colon. */
  reason: string;
}

/** Bytes of GPU memory by part. The total is exact: what the plan says is what is allocated. */
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

/** One optimiser step: all its micro-batches, and the numbers that the schedule gives. */
export interface StepInput {
  microBatches: MicroBatch[];
  /** 0-based; keys the dropout mask, and AdamW's bias correction uses step + 1. */
  step: number;
  learningRate: number;
  weightDecay: number;
  /** Global-norm clip; 0 switches it off. */
  maxGradNorm: number;
  /** LoRA+: learning rate of B over that of A; 1 when absent. */
  loraPlusLrRatio?: number;
}

export interface StepOutput {
  /** Sum of cross entropy over supervised tokens / supervised tokens of the whole step, before the update. */
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
  /** How strongly the adapter acts on each prompt: 1 as trained, 0 the base model, s as if B were multiplied by s. 1 where absent. */
  adapterScales?: readonly number[];
  /** What each prompt's random numbers are keyed with; its place where absent. Prompts of one stream draw alike. */
  streams?: readonly number[];
}

/** Follows a generation while it goes on. */
export interface GenerationWatch {
  /** All ids of a prompt's answer so far. */
  onIds?(prompt: number, ids: readonly number[]): void;
  /** Asked before each further token: true ends all answers where they are. */
  stopped?(): boolean;
}

/** Adapter tensors under PEFT's names: base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight [r, in]. */
export type AdapterTensors = Map<string, Float32Tensor>;

/** All that a resumed run needs besides the adapter: AdamW's moments under the adapter's names, and the steps taken. */
export interface OptimizerState {
  expAvg: AdapterTensors;
  expAvgSq: AdapterTensors;
  steps: number;
}

/** Of each position of a batch, float32 [T]; 0 where there is no target. */
export interface TokenScores {
  /** Cross entropy of the target. */
  loss: Float32Array;
  /** 1 where the target is the likeliest token. */
  correct: Float32Array;
}

export interface Engine {
  /** The adapter under it in words, for reports: 'webgpu: NVIDIA ...'. */
  readonly device: string;
  /** Exact bytes, grows by the KV cache when generation is first asked for. */
  readonly memory: MemoryReport;
  /** Where it was created with a memory aim. */
  readonly memoryChoice?: MemoryChoice;
  readonly tokensPerMicroBatch: number;
  /** Steps that may be asked for while the one ahead of them goes on: the results are those of one after the other. */
  readonly stepsAhead: number;
  /**
   * Forward, backward, clip, AdamW. @throws NonFiniteError, with the adapter unchanged, where loss or norm is NaN or infinite; steps asked for before
   * that was known end with the same error.
   */
  trainStep(input: StepInput): Promise<StepOutput>;
  /** @param adapterScale of the adapter, as in GenerationOptions */
  score(batch: MicroBatch, adapterScale?: number): Promise<TokenScores>;
  /** New ids for each prompt (without the prompt; the stop token included when one was reached). Any number of prompts; run in slots. */
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
