/** What a worker that holds a data file serves: its rows as the engine will get them, and what the page shows of them. */
import type { DatasetSummary, DocumentSettings } from '../../data/documents.ts';
import type { DocumentArrays } from '../../data/documentTable.ts';
import type { RecordUnit, RowProblem } from '../../data/files/records.ts';
import type { ChosenColumns, Column } from '../../data/rows/parseRows.ts';
import type { Fingerprints, Histogram, Overlap, Repeats } from '../../data/rows/rowStatistics.ts';
import type { MicroBatch } from '../../data/types.ts';
import type { Recipe } from '../../training/recipe.ts';

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
  lengths: Uint32Array;
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
  /** The caller owns them: buffers are transferred, not cloned. */
  documents(): Promise<DocumentArrays>;
}
