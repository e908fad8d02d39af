/**
 * What the threads say to each other. Each worker is an interface, carried by Comlink: calls are promises, errors keep name and message,
 * callbacks go through `proxy`, buffers through `transfer`. Everything else is plain data that structured clone carries.
 */
import type { ChatMessage } from '../data/template/chatTemplate.ts';
import type { DatasetSummary, DocumentSettings } from '../data/documents.ts';
import type { ColumnMapping } from '../data/rows/rowFormats.ts';
import type { RecordUnit, RowProblem } from '../data/files/records.ts';
import type { ChosenColumns, Column } from '../data/rows/parseRows.ts';
import type { Fingerprints, Histogram, Overlap, Repeats } from '../data/rows/rowStatistics.ts';
import type { Document, MicroBatch } from '../data/types.ts';
import type { RequestMade } from '../lib/requests.ts';
import type { NamedFile } from '../formats/checkpoint.ts';
import type {
  AdapterTensors,
  EngineProgress,
  GenerationOptions,
  LoraSettings,
  MemoryChoice,
  MemoryReport,
  TokenScores,
} from '../engine/engine.ts';
import type {
  EvaluationMetrics,
  EvaluationResult,
  GeneratedAnswer,
  Question,
} from '../training/evaluation.ts';
import type { GpuCheck } from '../verify/gpuCheck.ts';
import type { KernelRequest, RunKernels } from '../tuning/runKernels.ts';
import type { MetricsLine } from '../training/metrics.ts';
import type { Recipe } from '../training/recipe.ts';
import type { EndReason, TrainerEvent } from '../training/runRecord.ts';
import type { HubAccess } from '../storage/hub.ts';
import type { RunRecord, RunState } from '../storage/database.ts';
import type { ModelSummary } from '../storage/models.ts';
import type { StorageUse } from '../storage/quota.ts';

export type {
  HubAccess,
  ChatMessage,
  DatasetSummary,
  DocumentSettings,
  RowProblem,
  RecordUnit,
  Column,
  ColumnMapping,
  ChosenColumns,
  Fingerprints,
  Histogram,
  Overlap,
  Repeats,
  EngineProgress,
  GenerationOptions,
  MemoryChoice,
  MemoryReport,
  TokenScores,
  EvaluationMetrics,
  EvaluationResult,
  GeneratedAnswer,
  Question,
  GpuCheck,
  KernelRequest,
  RunKernels,
  Recipe,
  LoraSettings,
  MetricsLine,
  RunState,
  EndReason,
  TrainerEvent,
  ModelSummary,
  StorageUse,
};

/** What the page shows of a stored model. */
export interface ModelDetails extends ModelSummary {
  parameters: number;
  layers: number;
  hiddenSize: number;
  vocabularySize: number;
  maxPositions: number;
  unusedTensors: string[];
}

/** import.worker: streams, checks and quantises. Owns the list of stored models. */
export interface ImportApi {
  models(): Promise<ModelSummary[]>;
  details(id: string): Promise<ModelDetails>;
  importModel(
    files: NamedFile[],
    name: string,
    quantization: Recipe['quantization'],
    onProgress: (done: number, total: number) => void,
  ): Promise<ModelDetails>;
  /** Downloads a model from the Hub by ranges straight into the store. @param id "owner/name" */
  importFromHub(
    id: string,
    quantization: Recipe['quantization'],
    access: HubAccess,
    onProgress: (done: number, total: number) => void,
  ): Promise<ModelDetails>;
  remove(id: string): Promise<void>;
  storage(): Promise<StorageUse>;
}

/** What was understood of a data file. */
export interface FileReport {
  file: string;
  /** SHA-256 of its bytes, hex. */
  sha256: string;
  /** In words; null where none is known and no columns are chosen. */
  format: string | null;
  columns: Column[];
  /** What the numbers of problems and examples count. */
  unit: RecordUnit;
  summary: DatasetSummary;
  /** The first ones; `summary.problems` counts all. */
  problems: RowProblem[];
  /** Tokens of each row that will be used. */
  lengths: number[];
  histogram: Histogram;
  repeats: Repeats;
  padTokenId: number;
  padToken: string;
  /** What the model's chat template makes the page do to every conversation. */
  notes: string[];
  mask: MaskChecks;
}

/** Faults of the mask that training would not show. */
export interface MaskChecks {
  /** Whole rows of which no end token is learned: a model trained on them alone never stops. */
  withoutEnd: number;
  /** Line of the first. */
  firstWithoutEnd: number | null;
  /** The token that fills batches also ends answers. */
  padIsEnd: boolean;
}

/** A row and how it is packed: as the run's step that sees it first, or, without a recipe, as an evaluation of its file. */
export interface PackedRequest {
  row: number;
  tokensPerMicroBatch: number;
  recipe: Recipe | null;
}

export interface PackedPreview {
  /** 0-based; null for an evaluation. */
  step: number | null;
  /** Which micro-batch of how many. */
  index: number;
  of: number;
  batch: MicroBatch;
  /** By id, of every id in the batch. */
  tokens: Map<number, { text: string; special: boolean }>;
  /** The rows in it, in the order in which they lie: index in the file, line, first place and length. */
  rows: { row: number; line: number; start: number; length: number }[];
}

