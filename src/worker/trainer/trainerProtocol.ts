/** What trainer.worker serves to the page: plans, runs, and answers by adapters. */
import type { AnswerEnd } from '../../data/tokenizer/answerText.ts';
import type { ChatMessage } from '../../data/template/chatTemplate.ts';
import type { DatasetSummary } from '../../data/documents.ts';
import type { DocumentArrays } from '../../data/documentTable.ts';
import type {
  AdapterTensors,
  EngineProgress,
  GenerationOptions,
  LoraSettings,
  MemoryChoice,
  MemoryReport,
} from '../../engine/engine.ts';
import type { EngineForecast } from '../../engine/engineHost.ts';
import type { GpuSpeed } from '../../engine/gpuSpeed.ts';
import type { GpuCheck } from '../../verify/gpuCheck.ts';
import type { KernelRequest, KernelChoice } from '../../tuning/kernelChoice.ts';
import type { EvaluationMetrics } from '../../training/evaluation.ts';
import type { StoredLines } from '../../training/kept/metricsLog.ts';
import type { Recipe } from '../../training/recipe.ts';
import type { EndReason, TrainerEvent } from '../../training/runRecord.ts';
import type { RunRecord } from '../../storage/database.ts';
import type { PageTrace } from '../pageTrace.ts';
import type { WhichAdapter } from './heldAdapter.ts';
import type { EvaluationPorts } from '../evaluation/evaluationProtocol.ts';

export type {
  EngineProgress,
  LoraSettings,
  MemoryChoice,
  MemoryReport,
  GpuCheck,
  GpuSpeed,
  KernelRequest,
  KernelChoice,
};

export interface PlanRequest {
  modelId: string;
  recipe: Recipe;
  /** Tokens of each training row. */
  trainLengths: Uint32Array;
  /** Longest row over the validation files. */
  longestValidation: number;
  kernels: KernelRequest;
}

/** What the page shows of a run before it starts. */
export interface RunPlan extends EngineForecast {
  totalSteps: number;
}

export interface FileInReport {
  /** Its name; of several that are read as one, all of them. */
  file: string;
  /** SHA-256 of each file's bytes, hex. */
  parts: { file: string; sha256: string }[];
  name: string;
  summary: DatasetSummary;
  /** Rows that are also in another file of the run: a training row in a validation file, or the reverse. */
  leaks: { file: string; rows: number }[];
  /** Rows that the recipe leaves out. */
  leftOut: number;
}

export interface RunRequest extends PlanRequest {
  modelName: string;
  padTokenId: number;
  rows: MessagePort;
  evaluationPorts: EvaluationPorts[];
  training: FileInReport;
  validation: FileInReport[];
  /** A run whose checkpoint to go on from. */
  resumeRunId: string | null;
  /** The person wants to go on although the rows or the device are others than the run's own. */
  consents: boolean;
  /** The adapter to go on from instead of a fresh one. */
  startFrom: StartingAdapter | null;
}

/** An adapter that fits a model, ready to be trained on: of a kept run, or dropped as a PEFT folder. */
export interface StartingAdapter {
  name: string;
  modelId: string;
  /** What the recipe's lora must be. */
  lora: LoraSettings;
  tensors: AdapterTensors;
}

/** A finished run: files by name, ready to be saved. */
export interface RunOutcome {
  runId: string;
  /** Why the run could not be kept in the browser; its files are here all the same. */
  notKept: string | null;
  reason: EndReason;
  message: string | null;
  steps: number;
  totalSteps: number;
  adapterStep: number;
  seconds: number;
  losses: RunRecord['losses'];
  adapter: Map<string, Uint8Array>;
  metricsJsonl: string;
  recipeJson: string;
  report: string;
}

export type TrainerWorkerEvent =
  | TrainerEvent
  /** The run has a record in this browser. */
  | { type: 'began'; runId: string; notes: string }
  | { type: 'engine'; progress: EngineProgress }
  /** Lines that the page had no time for when they were made. */
  | { type: 'lines'; lines: StoredLines }
  /** The kernels of the run, decided for all of it. */
  | { type: 'kernels'; kernels: KernelChoice }
  /** A validation file's worker died and another is started in its place; the training goes on. */
  | { type: 'evaluationWorkerRestarts'; name: string; message: string }
  /** The GPU was lost; a new one is taken and the run goes on from this step by itself. */
  | { type: 'deviceLost'; step: number; message: string };

export type SamplingOptions = Omit<GenerationOptions, 'stopTokenIds' | 'adapterScales' | 'streams'>;

