/**
 * The interface of the workers that hold data files: rows for the engine, and reports and previews of them
 * for the page.
 */
import type { DatasetSummary, DocumentSettings } from '../../data/documents.ts';
import type { DocumentArrays } from '../../data/documentTable.ts';
import type { RecordUnit, RowProblem } from '../../data/files/records.ts';
import type { ChosenColumns, Column } from '../../data/rows/parseRows.ts';
import type { Fingerprints, Histogram, Overlap, Repeats } from '../../data/rows/rowStatistics.ts';
import type { MaskReasons } from '../../data/rows/encoding/maskReasons.ts';
import type { DataPart } from '../../data/rows/joinedRows.ts';
import type { CountedRows, RowFindings } from '../../data/rows/rowFindings.ts';
import type { Selection } from '../../data/rows/rowSelection.ts';
import type { MicroBatch } from '../../data/types.ts';
import type { PromptRow } from '../../training/reward/promptRow.ts';
import type { RowsByLoss } from './rowsByLoss.ts';
import type { Recipe } from '../../training/recipe.ts';

/** The result of reading a data file. */
export interface FileReport {
  /** Its name; of several that are read as one, all of them. */
  file: string;
  parts: FilePart[];
  /** Its name; null where the file is in no known format and no columns are chosen. */
  format: string | null;
  columns: Column[];
  /** Unit of the line numbers of problems and examples. */
  unit: RecordUnit;
  summary: DatasetSummary;
  /** The first ones; `summary.problems` counts all. */
  problems: RowProblem[];
  /** Tokens of each row that will be used. */
  lengths: Uint32Array;
  histogram: Histogram;
  repeats: Repeats;
  /** Rows to look at before training. */
  findings: RowFindings;
  /** By the recipe. */
  leftOut: CountedRows;
  padTokenId: number;
  padToken: string;
  /** What the model's chat template requires to be changed in every conversation, in words. */
  notes: string[];
  mask: MaskChecks;
  /** Whether its rows are prompts, of which nothing is learned. */
  prompts: boolean;
}

/** One of the files that are read as one. */
export interface FilePart {
  file: string;
  /** SHA-256 of its bytes, hex. */
  sha256: string;
  /** null where it is in no known format and no columns are chosen. */
  format: string | null;
  columns: Column[];
}

/** Faults of the mask that the training loss would not reveal. */
export interface MaskChecks {
  /** Whole rows of which no end token is learned: a model trained on them alone never stops. */
  withoutEnd: number;
  /** Line of the first. */
  firstWithoutEnd: number | null;
  /** The token that fills batches also ends answers. */
  padIsEnd: boolean;
}

/**
 * Asks for the micro-batch of a row: of the first step that trains it or, without a recipe, of an evaluation
 * of its file.
 */
export interface PackedRequest {
  row: number;
  tokensPerMicroBatch: number;
  recipe: Recipe | null;
}

export interface PackedPreview {
  /** 0-based; null for an evaluation. At or above `steps`: the run ends before the row's turn. */
  step: number | null;
  /** Optimiser steps of the whole run; null for an evaluation. */
  steps: number | null;
  /** Which micro-batch of how many. */
  index: number;
  of: number;
  batch: MicroBatch;
  /** By id, of every id in the batch. */
  tokens: Map<number, { text: string; special: boolean }>;
  /**
   * The rows in it, in the order in which they lie: index in the files read as one, the name of its own file,
   * line in that, first place and length.
   */
  rows: { row: number; file: string; line: number; start: number; length: number }[];
}

/** Asks for a data file to be read. */
export interface DataRequest {
  modelId: string;
  settings: DocumentSettings;
  columns: ChosenColumns;
  /** Read as one. */
  parts: DataPart[];
  selection: Selection;
}

/** A token of a row as it is trained. */
export interface RowToken {
  id: number;
  text: string;
  supervised: boolean;
  special: boolean;
}

/** Where a row stands, as a problem names it. */
export interface RowPlace {
  /** Index of the file. */
  part: number;
  line: number;
  unit: RecordUnit;
}

/** Served by every worker that holds a data file. */
export interface RowFileApi {
  load(request: DataRequest, onProgress: (done: number, total: number) => void): Promise<FileReport>;
  packed(request: PackedRequest): Promise<PackedPreview | null>;
  /** The tokens of a row. @param row its index among the rows that are used */
  rowTokens(row: number): Promise<RowToken[]>;
  /** Why each stretch of a row's document is learned or only read. @param row as above */
  maskReasons(row: number): Promise<MaskReasons>;
  /** A row of one of its files as it stands there. */
  rowText(place: RowPlace): Promise<string>;
  /** The file with another row in its place, or without it. @param text null takes it out */
  mendRow(place: RowPlace, text: string | null): Promise<Blob>;
  /** All rows as JSON lines of ids and labels. */
  documentLines(): Promise<Blob>;
  /** Hashes of its rows, for another worker to compare its own with. */
  fingerprints(): Promise<Fingerprints>;
  /** Which of its rows are in another file. */
  overlap(other: Fingerprints): Promise<Overlap>;
}

/** The dataset worker: parses and tokenizes the training file and keeps its rows. */
export interface DatasetApi extends RowFileApi {
  /** Serves the rows to the trainer on a port of their own. */
  serve(port: MessagePort): Promise<void>;
  /** At most so many documents, spread evenly over the file, for the trainer to score. */
  sample(most: number): Promise<RowSample>;
  /**
   * The rows with the highest and the lowest loss a token.
   * @param rows as `sample` gave them @param losses of each; NaN where there is none
   */
  rowsByLoss(rows: Uint32Array, losses: Float32Array, count: number): Promise<RowsByLoss>;
}

/** Some documents of a file. The caller owns them. */
export interface RowSample {
  /** Their places among the file's documents; ascending. */
  rows: Uint32Array;
  documents: DocumentArrays;
}

/** Served by the dataset worker on that port. */
export interface RowsApi {
  /** The caller owns them: buffers are transferred, not cloned. */
  documents(): Promise<DocumentArrays>;
  /** 1 for each document whose answer is wanted; null where the rows have no labels. */
  labels(): Promise<Uint8Array | null>;
  /** Of each document what its sampled answers are rewarded by; null where the rows are no prompts. */
  prompts(): Promise<PromptRow[] | null>;
}