/** How a data file is to be read. */
export interface DataRequest {
  modelId: string;
  settings: DocumentSettings;
  columns: ChosenColumns;
  file: File;
}

/** A token of a row as it is trained. */
export interface RowToken {
  id: number;
  text: string;
  supervised: boolean;
  special: boolean;
}

/** What every worker that holds a data file does. */
export interface RowFileApi {
  load(request: DataRequest, onProgress: (done: number, total: number) => void): Promise<FileReport>;
  packed(request: PackedRequest): Promise<PackedPreview | null>;
  /** A row token by token, by its place among the rows that are used. */
  rowTokens(row: number): Promise<RowToken[]>;
  /** Hashes of its rows, for another worker to compare its own with. */
  fingerprints(): Promise<Fingerprints>;
  /** Which of its rows are in another file. */
  overlap(other: Fingerprints): Promise<Overlap>;
}

/** dataset.worker: parses and tokenizes the training file and keeps its rows. */
export interface DatasetApi extends RowFileApi {
  /** Hands the rows to the trainer over a port of their own. */
  serve(port: MessagePort): Promise<void>;
}

/** What dataset.worker serves on that port. */
export interface RowsApi {
  documents(): Promise<Document[]>;
}

/** evaluation.worker, one a validation file: owns its rows, batching, decoding and metrics. */
export interface EvaluationApi extends RowFileApi {
  /** The first rows as questions: what generation starts from, and the answer they have. */
  questions(count: number): Promise<Question[]>;
  /** @param scorer port on which the trainer answers @param own port on which this worker is asked to evaluate */
  connect(
    scorer: MessagePort,
    own: MessagePort,
    evaluation: Recipe['evaluation'],
    seed: number,
  ): Promise<void>;
}

/** What the trainer serves to each evaluation worker. */
export interface ScorerApi {
  tokensPerMicroBatch(): Promise<number>;
  score(batch: MicroBatch): Promise<TokenScores>;
  generate(prompts: number[][], options: GenerationOptions): Promise<number[][]>;
}

/** What each evaluation worker serves to the trainer. */
export interface EvaluateApi {
  evaluate(step: number): Promise<EvaluationResult>;
}

export interface PlanRequest {
  modelId: string;
  recipe: Recipe;
  trainLengths: number[];
  /** Longest row over the validation files. */
  longestValidation: number;
  kernels: KernelRequest;
}

export interface RunPlan {
  memory: MemoryReport;
  tokensPerMicroBatch: number;
  /** What is recomputed so that it fits, and why; absent where TensorFlow.js runs. */
  choice?: MemoryChoice;
  /** What the kernels would be now; absent where TensorFlow.js runs. */
  kernels?: RunKernels;
  totalSteps: number;
  /** The adapter in words, and which executor runs. */
  device: string;
  isFallback: boolean;
}

export interface EvaluationPorts {
  name: string;
  scorer: MessagePort;
  evaluate: MessagePort;
}

export interface FileInReport {
  file: string;
  /** SHA-256 of its bytes, hex. */
  sha256: string;
  name: string;
  summary: DatasetSummary;
  /** Rows that are also in another file of the run: a training row in a validation file, or the other way. */
  leaks: { file: string; rows: number }[];
}

