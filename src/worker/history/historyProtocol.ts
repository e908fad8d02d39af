/** What history.worker serves to the page: the runs kept in this browser. */
import type { ExportName } from '../../export/exportNames.ts';
import type { GgufFileType } from '../../export/gguf/tensorEncoding.ts';
import type { NamedFile } from '../../formats/checkpoint.ts';
import type { EvaluationResult } from '../../training/evaluation.ts';
import type { MetricsLine } from '../../training/metrics.ts';
import type { Recipe } from '../../training/recipe.ts';
import type { SampledStep } from '../../training/reward/keptAnswers.ts';
import type { RunRecord, RunState } from '../../storage/database.ts';
import type { StartingAdapter, SamplingOptions } from '../trainer/trainerProtocol.ts';

export type { RunState };

/** A kept run as the list shows it. */
export interface RunSummary extends Omit<RunRecord, 'recipe'> {
  recipe: Recipe;
  /** Whether it is training now, in this tab or another. */
  live: boolean;
  /** As resumableStep.ts decides it. */
  resumableStep: number | null;
  /** Bytes of storage, approximately. */
  storedBytes: number;
}

/** What a person writes on a run. */
export type RunAnnotation = Partial<Pick<RunRecord, 'name' | 'notes' | 'tags'>>;

export interface RunEvaluation {
  name: string;
  step: number;
  result: EvaluationResult;
}

/** Two answers to a row of a validation set, and which the person preferred. */
export interface VotedPair {
  line: number;
  prompt: string;
  reference: string;
  /** Of the base model, or of the other adapter. */
  base: string;
  tuned: string;
  /** Whether the tuned model's answer is shown as A. */
  tunedIsA: boolean;
  vote: 'tuned' | 'base' | 'tie' | null;
}

export interface BlindTest {
  /** Name of the validation set. */
  name: string;
  /** The other adapter; absent where the base model answers beside the run's. */
  against?: { runId: string; step: number | null; title: string };
  seed: number;
  sampling: SamplingOptions;
  pairs: VotedPair[];
}

/** What a run's blind tests are distinguished by: of one set and the same two adapters the last is kept. */
export function testKey({ name, against }: Pick<BlindTest, 'name' | 'against'>): string {
  return JSON.stringify([name, against?.runId ?? null, against?.step ?? null]);
}

export interface RunDetails {
  lines: MetricsLine[];
  evaluations: RunEvaluation[];
  votes: BlindTest[];
  report: string | null;
  /** Of grpo, by step. */
  sampled: SampledStep[];
}

export interface ExportRequest {
  runId: string;
  form: ExportName;
  /** Of the tensors of a merged GGUF. */
  ggufType: GgufFileType;
  /** Of the form player: texts of its modules by file name. */
  playerModules?: Record<string, string>;
  /** Of the form cluster: the rows that the page has now. */
  rows?: ExportedRows;
}

/** Of a recipe: what stands ahead of an adapter's conversations. */
export type AdapterPrompts = Pick<Recipe, 'system_prompt' | 'date_string'>;

/** Rows as they are trained: JSON lines of ids and labels. */
export interface ExportedRows {
  /** SHA-256 of each training file, by which the run's rows are known. */
  trainHashes: string[];
  /** By file name: train.jsonl and NAME.val.jsonl. */
  files: Map<string, Blob>;
}

/** history.worker: the runs kept in this browser. */
export interface HistoryApi {
  /** The newest first. */
  runs(): Promise<RunSummary[]>;
  details(runId: string): Promise<RunDetails>;
  annotate(runId: string, change: RunAnnotation): Promise<void>;
  /** Replaces an earlier test of the same set. */
  putVotes(runId: string, votes: BlindTest): Promise<void>;
  remove(runId: string): Promise<void>;
  /** The PEFT folder of a run's adapter, as it was when the run ended. */
  adapterFolder(runId: string): Promise<Map<string, Uint8Array>>;
  /** PEFT folder, metrics, recipe, report, answers, votes and notes in one zip. */
  exportZip(runId: string): Promise<Uint8Array>;
  /** A run in progress as a file, with which another computer goes on. */
  exportRunFile(runId: string): Promise<Uint8Array>;
  /**
   * Keeps the run of such a file here, so that it can be resumed.
   * @returns its id
   * @throws UserError where the file is damaged or no such file, or the run is kept here already
   */
  importRunFile(file: Blob): Promise<string>;
  /**
   * Writes a run's adapter in another form into a folder that the person picked, piece by piece.
   * @throws UserError where the form cannot hold it
   */
  exportInto(request: ExportRequest, folder: FileSystemDirectoryHandle): Promise<string[]>;
  /**
   * The same as a zip that lies in the origin's private file system until the next export.
   * @throws UserError where the form cannot hold it
   */
  exportAsFile(request: ExportRequest): Promise<{ file: File; notes: string[] }>;
  /**
   * Keeps an adapter from elsewhere, a PEFT folder or a GGUF LoRA adapter, as if it were a run's.
   * @param prompts that it is asked with
   * @returns the id under which it answers, is evaluated and exported
   * @throws UserError where the files are no adapter, or it does not fit the model
   */
  keepAdapter(files: NamedFile[], modelId: string, prompts: AdapterPrompts): Promise<string>;
  /** @throws UserError where the adapter does not fit the model */
  startFromRun(runId: string, modelId: string): Promise<StartingAdapter>;
  /** @throws UserError where the files are no PEFT folder, or its adapter does not fit the model */
  startFromFiles(files: NamedFile[], modelId: string): Promise<StartingAdapter>;
}