/** Conversations side by side, each with its own messages and adapter scale, with the same seed. */
export interface ChatRequest {
  runId: string;
  /** An earlier step of the run whose adapter is kept; absent: the adapter that it ended with. */
  step?: number;
  conversations: { messages: ChatMessage[]; adapterScale: number }[];
  sampling: SamplingOptions;
}

export interface ChatReply {
  text: string;
  tokens: number;
  ended: AnswerEnd;
}

/** One validation file, evaluated by the base model and by the tuned one. */
export interface ResultEvaluation {
  name: string;
  base: EvaluationMetrics;
  tuned: EvaluationMetrics;
}

/** Cross entropy of each token of a row, in nats; NaN for the first token and for those that did not fit. */
export interface TokenLosses {
  base: Float32Array;
  tuned: Float32Array;
}

/** Whose answers are compared blind. */
export interface PairRequest {
  runId: string;
  /** The other adapter; null: the base model. */
  against: WhichAdapter | null;
}

/**
 * Receives both answers to a prompt, by the prompt's index; the next are written once it has returned.
 * @param base of the base model, or of the other adapter
 */
export type OnPair = (index: number, base: string, tuned: string) => unknown;

/** trainer.worker: owns the only GPU device and the only copy of the weights. */
export interface TrainerApi {
  /** Plans a run without allocating: exact memory before the start. */
  plan(request: PlanRequest): Promise<RunPlan>;
  /**
   * Measures in the background which level of kernels is fastest for such a run. Any run or question to the
   * GPU ends it.
   * @returns the plan at the level that was found; null where nothing was to be measured, or it was ended
   */
  measureKernels(request: PlanRequest): Promise<RunPlan | null>;
  /** Allocates this many bytes and frees them. @returns bytes granted; null where there is no WebGPU */
  probe(bytes: number): Promise<number | null>;
  /** @param pageTrace is asked at the end, for the report */
  run(
    request: RunRequest,
    onEvent: (event: TrainerWorkerEvent) => void,
    pageTrace?: () => Promise<PageTrace>,
  ): Promise<RunOutcome>;
  pause(): Promise<void>;
  resume(): Promise<void>;
  stop(): Promise<void>;
  /**
   * A validation file's worker died: its evaluation fails, or waits where another worker is being started.
   */
  evaluationWorkerDied(name: string, message: string, restarting: boolean): Promise<void>;
  /** The worker that replaces it has read the file. */
  replaceEvaluationWorker(ports: EvaluationPorts): Promise<void>;
  /** Loads the model and a run's adapter. The calls below do it too; this one reports its progress. */
  openResult(runId: string, onProgress: (progress: EngineProgress) => void): Promise<void>;
  /** @param onText text so far of a conversation's answer, by its place */
  chat(request: ChatRequest, onText: (conversation: number, text: string) => void): Promise<ChatReply[]>;
  /** Both answers to each prompt, by the same random numbers. */
  answerPairs(
    request: PairRequest,
    prompts: number[][],
    sampling: SamplingOptions,
    onPair: OnPair,
  ): Promise<void>;
  /** Stops the answers that are being written; what is written stays. */
  stopAnswers(): Promise<void>;
  /** @param adapterScale of the answer for `tuned` */
  tokenLosses(runId: string, inputIds: number[], adapterScale: number): Promise<TokenLosses>;
  /**
   * Mean cross entropy of each document's supervised tokens by the tuned model; NaN for documents that are
   * longer than a micro-batch, and for those that were left when the person stopped it.
   */
  documentLosses(
    runId: string,
    documents: DocumentArrays,
    onProgress: (done: number, total: number) => void,
  ): Promise<Float32Array>;
  /**
   * Evaluates a run's adapter on validation files, and the base model beside it.
   * @param longest tokens of the longest of their rows
   * @throws UserError while a run goes on
   */
  evaluateResult(runId: string, ports: EvaluationPorts[], longest: number): Promise<ResultEvaluation[]>;
  /**
   * Every kernel against TensorFlow.js on this adapter; not while a run goes on.
   * @param casesPerOp the first so many of each op; Infinity: all
   */
  checkGpu(onProgress: (done: number, total: number) => void, casesPerOp: number): Promise<GpuCheck>;
  /** Training speed at the shapes of three models, in about half a minute; not while a run goes on. */
  measureSpeed(onProgress: (what: string, done: number, total: number) => void): Promise<GpuSpeed>;
}
