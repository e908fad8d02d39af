/** What messages of more than a few parts are made from. */
import type { PackedPreview } from '../../worker/dataset/datasetProtocol.ts';

/** Rows of one file that another has too. */
export interface Leak {
  /** That are the same. */
  rows: number;
  /** That have the same prompt and another answer. */
  prompts: number;
  /** All rows of the file. */
  of: number;
  other: string;
  isTraining: boolean;
}

export interface Truncation {
  rows: number;
  tokens: number;
  truncatedRows: number;
  truncatedTokens: number;
}

/** A histogram of rows by length, in tokens. */
export interface Lengths {
  bars: number;
  binTokens: number;
  end: number;
  /** Rows of the highest bar. */
  most: number;
  maxLength: number;
  truncatedRows: number;
}

export type MicroBatch = Pick<PackedPreview, 'step' | 'index' | 'of' | 'batch' | 'rows'>;
