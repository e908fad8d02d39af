/** What messages of more than a few parts are made from. */
import type { GeneratedAnswer } from '../../training/evaluation.ts';
import type { RunSummary } from '../../worker/history/historyProtocol.ts';
import type { ModelDetails } from '../../worker/import/importProtocol.ts';
import type { ChatReply } from '../../worker/trainer/trainerProtocol.ts';
import type { PackedPreview } from '../../worker/dataset/datasetProtocol.ts';

export type { Away } from '../background/HiddenTime.svelte.ts';

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

export type MicroBatch = Pick<PackedPreview, 'step' | 'steps' | 'index' | 'of' | 'batch' | 'rows'>;

export interface CatalogueFigures {
  /** "owner/name" */
  id: string;
  gated: boolean;
  downloadBytes: number;
}

export type ModelFacts = Pick<
  ModelDetails,
  'modelType' | 'parameters' | 'layers' | 'vocabularySize' | 'quantization' | 'storedBytes'
>;

export type ChosenModel = Pick<ModelDetails, 'name' | 'quantization' | 'storedBytes'>;

/** Bytes of a model that is being imported; `total` is 0 until it is known. */
export interface Importing {
  name: string;
  done: number;
  total: number;
}

export type UnfinishedRun = Pick<
  RunSummary,
  'modelName' | 'trainFile' | 'resumableStep' | 'totalSteps' | 'startedAt'
>;

export type AnswerFigures = Pick<GeneratedAnswer, 'exactMatch' | 'rougeL' | 'tokens' | 'stopped'>;

/** Why a chat's answer ended; null where it did not. */
export type AnswerEnd = ChatReply['ended'] | null;

/** Votes of a blind test. */
export interface Tally {
  tuned: number;
  base: number;
  tie: number;
  /** Probability of votes at least this uneven if there were no difference. */
  chance: number;
}

/** A gradient norm far above the usual one. */
export interface GradientSpikes {
  /** Of the first, and its step. */
  norm: number;
  step: number;
  /** Over the usual norm. */
  times: number;
  count: number;
  /** max_grad_norm */
  clip: number;
}