export interface RunRequest extends PlanRequest {
  modelName: string;
  padTokenId: number;
  rows: MessagePort;
  evaluators: EvaluationPorts[];
  training: FileInReport;
  validation: FileInReport[];
  /** A run whose checkpoint to go on from. */
  resumeRunId: string | null;
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

/** A run that did not end and can go on. */
export interface OpenRun {
  runId: string;
  startedAt: string;
  modelId: string;
  modelName: string;
  trainFile: string;
  recipe: Recipe;
  step: number;
  totalSteps: number;
}

export type TrainerWorkerEvent =
  | TrainerEvent
  /** The run has a record from now on. */
  | { type: 'began'; runId: string; notes: string }
  | { type: 'engine'; progress: EngineProgress }
  /** What the run's kernels are, to its end. */
  | { type: 'kernels'; kernels: RunKernels }
  /** A validation file's worker died and another is started in its place; the training goes on. */
  | { type: 'evaluatorRestarts'; name: string; message: string }
  /** The GPU was lost; a new one is taken and the run goes on from this step by itself. */
  | { type: 'deviceLost'; step: number; message: string };

export type SamplingOptions = Omit<GenerationOptions, 'stopTokenIds' | 'strengths' | 'streams'>;

/** Conversations that go on side by side, each from its own messages at its own strength, with the same seed. */
export interface ChatRequest {
  runId: string;
  conversations: { messages: ChatMessage[]; strength: number }[];
  sampling: SamplingOptions;
}

export interface ChatReply {
  text: string;
  tokens: number;
  /** end: by an end token; length: by max_new_tokens; stopped: by the person. */
  ended: 'end' | 'length' | 'stopped';
}

/** Cross entropy of each token of a row given those before it; NaN for the first, and for tokens that did not fit. */
export interface TokenLosses {
  base: Float32Array;
  tuned: Float32Array;
}

/** Is given both answers to a prompt, by its place; the next ones wait until they are taken. */
export type OnPair = (index: number, base: string, tuned: string) => unknown;

/** trainer.worker: owns the only GPU device and the only copy of the weights. */
export interface TrainerApi {
  /** Plans a run without allocating: exact memory before the start. */
  plan(request: PlanRequest): Promise<RunPlan>;
  /**
   * Measures the kernels of such a run in the background; any run or question to the GPU ends it. Done already, or nothing to be done: null.
   * @returns the plan with what was measured
   */
  measureKernels(
    request: PlanRequest,
    onProgress: (done: number, total: number) => void,
  ): Promise<RunPlan | null>;
  /** Asks the driver for so many bytes and gives them back. @returns bytes granted; null where there is no WebGPU */
  probe(bytes: number): Promise<number | null>;
  /** @param requestsMade asked at the end, for the report */
  run(
    request: RunRequest,
    onEvent: (event: TrainerWorkerEvent) => void,
    requestsMade?: () => Promise<RequestMade[]>,
  ): Promise<RunOutcome>;
  pause(): Promise<void>;
  resume(): Promise<void>;
  stop(): Promise<void>;
  /** A validation file's worker died: its evaluation fails, alone; or waits for the worker that is started in its place. */
  evaluatorDied(name: string, message: string, restarting: boolean): Promise<void>;
  /** The worker in its place has read the file. */
  replaceEvaluator(ports: EvaluationPorts): Promise<void>;
  /** Makes a run's adapter the one that answers, loading the model where it is not. The calls below do it too; this one tells its progress. */
  openResult(runId: string, onProgress: (progress: EngineProgress) => void): Promise<void>;
  /** @param onText text so far of a conversation's answer, by its place */
  chat(request: ChatRequest, onText: (conversation: number, text: string) => void): Promise<ChatReply[]>;
  /** The base model's and the tuned one's answer to each prompt, by the same random numbers. */
  answerPairs(runId: string, prompts: number[][], sampling: SamplingOptions, onPair: OnPair): Promise<void>;
  /** Ends the answers that are being written, where they are. */
  stopAnswers(): Promise<void>;
  /** @param strength of the adapter for `tuned` */
  tokenLosses(runId: string, inputIds: number[], strength: number): Promise<TokenLosses>;
  /** Every kernel against TensorFlow.js on this adapter; not while a run goes on. */
  checkGpu(onProgress: (done: number, total: number) => void): Promise<GpuCheck>;
  openRuns(): Promise<OpenRun[]>;
  discardRun(runId: string): Promise<void>;
}

/** A kept run as the list shows it. */
export interface RunSummary extends Omit<RunRecord, 'recipe'> {
  recipe: Recipe;
  /** Whether it goes on now, in this tab or another. */
  live: boolean;
  /** Step from which it can go on; null where it ended or has no checkpoint. */
  resumableStep: number | null;
  /** Bytes that it takes up, about. */
  storedBytes: number;
}

export interface RunEvaluation {
  name: string;
  step: number;
  result: EvaluationResult;
}

/** One blind comparison of answers to a row of a validation set. */
export interface VotedPair {
  line: number;
  prompt: string;
  reference: string;
  base: string;
  tuned: string;
  /** Whether the tuned answer stands at A. */
  tunedIsA: boolean;
  vote: 'tuned' | 'base' | 'tie' | null;
}

export interface HeadToHead {
  /** Name of the validation set. */
  name: string;
  seed: number;
  sampling: SamplingOptions;
  pairs: VotedPair[];
}

export interface RunDetails {
  lines: MetricsLine[];
  evaluations: RunEvaluation[];
  votes: HeadToHead[];
  report: string | null;
}

/** history.worker: the runs kept in this browser. */
export interface HistoryApi {
  /** The newest first. */
  runs(): Promise<RunSummary[]>;
  details(runId: string): Promise<RunDetails>;
  rename(runId: string, name: string): Promise<void>;
  setNotes(runId: string, notes: string): Promise<void>;
  /** A comparison takes the place of the one before of the same set. */
  putVotes(runId: string, votes: HeadToHead): Promise<void>;
  remove(runId: string): Promise<void>;
  /** The PEFT folder of a run's adapter, as it was when the run ended. */
  adapterFolder(runId: string): Promise<Map<string, Uint8Array>>;
  /** PEFT folder, metrics, recipe, report, answers, votes and notes in one zip. */
  exportZip(runId: string): Promise<Uint8Array>;
  /** @throws UserError where the adapter does not fit the model */
  startFromRun(runId: string, modelId: string): Promise<StartingAdapter>;
  /** @throws UserError where the files are no PEFT folder, or its adapter does not fit the model */
  startFromFiles(files: NamedFile[], modelId: string): Promise<StartingAdapter>;
}
